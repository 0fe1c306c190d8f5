import dataclasses

import pytest

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.data import own_data, record
from kfer.data.record import Record
from kfer.errors import UserError
from tests.data import prepared

MOODS = ("bored", "engaged", "confused")
COLUMNS = {
    "annotator_José M.": record.categorical("annotator_José M.", MOODS, "mood"),
    "annotator_b": record.categorical("annotator_b", MOODS, "mood"),
    "given_annotator_b": record.categorical("given_annotator_b", MOODS, "mood"),
    "majority": record.categorical("majority", MOODS, "mood"),
    "tension": record.Column("tension", tasks.CONTINUOUS, (), ("t",), 1.0, 9.0),
    "empty": record.categorical("empty", ("a", "b")),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    labels = {name: 1 for name in COLUMNS if name not in ("tension", "empty")}
    rows = [
        Record(str(i), prepared.png(i), labels | {"tension": (5.0,)}, {})
        for i in range(4)
    ]
    path = tmp_path_factory.mktemp("own") / "set"
    return dataset_lib.write(str(path), "mine", {"train": rows}, COLUMNS, {})


def test_every_filled_column_is_a_label_set_of_its_truth(own):
    first, second, tension = own_data.tasks_of(own)
    assert (first.name, first.column) == ("annotator_Jose_M", "annotator_José M.")
    assert (second.name, second.column) == ("annotator_b", "annotator_b")
    assert first.target == second.target == "mood" and first.classes == MOODS
    assert dataclasses.astuple(tension)[:6] == (
        ("tension", "continuous", (), ("t",), 1.0, 9.0)
    )
    assert tension.target == "tension"


def test_names_narrow_by_column_or_truth_and_bring_derived_ones_back(own):
    named = [
        [task.column for task in own_data.tasks_of(own, names)]
        for names in (["mood"], ["annotator_b"], ["majority", "tension"])
    ]
    assert named == [
        ["annotator_José M.", "annotator_b"],
        ["annotator_b"],
        ["majority", "tension"],
    ]


def test_unknown_and_empty_names_are_refused(own):
    with pytest.raises(
        UserError, match=r"no labels 'empty' in train in .*; it has annotator"
    ):
        own_data.tasks_of(own, ["empty"])
    with pytest.raises(UserError, match="no examples in a split 'test'"):
        own_data.tasks_of(own, split="test")


def test_older_data_sets_tell_the_truth_by_its_classes(tmp_path):
    found = own_data.tasks_of(prepared.write(tmp_path / "set"))
    assert [(t.name, t.target) for t in found] == [
        ("annotator_1", "class"),
        ("annotator_2", "class"),
        ("valence_arousal", "valence_arousal"),
    ]


def test_a_target_survives_the_disk_and_counts_in_the_hash(own, tmp_path):
    assert own.columns["annotator_b"].target == "mood"
    assert "target" not in own.columns["tension"].as_dict()
    other = COLUMNS | {"annotator_b": record.categorical("annotator_b", MOODS)}
    row = Record("0", prepared.png(0), {"annotator_b": 1}, {})
    one, two = (
        dataset_lib.write(str(tmp_path / n), "mine", {"train": [row]}, columns, {})
        for n, columns in (("one", COLUMNS), ("two", other))
    )
    assert one.content_hash != two.content_hash


def test_describe():
    task = tasks.LabelTask("annotator_b", tasks.CATEGORICAL, MOODS, target="mood")
    assert own_data.describe(task) == "annotator_b of mood: bored, engaged, confused"
    values = tasks.LabelTask("t", tasks.CONTINUOUS, (), ("x", "y"), 1.0, 9.0)
    assert own_data.describe(values) == "t: x, y in [1, 9]"


def test_aligned_faces_are_told_by_the_notes(own):
    assert not own_data.has_aligned_faces(own)
    notes = {"settings": {"alignment": "eyes"}}
    assert own_data.has_aligned_faces(dataclasses.replace(own, notes=notes))


def test_votes_are_learned_where_they_are_named_or_alone():
    votes = record.votes("votes", MOODS, "mood")
    drawn = record.categorical("annotator_1", MOODS, "mood")

    def tasks_of(columns, names=()):
        filled = {column.name: column for column in columns}
        return own_data.tasks_of_columns(filled, {}, "here", names)

    assert [t.column for t in tasks_of([votes, drawn])] == ["annotator_1"]
    assert [t.column for t in tasks_of([votes, drawn], ["mood"])] == ["annotator_1"]
    for found in (tasks_of([votes, drawn], ["votes"]), tasks_of([votes])):
        (task,) = found
        assert task.is_categorical and task.classes == MOODS
        assert (task.column, task.target) == ("votes", "mood")
