from collections import Counter

import pandas as pd
import pytest

from kfer.data.importing import votes
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.tasks import EXPRESSIONS


def of(rows, names=("happy", "sad", "fear", "no_face"), **options):
    cells = pd.DataFrame(rows, columns=names)
    table = Table("t.csv", cells, [*range(2, len(cells) + 2)], "text")
    headers = dict(zip(names, names))
    return votes.of_table(table, headers, TableOptions(**options))


def test_counts_are_drawn_each_vote_once():
    found = of([["2", "1", "", "4"], ["0", "0", "0", "0"], ["x", "1", "1", "1"]])
    assert found.kind == votes.COUNTS and found.target.classes == EXPRESSIONS[:7]
    assert list(found.columns()) == ["annotator_1", "annotator_2", "annotator_3"]
    drawn = found.labels(0, "a")
    assert Counter(drawn.values()) == {1: 2, 2: 1} and drawn == found.labels(0, "a")
    assert found.labels(1, "b") == {}
    assert found.faults == {2: "column 'happy': 'x' votes"}
    assert found.dropped.tolist() == [4, 0, 1]


def test_fewer_votes_than_label_sets_leave_the_rest_missing():
    assert len(of([["1", "1", "0", "0"]]).labels(0, "a")) == 2


def test_shares_are_drawn_at_their_rate():
    found = of([["0.75", "0.25", "0", "0"]], num_annotators=3)
    assert found.kind == votes.SHARES
    drawn = Counter(v for i in range(400) for v in found.labels(0, str(i)).values())
    assert set(drawn) == {1, 2} and drawn[1] / 1200 == pytest.approx(0.75, abs=0.05)


def test_one_hot_is_one_label():
    found = of([["0", "1", "0"], ["0", "0", "1"]], ("a", "b", "c"))
    assert found.kind == votes.ONE_HOT and found.target.classes == ("a", "b", "c")
    assert [found.labels(i, "") for i in (0, 1)] == [{"label": 1}, {"label": 2}]
    assert "one-hot" in found.describe()


def test_no_votes():
    assert votes.of_table(None, {}, TableOptions()) is None
