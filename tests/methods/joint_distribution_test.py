import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.losses import adversarial
from kfer.methods.joint_distribution import JointDistribution
from kfer.settings.config import ScoreWeights
from kfer.structures import EncoderOutput, Scores

MISSING = {"annotator_1": (1, 4, 5), "valence_arousal": (0, 4)}


def tensors(batch):
    return tf.nest.map_structure(tf.convert_to_tensor, batch)


def scores(*columns):
    names = ("x", "y0", "annotator_1", "valence_arousal", "joint")
    return Scores({n: np.float32(c) for n, c in zip(names, columns, strict=True)})


# Two examples; annotator_1 of the second is missing. Means by stream: 2, 0, 4, -1, 1.
SCORES = scores([1.0, 3.0], [-1.0, 1.0], [4.0, 9.0], [-1.0, -1.0], [0.5, 1.5])


def pair_batch(run, make_batch):
    return tensors(make_batch(run, 2, missing={"annotator_1": (1,)}))


class TestReduceScores:
    def reduce(self, tiny_config, make_batch, function=None, scores=SCORES, **fields):
        score_weights = ScoreWeights(**fields.pop("weights", {}))
        run = tiny_config(score_weights=score_weights, **fields)
        method = JointDistribution(run)
        function = function or adversarial.generator_encoder
        return float(
            method.reduce_scores(scores, pair_batch(run, make_batch), function)
        )

    def test_sum_and_mean_over_streams(self, tiny_config, make_batch):
        arguments = tiny_config, make_batch
        assert self.reduce(*arguments, score_reduction="sum") == pytest.approx(6.0)
        assert self.reduce(*arguments, score_reduction="mean") == pytest.approx(6 / 5)

    @pytest.mark.parametrize("count, expected", [(False, 7 / 4), (True, 7 / 5)])
    def test_whether_removed_scores_count(
        self, tiny_config, make_batch, count, expected
    ):
        # without S_va: 2 + 0 + 4 + 1 over the 4 that are left, or over all 5
        kept = {n: s for n, s in SCORES.by_stream.items() if n != "valence_arousal"}
        value = self.reduce(
            tiny_config, make_batch, scores=Scores(kept), count_removed_scores=count
        )
        assert value == pytest.approx(expected)

    def test_counting_removed_scores_leaves_a_sum_alone(self, tiny_config, make_batch):
        kept = {"joint": SCORES.by_stream["joint"]}
        value = self.reduce(
            tiny_config,
            make_batch,
            scores=Scores(kept),
            score_reduction="sum",
            count_removed_scores=True,
        )
        assert value == pytest.approx(1.0)

    def test_score_weights(self, tiny_config, make_batch):
        weights = {"x": 2.0, "y0": 3.0, "labels": 0.5, "joint": 0.0}
        value = self.reduce(
            tiny_config, make_batch, score_reduction="sum", weights=weights
        )
        # 2 * 2 + 3 * 0 + 0.5 * 4 + 0.5 * -1 + 0 * 1
        assert value == pytest.approx(5.5)

    def test_missing_labels_leave_the_joint_score(self, tiny_config, make_batch):
        # h_hat of a masked row is not 0, so this is the mask's doing
        value = self.reduce(
            tiny_config,
            make_batch,
            function=adversarial.generator_decoder,
            score_reduction="sum",
        )
        assert value == pytest.approx(-6.0)


def losses(method, make_batch, monkeypatch, encoder=SCORES, decoder=SCORES):
    """Both losses for given scores, the label loss being 10."""
    monkeypatch.setattr(method, "score", lambda groups: (encoder, decoder))
    monkeypatch.setattr(method, "label_loss", lambda batch, output: tf.constant(10.0))
    batch = pair_batch(method.config, make_batch)
    output = EncoderOutput(None, None, {})
    return (
        float(method.generator_loss(batch, output, None)),
        float(method.discriminator_loss(None, batch)),
    )


class TestLosses:
    ENCODER = scores([0.5, 1.5], [0.0, 0.0], [-1.0, 9.0], [2.0, 2.0], [1.0, 1.0])
    DECODER = scores([-0.5, 0.5], [-2.0, -2.0], [1.0, 9.0], [0.0, 0.0], [0.0, -1.0])

    @pytest.mark.parametrize("reduction, divisor", [("sum", 1), ("mean", 5)])
    def test_by_hand(self, tiny_config, make_batch, monkeypatch, reduction, divisor):
        run = tiny_config(score_reduction=reduction, lambda_gan=0.8)
        method = JointDistribution(run)
        generator, discriminator = losses(
            method, make_batch, monkeypatch, self.ENCODER, self.DECODER
        )
        # encoder's means 1, 0, -1, 2, 1 and decoder's 0, -2, 1, 0, -0.5
        assert generator == pytest.approx(10 + 0.8 * (3 - (-1.5)) / divisor)
        # relu(1 - s): .25, 1, 2, 0, 0; relu(1 + s): 1, 0, 2, 1, .5
        assert discriminator == pytest.approx((3.25 + 4.5) / divisor)

    def test_lambda_zero_leaves_the_label_loss(
        self, tiny_config, make_batch, monkeypatch
    ):
        method = JointDistribution(tiny_config(lambda_gan=0.0))
        assert losses(method, make_batch, monkeypatch)[0] == 10.0

    @pytest.mark.parametrize("inside", (False, True))
    def test_weights_inside_and_outside_the_hinge(
        self, tiny_config, make_batch, monkeypatch, inside
    ):
        weights = ScoreWeights(x=1.0, y0=1.0, labels=1.0, joint=0.0)
        run = tiny_config(
            score_weights=weights,
            score_weight_inside_hinge=inside,
            score_reduction="sum",
        )
        _, discriminator = losses(
            JointDistribution(run), make_batch, monkeypatch, self.ENCODER, self.DECODER
        )
        # S_joint would add 0 and 0.5; a 0 inside the hinge leaves 1 and 1
        expected = 3.25 + 4.0 + (2.0 if inside else 0.0)
        assert discriminator == pytest.approx(expected)


class TestForward:
    @pytest.mark.parametrize("choice", ("probabilities", "logits"))
    def test_groups(self, joint, make_batch, choice, tiny_config):
        joint.config = tiny_config(discriminator_label_input=choice)
        batch = tensors(make_batch(joint.config, missing=MISSING))
        output, (encoder, decoder) = joint.forward(batch)
        np.testing.assert_array_equal(encoder.image, batch.image)
        y0 = output.mean + tf.exp(output.logvar / 2) * batch.noise.y0_encoder
        np.testing.assert_allclose(encoder.y0, y0, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(decoder.y0, batch.noise.y0_decoder)

        raw = output.labels["annotator_1"].numpy()
        seen = raw if choice == "logits" else tf.nn.softmax(raw).numpy()
        seen[[1, 4, 5]] = 0.0
        np.testing.assert_allclose(encoder.labels["annotator_1"], seen, rtol=1e-6)
        values = output.labels["valence_arousal"].numpy().copy()
        values[[0, 4]] = 0.0
        np.testing.assert_array_equal(encoder.labels["valence_arousal"], values)

        one_hot = np.eye(3)[batch.labels["annotator_1"]]
        one_hot[[1, 4, 5]] = 0.0
        np.testing.assert_array_equal(decoder.labels["annotator_1"], one_hot)
        np.testing.assert_array_equal(
            decoder.labels["valence_arousal"], batch.labels["valence_arousal"]
        )

    @pytest.mark.parametrize("choice", ("probabilities", "logits"))
    def test_gradients_reach_the_logits(self, joint, make_batch, choice, tiny_config):
        joint.config = tiny_config(discriminator_label_input=choice)
        batch = tensors(make_batch(joint.config, missing=MISSING))
        weight = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
        with tf.GradientTape() as tape:
            output, (encoder, _) = joint.forward(batch)
            seen = tf.reduce_sum(weight * encoder.labels["annotator_1"])
        logits = output.labels["annotator_1"]
        found = tape.gradient(seen, logits)
        expected = weight.copy()
        if choice == "probabilities":  # the softmax's Jacobian, times the weights
            p = tf.nn.softmax(logits).numpy()
            expected = p * (weight - np.sum(p * weight, axis=1, keepdims=True))
        expected[[1, 4, 5]] = 0.0
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)

    def test_the_game_trains_every_label_head(self, joint, make_batch):
        batch = tensors(make_batch(joint.config))
        with tf.GradientTape() as tape:
            _, groups = joint.forward(batch)
            encoder, _ = joint.score(groups)
            gan = joint.reduce_scores(encoder, batch, adversarial.generator_encoder)
        kernels = [head.kernel for head in joint.encoder.heads]
        for gradient in tape.gradient(gan, kernels):
            assert np.linalg.norm(gradient) > 1e-6

    def test_the_drawn_image_is_the_decoder_s(self, joint, make_batch, shared_joint):
        batch = tensors(make_batch(joint.config))
        _, (_, group) = joint.forward(batch)
        shared_joint[1].restore()
        drawn = joint.decoder(batch.noise.y0_decoder, group.labels, training=True)
        np.testing.assert_allclose(group.image, drawn, rtol=1e-5, atol=1e-6)

    def test_without_a_decoder_both_groups_hold_the_real_image(
        self, tiny_config, make_batch
    ):
        run = tiny_config(method="without_gx")
        method = methods.build(run)
        batch = tensors(make_batch(run))
        _, (encoder, decoder) = method.forward(batch)
        assert encoder.image is decoder.image is batch.image
        assert decoder.y0 is batch.noise.y0_decoder


class TestScore:
    def groups(self, joint, make_batch):
        return joint.forward(tensors(make_batch(joint.config)))[1]

    @pytest.mark.parametrize("shared", (True, False))
    def test_power_iterations_of_a_scoring_pass(
        self, joint, make_batch, tiny_config, shared
    ):
        joint.config = tiny_config(shared_sigma=shared)
        groups = self.groups(joint, make_batch)
        layer = joint.discriminator.embeddings["y0"].linear
        start = layer.u.numpy()
        joint.score(groups)
        after = layer.u.numpy()
        layer.u.assign(start)
        for _ in range(1 if shared else 2):
            layer.normalized_kernel(training=True)
        np.testing.assert_allclose(after, layer.u, rtol=1e-5, atol=1e-6)

    def test_both_ways_agree_where_sigma_has_converged(
        self, joint, make_batch, tiny_config
    ):
        groups = self.groups(joint, make_batch)
        for layer in joint.discriminator.submodules:
            if hasattr(layer, "normalized_kernel"):
                converge(layer)
        together = joint.score(groups)
        joint.config = tiny_config(shared_sigma=False)
        apart = joint.score(groups)
        for one, two in zip(together, apart, strict=True):
            for name, score in one.by_stream.items():
                np.testing.assert_allclose(
                    score, two.by_stream[name], rtol=1e-3, atol=1e-4
                )


def converge(layer):
    """Sets u to the leading right singular vector of the kernel's matrix."""
    matrix = layer._matrix(layer.kernel).numpy()
    leading = np.linalg.svd(matrix)[2][..., :1, :]
    layer.u.assign(leading.reshape(layer.u.shape))


class TestAblations:
    LABELS = ("annotator_1", "valence_arousal")

    @pytest.mark.parametrize(
        "name, streams",
        [
            ("joint", ("x", "y0", *LABELS, "joint")),
            ("without_joint", ("x", "y0", *LABELS)),
            ("without_marginal", ("joint",)),
            ("without_gx", ("y0", *LABELS, "joint")),
        ],
    )
    def test_streams(self, tiny_config, name, streams):
        method = methods.build(tiny_config(method=name))
        assert method.discriminator.streams == streams
        assert (method.decoder is None) == (name == "without_gx")
        assert method.has_warmup


def test_metric_names(joint):
    assert joint.metric_names()[-2:] == ["gan_loss", "discriminator_loss"]
    assert {m.name for m in joint.metrics} == set(joint.metric_names())


def test_tasks_without_a_stream_still_have_a_label_loss(tiny_config, make_batch):
    run = tiny_config()
    silent = dataclasses.replace(run.tasks[1], stream=False)
    run = dataclasses.replace(run, tasks=(run.tasks[0], silent))
    method = JointDistribution(run)
    batch = tensors(make_batch(run))
    output, (encoder, decoder) = method.forward(batch)
    assert list(encoder.labels) == list(decoder.labels) == ["annotator_1"]
    loss = float(method.label_loss(batch, output))
    results = method.results()
    assert loss == pytest.approx(
        float(results["annotator_1/cross_entropy"] + results["valence_arousal/ccc"])
    )
