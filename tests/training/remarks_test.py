"""What comes to nothing in a run is said, and nothing else is."""

import types

import pytest

from kfer import methods
from kfer.settings.config import experiment_config
from kfer.training import remarks


def dataset(flip, requested=(0.2, 0.3, 0.4), name="cifar10"):
    noise = {
        f"annotator_{i}": {"requested": rate} for i, rate in enumerate(requested, 1)
    }
    return types.SimpleNamespace(
        name=name, root="DATA", options={"flip": flip}, noise={"train": noise}
    )


def test_labels_that_were_flipped_otherwise():
    run = experiment_config("cifar10_multi", "authors_2021")
    (line,) = remarks.of_data(run, dataset("exclusive"))
    assert line.startswith("DATA was made with flip=exclusive, and its labels are")
    assert line.endswith("kfer-data make --flip=inclusive")
    assert not [*remarks.of_data(run, dataset("inclusive"))]
    assert not [*remarks.of_data(run, dataset("exclusive", name="cifar10n"))]


def test_labels_of_other_rates():
    run = experiment_config("cifar10_multi", flip_rates=[0.2, 0.5, 0.4])
    (line,) = remarks.of_data(run, dataset("exclusive"))
    assert "annotator_2 was made with a flip rate of 0.3, not 0.5" in line
    single = experiment_config("cifar10_single")
    assert not [*remarks.of_data(single, dataset("exclusive"))]


@pytest.mark.parametrize(
    "method, options, epochs, said",
    [
        ("em", {}, 2, "em_start_epoch is 2 and the run has 2 epochs"),
        ("em", {}, 2.5, ""),
        ("em", {"em_start_epoch": 0}, 0.5, ""),
        ("co_teaching", {}, 10, "ramp_epochs is 10 and the run has 10 epochs"),
        ("co_teaching", {}, 11, ""),
        ("joint", {}, 1, "gan_start_epoch is 0 and the run has 1 epochs"),
        ("joint", {}, 1.5, ""),
        ("joint", {"gan_start_epoch": -1}, 0.5, ""),
        ("vgg_all", {}, 0.1, ""),
    ],
)
def test_what_would_begin_after_the_end(method, options, epochs, said):
    run = methods.resolve_tasks(
        experiment_config("cifar10_multi", "kfer", method, **options)
    )
    found = [*remarks.of_length(run, epochs)]
    assert [line[: len(said)] for line in found] == ([said] if said else [])
