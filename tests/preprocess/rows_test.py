"""Rows on their way to the workers."""

import numpy as np
import pytest

from kfer.data import record
from kfer.data.datasets import ReaderOptions
from kfer.data.record import RawExample, Rejected
from kfer.preprocess import rows
from kfer.preprocess.rows import Row


def example(image, image_id="id") -> RawExample:
    labels = {"expression": 3, "valence_arousal": (0.1, -1 / 3)}
    return RawExample(
        image_id,
        "train",
        image,
        labels,
        {},
        "f:1",
        ((1.5, 2.0), (3.0, 4.25)),
        (1, 2, 3, 4),
    )


@pytest.mark.parametrize("image", ["a/b \u00e9.png", b"\x00\xff bytes"])
def test_an_example_comes_back_as_it_was(image):
    row = Row(example(image), None)
    assert rows.from_json(rows.to_json(row)) == row


def test_pixels_come_back_as_they_were():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    back = rows.from_json(rows.to_json(Row(example(pixels), None))).example
    np.testing.assert_array_equal(back.image, pixels)
    assert back._replace(image="") == example("")


def test_a_rejected_row_comes_back_with_and_without_its_picture():
    rejected = Rejected("id", "reason", "detail", "f:2")
    for row in (Row(None, rejected), Row(example("a.png"), rejected)):
        assert rows.from_json(rows.to_json(row)) == row


class Module:
    """A reader of fixed items."""

    def __init__(self, *items):
        self.items = items

    def columns(self, options):
        return {
            "expression": record.categorical("expression", tuple("abcd")),
            "valence_arousal": record.valence_arousal(),
        }

    def clean_columns(self, options):
        return {}

    def read(self, root, options):
        yield from self.items


def test_duplicates_and_labels_out_of_range_are_set_aside():
    wrong = example("w", "wrong")._replace(labels={"expression": 4})
    other = example("o", "other")._replace(labels={"age": 4})
    found = list(
        rows.read(Module(example("a"), example("b"), wrong, other), "", ReaderOptions())
    )
    assert found[0] == Row(example("a"), None)
    assert [row.rejected.reason for row in found[1:]] == [
        "duplicate id",
        "label out of range",
        "label out of range",
    ]
    assert found[2].rejected.detail == "expression 4 is not in 0..3"
    assert found[3].rejected.detail == "undeclared column age"


def test_a_split_is_cut_to_its_first_examples():
    rejected = Rejected("r", "reason", "", "")
    wrong = example("w", "wrong")._replace(labels={"expression": 4})
    test = [example("t", f"t{i}")._replace(split="test") for i in range(3)]
    train = [example("x", str(i)) for i in range(3)]
    module = Module(wrong, *train, rejected, *test, example("x", "0"))
    options = ReaderOptions(limit={"train": 2, "test": 0})
    found = list(rows.read(module, "", options))
    # What is set aside before the split is full counts, and so does what has no split.
    assert [row.rejected and row.rejected.reason for row in found] == [
        "label out of range",
        None,
        None,
        "reason",
    ]
    assert [row.example for row in found[1:3]] == train[:2]
    # A split without a limit is whole.
    found = list(rows.read(module, "", ReaderOptions(limit={"test": 1})))
    assert [row.example.split for row in found if row.rejected is None] == [
        *3 * ["train"],
        "test",
    ]


def test_chunks_tell_how_far_values_are_from_their_truth(tmp_path):
    truth = {"expression": 3, "valence_arousal": (0.5, 0.0)}
    given = [
        example("x", str(i))._replace(
            labels={"valence_arousal": (value, 0.0), "expression": 1}, clean=truth
        )
        for i, value in enumerate((0.2, 0.9))
    ]
    other = example("x", "t")._replace(clean=truth, split="test")
    items = [Row(e, None) for e in (*given, example("x", "unknown"), other)]
    noise = rows.write_chunks(items, str(tmp_path), {}).value_noise
    # Errors -.3 and +.4: sqrt((.09 + .16) / 2) = .35355; the test split doesn't count.
    assert list(noise) == ["valence_arousal"]
    assert noise["valence_arousal"]["compared"] == 2
    assert noise["valence_arousal"]["rmse"] == pytest.approx([0.35355, 0.0], abs=1e-5)
    assert noise["valence_arousal"]["bias"] == pytest.approx([0.05, 0.0])


def test_chunks_hold_all_rows_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 3)
    given = [Row(example("x", str(i)), None) for i in range(6)]
    given.append(Row(None, Rejected("r", "reason", "", "")))
    read = rows.write_chunks(given, str(tmp_path), {"4": {"expression": 0}})
    assert (read.rows, read.splits, read.rejected) == (7, {"train": 6}, {"reason": 1})
    lines = []
    for chunk in read.chunks:
        with open(chunk, encoding="utf-8") as file:
            lines.append([rows.from_json(line) for line in file])
    assert [len(part) for part in lines] == [3, 3, 1]
    flat = [row for part in lines for row in part]
    assert flat[4].example.labels == {"expression": 0}
    assert [*flat[:4], *flat[5:]] == [*given[:4], *given[5:]]
