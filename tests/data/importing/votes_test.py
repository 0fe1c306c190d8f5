from collections import Counter

import pandas as pd
import pytest

from kfer.data.importing import votes
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.errors import UserError
from kfer.tasks import EXPRESSIONS


def of(rows, names=("happy", "sad", "fear", "no_face"), **options):
    cells = pd.DataFrame(rows, columns=names)
    table = Table("t.csv", cells, [*range(2, len(cells) + 2)], "text")
    headers = dict(zip(names, names))
    return votes.of_table(table, headers, TableOptions(**options))


def test_counts_are_drawn_each_vote_once():
    found = of([["2", "1", "", "4"], ["0", "0", "0", "0"], ["x", "1", "1", "1"]])
    assert found.kind == votes.COUNTS and found.target.classes == EXPRESSIONS[:7]
    sets = ["annotator_1", "annotator_2", "annotator_3"]
    assert list(found.columns()) == [*sets, "votes"]
    votes_ = found.columns()["votes"]
    assert (votes_.kind, votes_.target) == ("votes", "expression")
    drawn = found.labels(0, "a")
    assert drawn == found.labels(0, "a")
    assert drawn.pop("votes") == (0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert Counter(drawn.values()) == {1: 2, 2: 1}
    assert found.labels(1, "b") == {}
    assert found.faults == {2: "column 'happy': 'x' votes"}
    assert found.dropped.tolist() == [4, 0, 1]


def test_fewer_votes_than_label_sets_leave_the_rest_missing():
    assert set(of([["1", "1", "0", "0"]]).labels(0, "a")) == {
        "annotator_1",
        "annotator_2",
        "votes",
    }


def test_shares_are_drawn_at_their_rate():
    found = of([["0.75", "0.25", "0", "0"]], num_annotators=3)
    assert found.kind == votes.SHARES
    rows = [found.labels(0, str(i)) for i in range(400)]
    assert {row.pop("votes")[1:3] for row in rows} == {(0.75, 0.25)}
    drawn = Counter(v for row in rows for v in row.values())
    assert set(drawn) == {1, 2} and drawn[1] / 1200 == pytest.approx(0.75, abs=0.05)


def test_per_cent_are_shares_though_they_are_whole():
    assert of([["70%", "20%", "", "10%"]]).kind == votes.SHARES
    assert of([["70", "20", "", "10"]]).kind == votes.COUNTS


def test_one_hot_is_one_label():
    found = of([["0", "1", "0"], ["0", "0", "1"]], ("a", "b", "c"))
    assert found.kind == votes.ONE_HOT and found.target.classes == ("a", "b", "c")
    assert [found.labels(i, "") for i in (0, 1)] == [{"label": 1}, {"label": 2}]
    assert "one-hot" in found.describe()


def test_a_few_rows_with_two_marks_are_faults_of_one_hot_labels():
    rows = [["1", "0", "0"]] * 40 + [["1", "1", "0"]]
    found = of(rows, ("a", "b", "c"))
    assert found.kind == votes.ONE_HOT
    assert found.faults == {40: "2 classes are marked, expected one"}
    assert of(rows + [["1", "1", "0"]] * 9, ("a", "b", "c")).kind == votes.COUNTS


def test_own_classes_beside_expressions_lose_no_vote():
    found = of([["2", "0", "5"]], ("happy", "sad", "bored"))
    assert found.target.classes == ("happy", "sad", "bored")
    assert found.counts.tolist() == [[2, 0, 5]] and found.dropped.tolist() == [0]


def test_one_hot_labels_of_a_long_table_are_the_annotators():
    names = ("happy", "sad", "unknown")
    rows = [["0", "1", "0"], ["0", "0", "1"], ["0", "0", "0"]]
    cells = pd.DataFrame(rows, columns=names)
    table = Table("t.csv", cells, [2, 3, 4], "text")
    headers = dict(zip(names, names))
    label, coded = votes.one_each(table, of(rows, names), headers)
    assert (label.what, coded.codes.tolist()) == ("expression", [2, -1, -1])
    assert coded.faults == {1: ("no expression: no class", "no class marked")}
    with pytest.raises(UserError, match="vote counts in happy, sad, unknown and sever"):
        votes.one_each(table, of([["2", "1", "0"]], names), headers)


def test_no_votes():
    assert votes.of_table(None, {}, TableOptions()) is None


def test_a_heap_of_votes_is_drawn_without_laying_it_out():
    rows = [["1000000000", "1", "0", "0"], ["1000000001", "2000000000", "0", "0"]]
    found = of(rows)
    drawn = [found.labels(1, str(i)) for i in range(200)]
    assert drawn[0] == found.labels(1, "0")
    shares = Counter(row["annotator_2"] for row in drawn)
    assert set(shares) == {1, 2} and 40 < shares[1] < 95
    first = found.labels(0, "a")
    assert [first[f"annotator_{i}"] for i in (1, 2, 3)] == [1, 1, 1]
    rare = of([["10001", "1", "1", "0"]], num_annotators=10_003).labels(0, "a")
    rare.pop("votes")
    assert Counter(rare.values()) == {1: 10_001, 2: 1, 4: 1}
    endless = of([["1e308", "1e308", "1", "0"], ["3", "1", "1", "0"]])
    assert endless.faults == {0: "column 'sad': '1e308' votes"}
