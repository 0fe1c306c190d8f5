import itertools

import pytest

from kfer.errors import UserError
from kfer.methods import METHODS
from kfer.settings import axes, config, options
from kfer.settings.config import experiment_config

EVERY = list(itertools.product(*axes.AXES.values()))


def test_every_row_on_one_axis_keeps_its_name():
    names = {
        axes.name_of(**{axis: value})
        for axis, values in axes.AXES.items()
        for value in values
    }
    assert names <= set(METHODS)
    assert axes.name_of() == "vgg_all"
    assert axes.name_of(annotators="known") == "forward_correction"
    assert axes.name_of("joint", "em") == "joint_em"
    assert axes.name_of("joint_alone", "em") == "joint_em_without_gx"


def test_names_of_combinations_are_read_back():
    names = [axes.name_of(*values) for values in EVERY]
    assert len({*names}) == len(EVERY) == 6 * 7 * 5
    for name, (regulariser, annotators, objective) in zip(names, EVERY, strict=True):
        if name in METHODS:
            assert axes.rows_of(name) == (name,)
            continue
        rows = axes.rows_of(name)
        assert all(row in METHODS for row in rows)
        assert (regulariser in rows) == (regulariser != "none")
        assert (objective in rows) == (objective != "cross_entropy")
        known = annotators in rows or annotators == "known"
        assert known == (annotators != "separate")
    assert axes.rows_of("joint+known+sce") == ("joint", "forward_correction", "sce")


@pytest.mark.parametrize(
    "method, message",
    [
        ("joint+vgg", "Method 'joint\\+vgg' has an unknown part 'vgg'; known: joint, "),
        ("joint+", "has an unknown part ''"),
        ("ltnet+em", "has two values of annotators: ltnet and em; choose one"),
        ("sce+joint", "Method 'sce\\+joint' is written joint\\+sce"),
        ("joint+em", "is written joint_em"),
        ("joint+co_teaching", "has an unknown part 'co_teaching'"),
    ],
)
def test_what_can_not_be_is_one_line(method, message):
    with pytest.raises(UserError, match=message) as error:
        experiment_config("cifar10_multi", method=method)
    assert "\n" not in str(error.value)


def test_an_unknown_value():
    with pytest.raises(UserError, match="Unknown objective 'ce'; known: cross_ent"):
        axes.name_of(objective="ce")


def test_options_are_those_of_all_parts():
    assert set(options.names_of("joint+ltnet+sce")) == {
        *options.names_of("ltnet"),
        *options.names_of("sce"),
    }
    run = experiment_config("cifar10_multi", method="ltnet+sce", alpha=0.5, speed=2.0)
    assert (run.options.alpha, run.options.speed, run.options.beta) == (0.5, 2.0, 1.0)
    assert config.from_dict(config.to_dict(run)) == run
    plain = experiment_config("cifar10_multi", method="ltnet+sce")
    assert config.config_hash(run) != config.config_hash(plain)


@pytest.mark.parametrize("setting", ({"alpha": -1.0}, {"speed": 0.0}))
def test_every_part_checks_its_options(setting):
    with pytest.raises(UserError, match=f"{next(iter(setting))} must be in"):
        experiment_config("cifar10_multi", method="ltnet+sce", **setting)


def test_an_option_of_another_method_is_refused():
    message = r"'joint\+sce' does not read option 'speed'; it has alpha, beta, A"
    with pytest.raises(UserError, match=message):
        experiment_config("cifar10_multi", method="joint+sce", speed=2.0)


def test_newer_options_stay_out_of_the_hash():
    run = experiment_config("cifar10_multi", method="em+elr")
    assert not {"em_values", "num_value_annotators"} & {*options.hashed(run.options)}
