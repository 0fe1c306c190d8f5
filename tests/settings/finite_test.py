"""Settings are finite numbers."""

import dataclasses

import pytest

from kfer.errors import UserError
from kfer.settings import finite
from kfer.settings.config import EXPERIMENTS, ExperimentConfig, experiment_config
from kfer.settings.recipes import Recipe, ScoreWeights

NAN, INF = float("nan"), float("inf")


def floats(cls):
    return [f.name for f in dataclasses.fields(cls) if f.type in (float, "float")]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("name", [*floats(ExperimentConfig), "face_translation"])
def test_a_setting_is_finite(name, value):
    with pytest.raises(
        UserError, match=f"^{name} must be a finite number, got {value}$"
    ):
        experiment_config("cifar10_multi", **{name: value})


@pytest.mark.parametrize("name", floats(Recipe))
def test_a_recipe_s_settings_are(name):
    with pytest.raises(UserError, match=f"^{name} must be "):
        experiment_config("cifar10_multi", **{name: NAN})


def test_what_is_held_in_a_config():
    config = EXPERIMENTS["cifar10_multi"]
    finite.check(config)
    for fields, text in (
        ({"score_weights": ScoreWeights(joint=NAN)}, "joint must be a finite number"),
        ({"flip_rates": (0.1, INF)}, r"flip_rates must be .*, got \(0.1, inf\)"),
    ):
        with pytest.raises(UserError, match=text):
            dataclasses.replace(config, **fields)
