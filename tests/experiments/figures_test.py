"""What the figures of a table show."""

import os

import pytest

from kfer.evaluation import pictures
from kfer.experiments import figures
from kfer.experiments.table import Entry, Table
from kfer.experiments.tables import TABLES
from tests.experiments import fake

VGG, JOINT = (Entry("cifar10", method, "class") for method in ("vgg_all", "joint"))
TABLE = Table("t", "T", ("a",), {"one": (VGG,), "two": (JOINT,)})


@pytest.fixture
def drawn(monkeypatch):
    """The lines of every figure of curves."""
    found = []

    def curves(series, label, percent=False):
        found.append((series, label, percent))
        return b"png"

    monkeypatch.setattr(pictures, "curves", curves)
    return found


def finished(tmp_path):
    plan = fake.plan(tmp_path)
    for cell, curve in zip(TABLE.cells(range(2)), ([0.1, 0.2], [0.5, 0.6], [0.3, 0.4])):
        folder = fake.finish(plan, cell, 0.2, 0.2, curve)
    os.makedirs(os.path.join(plan.folder(TABLE.cells(range(1))[1]), "samples"))
    for step in (10, 20):
        path = os.path.join(
            plan.folder(TABLE.cells(range(1))[1]), "samples", f"step-{step:06d}.png"
        )
        with open(path, "wb") as file:
            file.write(b"picture %d" % step)
    assert folder
    return plan


def test_curves_are_means_over_seeds(tmp_path, drawn):
    found = list(figures.of_table(finished(tmp_path), TABLE, range(2)))
    assert [name for name, _, _ in found] == [
        "cifar10-accuracy.png",
        "cifar10-loss.png",
        "cifar10-joint-samples.png",
    ]
    series, label, percent = drawn[0]
    assert (label, percent) == ("clean test accuracy", True)
    assert series["vgg_all"].steps == [10, 20]
    assert series["vgg_all"].values == pytest.approx([0.2, 0.3])  # seeds 0 and 1
    assert series["joint"].values == pytest.approx([0.5, 0.6])
    # The mean of the label sets' cross entropies.
    assert drawn[1][0]["joint"].values == pytest.approx([1.5, 1.0])
    assert found[-1][2] == b"picture 20" and "step 20" in found[-1][1]


def test_figures_of_the_paper_show_their_own_kind(tmp_path, drawn):
    plan = finished(tmp_path)
    names = [name for name, _, _ in figures.of_table(plan, TABLES["fig4"], range(1))]
    assert names == ["cifar10-joint-samples.png"] and drawn == []
    names = [name for name, _, _ in figures.of_table(plan, TABLES["fig3"], range(1))]
    assert names == ["cifar10-accuracy.png", "cifar10-loss.png"]


def test_mean_line_takes_common_steps():
    line = figures.mean_line(
        [{1: 0.5, 2: 1.0, 3: None, 4: 2.0}, {2: 3.0, 3: 4.0, 4: 4.0}]
    )
    assert line == ([2, 4], [2.0, 3.0])
    assert figures.mean_line([]) is None
    assert figures.mean_line([{1: None}]) is None
    assert figures.mean_line([{1: 0.5}]) is None  # no curve
