import dataclasses

import pytest

from kfer.errors import UserError
from kfer.settings import config, optimization, options
from kfer.settings.config import experiment_config
from kfer.settings.optimization import CHOICES, NAMES, PRESETS, Optimization
from kfer.settings.recipes import Recipe


def test_the_defaults_are_adam_at_one_rate():
    plain = Optimization()
    assert experiment_config("cifar10_multi").optimization == plain
    assert (plain.optimizer, plain.schedule, plain.averaging) == (
        "adam",
        "constant",
        "none",
    )
    assert plain.weight_decay == plain.label_smoothing == plain.mixup == plain.cutout
    assert (plain.bias_rate, plain.crop_pad, plain.crop_fill) == (1.0, 4, "black")
    assert not plain.is_timed


def test_a_setting_s_name_belongs_to_one_place():
    others = {f.name for f in dataclasses.fields(Recipe)}
    others |= {f.name for f in dataclasses.fields(config.ExperimentConfig)}
    assert not {*NAMES} & (others | options.all_names())
    assert "total_steps" not in NAMES


def test_settings_by_name():
    run = experiment_config("cifar10_multi", schedule="cosine", mixup=1, cutout=8)
    assert run.optimization == Optimization(schedule="cosine", mixup=1, cutout=8)
    assert run.optimization.is_timed
    assert config.from_dict(config.to_dict(run)) == run


class TestPresets:
    def test_fast_is_the_reference_recipe(self):
        run = experiment_config("cifar10_multi", optimization="fast")
        assert (run.learning_rate, run.batch_size, run.epochs) == (1.5, 1024, 10)
        found = run.optimization
        assert (found.optimizer, found.momentum) == ("sgd", 0.85)
        # The reference's rate of batch norm's biases, and its decay of them.
        assert run.learning_rate * found.bias_rate == 96.0
        assert found.weight_decay / found.bias_rate == pytest.approx(2.08e-5, rel=1e-3)
        factors = (found.warmup_share, found.start_factor, found.final_factor)
        assert factors == (0.23, 0.2, 0.07)
        assert (found.averaging, found.lookahead_every) == ("lookahead", 5)
        assert (found.mirror, found.crop_pad, found.crop_fill) == (
            "alternating",
            2,
            "reflect",
        )
        assert (found.label_smoothing, found.test_averaging) == (0.2, "flip_shift")

    def test_what_is_given_wins(self):
        run = experiment_config(
            "cifar10_multi", optimization="fast", batch_size=64, label_smoothing=0.1
        )
        assert (run.batch_size, run.learning_rate) == (64, 1.5)
        fast = PRESETS["fast"].optimization
        expected = dataclasses.replace(fast, label_smoothing=0.1)
        assert run.optimization == expected

    def test_plain_is_the_default(self):
        plain = experiment_config("cifar10_multi", optimization="plain")
        assert plain == experiment_config("cifar10_multi")

    def test_an_unknown_one(self):
        with pytest.raises(UserError, match="Unknown optimization 'slow'; known: pl"):
            experiment_config("cifar10_multi", optimization="slow")


@pytest.mark.parametrize("name", CHOICES)
def test_unknown_choices_are_one_line(name):
    with pytest.raises(UserError) as error:
        experiment_config("cifar10_multi", **{name: "magic"})
    known = ", ".join(CHOICES[name])
    assert str(error.value) == f"Unknown {name} 'magic'; known: {known}"


@pytest.mark.parametrize(
    "fields, told",
    (
        ({"momentum": 1.5}, "momentum must be in .0, 0.9999., got 1.5"),
        ({"mixup": -1.0}, "mixup must be in"),
        ({"cutout": 7}, "cutout must be even, got 7"),
        ({"label_smoothing": "much"}, "label_smoothing takes a value of type float"),
        ({"lookahead_every": 0.5}, "lookahead_every takes a value of type int"),
        ({"total_steps": 8}, "Unknown setting .'total_steps'."),
    ),
)
def test_values_out_of_range(fields, told):
    with pytest.raises(UserError, match=told):
        experiment_config("cifar10_multi", **fields)


def test_a_preset_needs_a_name():
    with pytest.raises(UserError, match="Unknown optimization"):
        optimization.preset("")
