import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import holdout, record, rewrite, tables
from kfer.data.record import Record
from kfer.errors import UserError
from tests.data import near_copies_test, prepared


def ids(dataset, split):
    return {record.image_id for record in rewrite.records(dataset, split)}


def test_groups_stay_together():
    names = [f"{i % 20}-{i}" for i in range(200)]
    kept = holdout.chosen(names, 0.5, lambda name: name.split("-")[0])
    groups = {name.split("-")[0] for name in kept}
    assert len(kept) == 10 * len(groups) and 0 < len(groups) < 20


def test_pictures_move_and_labels_stay(tmp_path):
    made = prepared.write(tmp_path / "set", num_train=40)
    copy = holdout.make(made, 0.25, str(tmp_path / "copy"), "a command")
    expected = {i for i in ids(made, "train") if tables.place(i, "holdout") < 0.25}
    assert ids(copy, "valid") == expected and 0 < len(expected) < 40
    assert ids(copy, "train") == ids(made, "train") - expected
    assert ids(copy, "test") == ids(made, "test")
    before = {r.image_id: r for s in made.splits for r in rewrite.records(made, s)}
    for split in copy.splits:
        for row in rewrite.records(copy, split):
            assert row == before[row.image_id]
    assert copy.notes["holdout"] == {"share": 0.25, "of": made.content_hash}
    again = holdout.make(made, 0.25, copy.root)
    assert again.created == copy.created
    with pytest.raises(UserError, match="holds a data set made otherwise"):
        holdout.make(made, 0.5, copy.root)
    with pytest.raises(UserError, match="has a split valid of"):
        holdout.make(copy, 0.25, str(tmp_path / "third"))


def test_near_copies_of_what_is_learned_are_set_aside(tmp_path):
    """Twenty pictures that all look alike: no held-out one is new to the model."""
    columns = {"label": record.categorical("label", ("a", "b"))}
    picture = near_copies_test.png(near_copies_test.smooth(0))
    rows = [Record(str(i), picture, {"label": i % 2}, {}) for i in range(20)]
    path = str(tmp_path / "set")
    made = dataset_lib.write(path, "x", {"train": rows}, columns, {})
    copy = holdout.make(made, 0.5, str(tmp_path / "copy"))
    assert copy.splits["valid"].num_records == 0
    aside = copy.rejected["leak: valid picture looks like one in train"]
    assert copy.splits["train"].num_records + aside == 20 and aside > 0
    assert holdout.make(made, 0.5, copy.root).created == copy.created


def test_shares_that_make_no_sense(tmp_path):
    made = prepared.write(tmp_path / "set", num_train=3)
    with pytest.raises(UserError, match="a share between 0 and 1, got 1"):
        holdout.make(made, 1.0, str(tmp_path / "copy"))
    with pytest.raises(UserError, match="would keep back 0 of 3 pictures"):
        holdout.make(made, 1e-9, str(tmp_path / "copy"))
