import dataclasses
import json
from pathlib import Path

import pytest

from kfer.errors import UserError
from kfer.methods import METHODS
from kfer.settings import config, method_options, options, parsing
from kfer.settings.config import experiment_config
from kfer.settings.options import OPTIONS
from kfer.settings.recipes import Recipe

# A value that is not the default, where half of it would be refused or none is given.
OTHER = {
    "transition": [[[0.9, 0.1], [0.2, 0.8]]],
    "noise_rates": [0.1, 0.2, 0.3],
    "num_examples": 7,
    "ramp_epochs": 3,
    "num_annotators": [1, 5, 1],
    "em_start_epoch": 4,
    "em_values": "mean",
    "geo_variant": "W",
    "confusion_units": 16,
    "num_value_annotators": [1, 2],
}
EVERY = [(method, name) for method in OPTIONS for name in options.names_of(method)]


def default_of(method, name):
    return getattr(OPTIONS[method], name)


def other_value(method, name):
    return OTHER[name] if name in OTHER else default_of(method, name) / 2 or 0.25


@pytest.mark.parametrize("method, name", EVERY)
def test_an_option_is_set_hashed_saved_and_read(method, name):
    value = other_value(method, name)
    plain = experiment_config("raf_multi", method=method)
    run = experiment_config("raf_multi", method=method, **{name: value})
    assert json.dumps(getattr(run.options, name)) == json.dumps(value)
    assert config.config_hash(run) != config.config_hash(plain)
    assert config.differences(plain, run)[0].startswith("options: ")
    saved = json.loads(json.dumps(config.to_dict(run)))
    assert config.from_dict(saved) == run


@pytest.mark.parametrize("method, name", EVERY)
def test_a_method_that_does_not_read_an_option_refuses_it(method, name):
    value = other_value(method, name)
    for another in ("joint", "vgg_all", *OPTIONS):
        if name in options.names_of(another):
            continue
        message = f"^Method '{another}' does not read option '{name}'; it has "
        with pytest.raises(UserError, match=message):
            experiment_config("raf_multi", method=another, **{name: value})


def test_names_are_not_those_of_other_settings():
    fields = dataclasses.fields(config.ExperimentConfig) + dataclasses.fields(Recipe)
    assert not options.all_names() & {field.name for field in fields}


def test_the_published_defaults():
    sce = options.make("sce")
    assert (sce.alpha, sce.beta, sce.A) == (0.1, 1.0, -4.0)
    assert options.make("gce").q == 0.7
    elr = options.make("elr")
    assert (elr.elr_weight, elr.elr_momentum) == (3.0, 0.7)
    assert options.make("co_teaching").ramp_epochs == 10
    geo = options.make("geo_crowd")
    assert (geo.geo_variant, geo.geo_weight) == ("F", 1e-3)
    assert options.make("ltnet").trace_weight == 0.0


@pytest.mark.parametrize(
    "method, setting, message",
    [
        ("sce", "alpha=-1", r"alpha must be in \[0, 1e\+06\], got -1"),
        ("sce", "A=0", r"A must be in \[-1000, -0.001\], got 0"),
        ("sce", "alpha=high", "alpha takes a value of type float"),
        ("gce", "q=0", "q must be in"),
        ("gce", "q=1.5", "q must be in"),
        ("label_smoothing", "smoothing=2", "smoothing must be in"),
        ("elr", "elr_momentum=1.1", "elr_momentum must be in"),
        ("elr", "num_examples=2.5", "num_examples takes a value of type int"),
        ("co_teaching", "forget_rate=1", "forget_rate must be in"),
        ("co_teaching", "ramp_epochs=0", "ramp_epochs must be in"),
        ("ltnet", "diagonal=1", "diagonal must be in"),
        ("crowd_layer", "speed=0", "speed must be in"),
        ("va_annotators", "speed=-1", "speed must be in"),
        ("geo_crowd", "geo_variant=G", "geo_variant 'G' is none of F, W"),
        ("geo_crowd", "geo_weight=-1", "geo_weight must be in"),
        ("annot_mix", "mix_alpha=-1", "mix_alpha must be in"),
        ("annot_mix", "confusion_units=0", "confusion_units must be in"),
        ("air", "group_weight=-1", "group_weight must be in"),
        ("huber", "delta=0", "delta must be in"),
        ("em", "em_power=-1", "em_power must be in"),
        ("em", "em_start_epoch=-1", "em_start_epoch must be in"),
        ("dawid_skene", "diagonal=0", "diagonal must be in"),
        ("dawid_skene", "num_annotators=3", "num_annotators takes a list"),
        ("forward_correction", "noise_rates=0.2", "noise_rates takes a list"),
        ("forward_correction", "transition=file.npz", "transition takes a list"),
    ],
)
def test_a_wrong_value_is_the_user_s_error(method, setting, message):
    given = parsing.parse_settings([setting])
    with pytest.raises(UserError, match=message) as error:
        experiment_config("raf_multi", method=method, **given)
    assert "\n" not in str(error.value)


def test_two_sources_of_a_matrix_are_one_too_many():
    fields = {name: OTHER[name] for name in ("transition", "noise_rates")}
    with pytest.raises(UserError, match="transition or noise_rates, not both"):
        experiment_config("raf_multi", method="forward_correction", **fields)


def test_another_method_takes_its_own_defaults_or_complains():
    run = experiment_config("raf_multi", method="vgg_all")
    assert run.options == method_options.NO_OPTIONS
    assert dataclasses.replace(run, method="gce").options.q == 0.7
    with pytest.raises(UserError, match="Method 'sce' got options of another method"):
        dataclasses.replace(run, method="sce", options=options.make("gce"))


def test_a_config_saved_before_there_were_options():
    fields = config.to_dict(experiment_config("raf_multi"))
    del fields["options"]
    assert config.from_dict(fields) == experiment_config("raf_multi")


def test_options_can_not_be_set_as_a_whole():
    with pytest.raises(UserError, match=r"Unknown setting \['options'\]"):
        experiment_config("raf_multi", method="gce", options=options.make("gce"))


def test_an_unknown_setting_lists_the_method_s_options():
    with pytest.raises(UserError, match="'q'.*") as error:
        experiment_config("raf_multi", method="gce", qq=1)
    assert str(error.value).startswith("Unknown setting ['qq']; known: [")


DOCS = Path(__file__).resolve().parents[2] / "docs" / "guide" / "methods.md"


def test_the_documented_options_are_the_options():
    rows = [
        [cell.strip(" `") for cell in line.strip("|\n ").split(" | ")]
        for line in DOCS.read_text().split("## Options")[1].splitlines()
        if line.startswith("| `")
    ]
    documented = {
        (method, row[1]): row[2] for row in rows for method in row[0].split("`, `")
    }
    assert documented == {
        (method, name): str(default_of(method, name)) for method, name in EVERY
    }


def test_every_method_is_documented():
    table = DOCS.read_text().split("## What is logged")[0]
    assert all(f"`{name}`" in table for name in METHODS)
