"""Reading labels without pictures."""

import dataclasses

import numpy as np
import pytest

from kfer.audit import label_sets
from kfer.data import record
from kfer.errors import UserError
from tests.audit import small
from tests.data import prepared


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return small.write(tmp_path_factory.mktemp("label_sets") / "set")


def test_labels_by_column(dataset):
    sets = label_sets.read(dataset, "train")
    assert sets.ids == [f"picture, {i}" for i in range(6)]
    np.testing.assert_array_equal(sets.labels["annotator_3"], [0, 1, 1, 1, -1, -1])
    np.testing.assert_array_equal(sets.labels["annotator_4"], [-1] * 6)
    np.testing.assert_array_equal(sets.clean["class"], [0, 0, 1, 1, 2, 0])
    np.testing.assert_allclose(sets.labels["value_2"][3], (0.4, -0.4), atol=1e-6)
    assert np.isnan(sets.labels["value_2"][5]).all()
    assert sets.annotators() == [f"annotator_{i}" for i in (1, 2, 3, 4)]
    assert sets.derived() == ["first"]
    assert sets.values() == [["value_1", "value_2"]]
    assert sets.truth("annotator_1")[0] == "class"
    assert sets.truth("value_1")[0] == "valence_arousal"


def test_truth_without_a_value_is_none(tmp_path):
    sets = label_sets.read(small.write(tmp_path / "set", truth=False), "train")
    assert sets.truth("annotator_1") == ("", None) == sets.truth("value_1")


def test_without_annotator_columns_every_class_column_counts():
    columns = {"expression": record.categorical("expression", ("a", "b"))}
    sets = label_sets.LabelSets([], {}, {}, columns, {})
    assert sets.annotators() == ["expression"] and sets.derived() == []


def test_annotators_of_different_classes_are_refused():
    columns = {
        "annotator_1": record.categorical("annotator_1", ("a", "b")),
        "annotator_2": record.categorical("annotator_2", ("b", "a")),
    }
    sets = label_sets.LabelSets([], {}, {}, columns, {})
    with pytest.raises(UserError, match="annotator_2 have 2 different lists of class"):
        sets.annotators()


def test_what_cannot_be_read_is_counted(dataset):
    with pytest.raises(
        UserError, match=r"None of the 1 pictures of test .*\['train'\]"
    ):
        label_sets.read(dataset, "test")
    with pytest.raises(UserError, match="no examples in a split 'valid'"):
        label_sets.read(dataset, "valid")
    info = dataclasses.replace(dataset.splits["train"], num_records=7)
    other = dataclasses.replace(dataset, splits={"train": info})
    with pytest.raises(UserError, match="has 6 pictures in train, its labels are of 7"):
        label_sets.read(other, "train")


def test_what_was_given_before_a_correction_is_no_annotator():
    columns = {
        name: record.categorical(name, ("a", "b"))
        for name in ("expression", "given_expression")
    }
    columns["given_va"] = record.valence_arousal("given_va")
    sets = label_sets.LabelSets([], {}, {}, columns, {})
    assert sets.annotators() == ["expression"] and sets.values() == []
    assert sets.derived() == ["given_expression"]


def test_pictures_of_rows_in_their_order(dataset):
    found = label_sets.encoded_pictures(dataset, "train", [4, 0])
    assert found == [prepared.png(4, 8), prepared.png(0, 8)]
