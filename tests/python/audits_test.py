"""kfer.audit as a call."""

import os

import numpy as np
import pytest

import kfer
from kfer.audit import audit as audit_lib
from kfer.audit import dawid_skene
from kfer.errors import UserError
from tests import runs
from tests.python.small import model

PEOPLE = ["annotator_1", "annotator_2", "annotator_3"]


def test_without_a_model():
    report = kfer.audit(runs.dataset())
    table = report.to_frame()
    sets = audit_lib.audit(runs.dataset().root).sets
    stack = np.stack([sets.labels[name] for name in PEOPLE])
    consensus = dawid_skene.fit(stack, 7)
    assert len(table) == np.sum(stack >= 0)
    assert (table["given"] == table["proposed"]).all()
    assert table["suspicion"].is_monotonic_decreasing
    row = table.iloc[0]
    place = sets.ids.index(row["image_id"])
    said = sets.columns["annotator_1"].classes.index(row["given"])
    assert row["suspicion"] == pytest.approx(1 - consensus.posterior[place, said])
    assert "Label sets against" in str(report)
    with pytest.raises(
        UserError, match=r"judged with a model: kfer.audit\(data, model"
    ):
        report.annotators()


def test_with_a_model(tmp_path):
    report = kfer.audit(runs.dataset(), model())
    table = report.to_frame()
    assert {*table["column"]} == {*PEOPLE, "valence_arousal"} & {*table["column"]}
    assert {*PEOPLE} <= {*table["column"]} and (table["annotator"] == "").all()
    # a class that is wrong for certain stands with a value six deviations off
    limits = np.where(table["column"] == "valence_arousal", 3.0, 0.5)
    assert (table["suspicion"] / limits).is_monotonic_decreasing
    assert not table["suspicion"].is_monotonic_decreasing
    changed = table[table["given"] != table["proposed"]]
    assert (changed["why"] != "").all()
    assert any("trained on this data set" in note for note in report.notes)
    people = report.annotators()
    people = people[people["target"] == "expression"]
    assert list(people["annotator"]) == ["1", "2", "3"]
    paths = report.write(str(tmp_path / "audit"))
    assert all(map(os.path.isfile, paths)) and len(paths) > 2


def test_the_room_is_still_a_package():
    from kfer.audit import tables

    assert kfer.audit.tables is tables
    with pytest.raises(UserError, match="takes a kfer data set, got str"):
        kfer.audit("data")
