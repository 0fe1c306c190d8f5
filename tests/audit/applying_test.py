import pytest

from kfer.audit import applying, decisions
from kfer.audit.decisions import Decision
from kfer.data import dataset as dataset_lib
from kfer.data import rewrite
from kfer.errors import UserError
from tests.audit import small


def write(path, *rows):
    for image_id, column, given, action, label in rows:
        made = Decision(image_id, column, given, action, label, "ann", "now", "abc")
        decisions.append(str(path), made)


def test_the_copy_has_the_decided_labels_and_keeps_what_was_given(tmp_path):
    small.write(tmp_path / "set")
    path = tmp_path / "decisions.jsonl"
    write(
        path,
        ("picture, 1", "annotator_3", "dog", "take", "cat"),
        ("picture, 3", "annotator_2", "cat", "pick", "fox"),
        ("picture, 2", "annotator_1", "dog", "keep", "dog"),
        ("picture, 0", "annotator_1", "cat", "take", "dog"),
        ("picture, 0", "annotator_1", "cat", "undo", ""),
    )
    out = str(tmp_path / "copy")
    said = applying.apply(str(tmp_path / "set"), "train", str(path), out, "a command")
    assert said == f"{out}: 2 labels changed by 5 lines of {path}"
    dataset = dataset_lib.load(out)
    rows = {r.image_id: r.labels for r in rewrite.records(dataset, "train")}
    assert rows["picture, 1"]["annotator_3"] == 0
    assert rows["picture, 1"]["given_annotator_3"] == 1
    assert rows["picture, 3"]["annotator_2"] == 2
    assert rows["picture, 0"]["annotator_1"] == 0
    assert rows["picture, 2"]["annotator_1"] == 1
    notes = dataset.notes["corrections"]
    assert notes["who"] == {"ann": 5} and notes["audits"] == ["abc"]
    assert notes["changed"] == {"annotator_3": 1, "annotator_2": 1}


def test_nothing_to_apply_writes_nothing(tmp_path):
    small.write(tmp_path / "set")
    path, out = tmp_path / "decisions.jsonl", tmp_path / "copy"
    arguments = (str(tmp_path / "set"), "train", str(path), str(out), "")
    with pytest.raises(UserError, match="There is no file of decisions"):
        applying.apply(*arguments)
    write(path, ("picture, 1", "annotator_3", "dog", "keep", "dog"))
    with pytest.raises(UserError, match="changes a label; nothing is written"):
        applying.apply(*arguments)
    write(path, ("picture, 2", "annotator_3", "cat", "take", "dog"))
    with pytest.raises(UserError, match="was about 'cat', but the label is 'dog' now"):
        applying.apply(*arguments)
    assert not out.exists()
