"""Mean and deviation by hand."""

import dataclasses
import math

import pytest

from kfer.experiments import summary
from kfer.experiments.results import Row
from kfer.experiments.summary import Spread
from kfer.experiments.table import Entry, Table

VGG = Entry("cifar10", "vgg_all", "class", printed=80.23)
JOINT = Entry("cifar10", "joint", "class")
TABLE = Table("t", "T", ("a", "b"), {"one": (VGG, None), "two": (None, JOINT)})


def row(seed, value, which="last", method="vgg_all"):
    return Row(
        "cpu",
        "kfer",
        "cifar10",
        method,
        seed,
        "done",
        which=which,
        target="class",
        measure="accuracy",
        value=value,
        machine=f"machine {seed}",
    )


def test_lines_over_seeds():
    rows = [row(0, 0.5), row(1, 0.7), row(0, 0.8, "best")]
    rows.append(Row("cpu", "kfer", "cifar10", "joint", 0, "skipped", reason="no data"))
    one, two = summary.lines(TABLE, rows)
    assert (one.row, one.head, two.row, two.head) == ("one", "a", "two", "b")
    assert one.last.mean == pytest.approx(0.6) and one.last.seeds == 2
    assert one.last.deviation == pytest.approx(math.sqrt(0.02))
    assert one.best == Spread(0.8, None, 1)
    assert one.machines == ("machine 0", "machine 1")
    assert (two.last, two.best, two.machines) == (None, None, ())
    assert summary.without_result(TABLE, rows) == {
        "skipped: no data": ["cifar10-joint-0"]
    }


def test_a_gap_is_paired_by_seed():
    # 3 and 1 points over the seeds that both have: mean 2, error 1, t(1) = 12.706.
    ours, theirs = {0: 0.5, 1: 0.7, 2: 0.9}, {0: 0.47, 1: 0.69, 3: 0.1}
    found = summary.gap(ours, theirs)
    assert found.mean == pytest.approx(0.02)
    assert found.half == pytest.approx(0.01 * 12.7062, rel=1e-5)
    assert summary.gap(ours, {0: 0.4}) == pytest.approx((0.1, None, 1))
    assert summary.gap(ours, {5: 0.4}) is None
    assert summary.gap_shown(VGG, found, 2) == "+2.00 ± 12.71"
    assert summary.gap_shown(VGG, found, 3) == "+2.00 ± 12.71 (2 of 3 seeds)"
    assert summary.gap_shown(VGG, summary.Gap(-0.1, None, 1), 1) == "-10.00"


def test_costs_are_shown_with_three_digits():
    assert summary.mean_shown([1.2345e-4, 1.2345e-4]) == "0.000123"
    assert (summary.mean_shown([1493.7]), summary.mean_shown([])) == ("1490", "")


def test_lower_is_better_of_some_measures():
    ece = [Entry("cifar10", m, "class", "ece") for m in ("joint", "vgg_all")]
    table = Table("t", "T", ("e",), {"j": ece[:1], "v": ece[1:]}, against="joint")
    scores = zip(("joint", "vgg_all"), (0.2, 0.1), strict=True)
    rows = [row(0, value, method=m) for m, value in scores]
    rows = [dataclasses.replace(r, measure="ece") for r in rows]
    first, second = summary.lines(table, rows)
    assert (first.row, second.row) == ("v", "j")
    assert first.gap.mean == pytest.approx(-0.1) and second.gap is None


def test_shown():
    assert summary.shown(VGG, Spread(0.81234, 0.0045, 3)) == "81.23 ± 0.45"
    assert summary.shown(VGG, Spread(0.5, None, 1)) == "50.00"
    values = Entry("ferplus", "joint", "valence_arousal", "ccc", 0.6)
    assert summary.shown(values, Spread(0.12345, 0.1, 2)) == "0.1235 ± 0.1000"
    assert summary.shown(VGG, None) == ""
    assert [summary.printed(e) for e in (VGG, values, JOINT)] == ["80.23", "0.6000", ""]


def test_how_good_labels_are():
    noise = {
        "a": {"achieved": 0.2, "compared": 50000},
        "va": {"rmse": [0.5, 0.25], "compared": 9},
        "unknown": {"requested": 0.1},
    }
    assert summary.labels_own(noise) == {
        "a": "80.00 % of 50,000 right",
        "va": "RMSE 0.500, 0.250",
    }
