"""The count against layers worked by hand."""

import dataclasses

import pytest

from kfer.models import flops
from kfer.settings.config import IMAGE_SIZES, experiment_config


@pytest.fixture(scope="module")
def found():
    """Lines of cifar10_multi by net and name."""
    counted = flops.lines(experiment_config("cifar10_multi"))
    return {(line.net, line.name): line for line in counted}


def passes(line):
    return line.forward, line.inputs, line.weights


def test_encoder_by_hand(found):
    first = found["encoder", "conv1_1"]
    assert first.products == 32 * 32 * 9 * 3 * 64 == 1_769_472
    assert passes(first) == (1, 0, 1)  # nothing to give the image
    assert first.total == 2 * 1_769_472
    last = found["encoder", "conv5_3"]  # on 2x2: 16 instead of 36 taps
    assert (last.products, last.plain) == (16 * 512 * 512, 36 * 512 * 512)
    assert passes(last) == (1, 1, 1)
    assert found["encoder", "heads"].products == 512 * (100 + 100 + 30)


def test_decoder_by_hand(found):
    linear = found["decoder", "linear"]
    assert linear.products == linear.kernel == 130 * 512
    assert passes(linear) == (1, 0, 1)
    assert found["decoder", "deconv1"].products == 16 * 512 * 512
    last = found["decoder", "deconv5"]  # 16x16 places, 128 channels to 3
    assert last.products == 16 * 16 * 16 * 128 * 3


def test_r1_is_of_the_discriminator_alone():
    held = flops.lines(experiment_config("cifar10_multi", r1_weight=1.0))
    free = flops.lines(experiment_config("cifar10_multi"))
    changed = {one.net for one, two in zip(held, free, strict=True) if one != two}
    assert changed == {"discriminator"}


def test_norms_are_computed_once_for_both_groups():
    shared = flops.lines(experiment_config("cifar10_multi"))
    apart = flops.lines(experiment_config("cifar10_multi", shared_sigma=False))
    for one, two in zip(shared, apart, strict=True):
        factor = 2 if one.net == "discriminator" else 1
        assert two.norm_total == factor * one.norm_total
    # 3 passes forward and 2 back over a kernel of 512 x 1, two products each
    score = next(line for line in shared if line.name == "score_x")
    assert score.norm_total == 2 * 5 * 512


def test_algorithm_1_draws_twice_and_scores_less():
    paper = flops.lines(experiment_config("cifar10_multi", "paper"))
    by_name = {line.name: line for line in paper}
    assert passes(by_name["conv5_3"]) == (2, 1, 1)
    assert passes(by_name["block1.conv1"]) == (4, 3, 2)  # one D step


def test_the_sum_is_of_all_lines():
    config = experiment_config("cifar10_multi")
    lines = flops.lines(config)
    products = sum(line.products * line.passes for line in lines)
    norms = sum(2 * line.kernel * line.norms for line in lines)
    expected = 2e-9 * (products + norms / 128)
    assert flops.gflop_per_image(config) == pytest.approx(expected)
    half = dataclasses.replace(config, batch_size=64)
    more = flops.gflop_per_image(half) - flops.gflop_per_image(config)
    assert more == pytest.approx(2e-9 * norms / 128)


@pytest.mark.parametrize("size", IMAGE_SIZES)
def test_plain_is_never_cheaper(size):
    for line in flops.lines(experiment_config("raf_multi", image_size=size)):
        assert line.plain >= line.products > 0


class TestTraining:
    def cost(self, method, warmup=False, images=1):
        config = experiment_config("cifar10_multi", method=method)
        return flops.training_flops(config, images, warmup)

    def test_the_joint_method_s_is_the_table_s(self):
        config = experiment_config("cifar10_multi")
        expected = 1e9 * flops.gflop_per_image(config)
        assert self.cost("joint") == pytest.approx(expected)
        assert self.cost("joint", images=7) == pytest.approx(7 * expected)

    def test_an_encoder_alone(self, found):
        lines = [line for (net, _), line in found.items() if net == "encoder"]
        # forward, to the weights and, but for the first layer, to the inputs
        products = 3 * sum(line.products for line in lines)
        expected = 2 * (products - found["encoder", "conv1_1"].products)
        assert self.cost("vgg_all") == self.cost("ltnet") == expected
        assert self.cost("joint", warmup=True) == expected
        assert self.cost("co_teaching") == 2 * expected

    def test_annot_mix_s_networks_of_matrices(self):
        """512 features and 3 times 3 shares into 128 units, 3 times 10 x 10 out."""
        expected = 2 * (2 * (512 + 9) * 128 + 3 * 3 * 128 * 100)
        assert self.cost("annot_mix") - self.cost("vgg_all") == expected

    def test_parts_cost_what_their_game_does(self):
        assert self.cost("joint+ltnet+sce") == self.cost("joint")
        assert self.cost("ltnet+sce") == self.cost("vgg_all")
        assert self.cost("joint_alone+em+gce") == self.cost("joint_em_without_gx")

    def test_what_is_left_out_costs_nothing(self, found):
        def total(*names):
            lines = [found["discriminator", name] for name in names]
            return sum(line.total + line.norm_total / 128 for line in lines)

        whole = self.cost("joint")
        joint = ("joint.linear", "joint.first", "joint.second", "score_joint")
        assert whole - self.cost("without_joint") == pytest.approx(2 * total(*joint))
        streams = ("x", "y0", "annotator_1", "annotator_2", "annotator_3")
        marginals = [f"score_{name}" for name in streams]
        saved = whole - self.cost("without_marginal")
        assert saved == pytest.approx(2 * total(*marginals), rel=1e-4)
        decoder = sum(
            line.total + line.norm_total / 128
            for (net, _), line in found.items()
            if net == "decoder"
        )
        assert whole - self.cost("without_gx") > 2 * decoder

    def test_the_repaired_game_on_labels_alone(self):
        """A map of each of three label sets from 10 classes to 1 + 512 features."""
        config = experiment_config(
            "cifar10_multi", "repaired", method="joint_em_without_gx"
        )
        # 4 + 2 passes forward, 1 + 1 back to the labels, 4 to the weights
        fit = 2 * 12 * 3 * 10 * 513
        encoder = self.cost("vgg_all")
        assert flops.training_flops(config, 1) == pytest.approx(encoder + fit)

    def test_joint_em_is_the_joint_method_s(self):
        assert self.cost("joint_em") == self.cost("joint")
