"""Annotation files of others, as kfer-preprocess --dataset=manifest reads them."""

import pytest

from kfer.data.datasets import ReaderOptions, manifest
from kfer.data.record import Rejected
from kfer.errors import UserError
from kfer.tasks import EXPRESSIONS
from tests.data import shared_cases


def read(name, tmp_path, **table):
    root = shared_cases.make(name, str(tmp_path))
    options = ReaderOptions(table=table or None)
    rows = list(manifest.read(root, options))
    return rows, manifest.columns_in(root, options)


def test_annotators_values_are_values(tmp_path):
    with pytest.raises(UserError, match=r"line 2, column 'annotator:ann:valence'"):
        read("annotator_values", tmp_path)
    scales = {"valence": (1, 9), "arousal": (1, 9)}
    rows, columns = read("annotator_values", tmp_path, scales=scales)
    assert [(c.name, c.target, c.kind) for c in columns.values()] == [
        ("annotator_ann_valence_arousal", "valence_arousal", "continuous")
    ]
    assert all(len(row.labels) == 1 for row in rows)


def test_annotators_numbers_are_in_the_order_of_the_expressions(tmp_path):
    rows, _ = read("raf_annotators", tmp_path)
    assert len(rows) == 21
    assert all(row.labels["expression"] == row.labels["annotator_ann"] for row in rows)
    assert EXPRESSIONS[rows[0].labels["expression"]] == "surprise"


def test_long_digits_and_lone_surrogates_set_one_row_aside(tmp_path):
    for name in ("long_digits", "lone_surrogate"):
        (tmp_path / name).mkdir()
        rows, _ = read(name, tmp_path / name)
        assert [isinstance(row, Rejected) for row in rows] == [False, True], name


def test_values_on_a_scale_of_one_to_nine(tmp_path):
    rows, _ = read("scale_1_to_9", tmp_path)
    assert "outside [-1, 1]" in next(r for r in rows if isinstance(r, Rejected)).detail
    scales = {"valence": (1, 9), "arousal": (1, 9)}
    rows, _ = read("scale_1_to_9", tmp_path, scales=scales)
    assert len(rows) == 20 and not any(isinstance(row, Rejected) for row in rows)


def test_semicolons_and_decimal_commas(tmp_path):
    rows, _ = read("semicolons", tmp_path)
    assert len(rows) == 20
    assert {row.labels["valence_arousal"] for row in rows} == {(0.5, -0.25)}


def test_long_format(tmp_path):
    rows, columns = read("long_format", tmp_path)
    assert len(rows) == 20 and all(len(row.labels) == 3 for row in rows)
    assert list(columns) == ["annotator_ann", "annotator_bob", "annotator_eve"]
    assert rows[0].labels == dict(zip(columns, (0, 1, 2)))
    assert {row.split for row in rows} == {"train"}


def test_own_classes(tmp_path):
    rows, columns = read("own_classes", tmp_path)
    assert columns["annotator_a"].classes == ("bored", "confused", "engaged")
    assert rows[0].labels == dict(zip(columns, (0, 2, 1)))


def test_vote_counts(tmp_path):
    rows, columns = read("vote_counts", tmp_path)
    drawn = ["annotator_1", "annotator_2", "annotator_3"]
    assert list(columns) == [*drawn, "votes"] and len(rows) == 20
    # Three votes for one class and two for the next: all five are these two.
    for i, row in enumerate(rows):
        assert {row.labels[name] for name in drawn} <= {i % 7, (i + 1) % 7}
        votes = [0.0] * 7
        votes[i % 7], votes[(i + 1) % 7] = 3.0, 2.0
        assert row.labels["votes"] == tuple(votes)


def test_missing_words_are_missing_cells(tmp_path):
    rows, _ = read("missing_words", tmp_path)
    assert len(rows) == 20 and not any(isinstance(row, Rejected) for row in rows)
    assert sum("annotator_a" in row.labels for row in rows) == 10
