"""Records through a spill file and back."""

from kfer.data import record
from kfer.data.record import Record
from kfer.preprocess import spill

RECORDS = [
    Record("a", b"one", {"mood": ((0, 1), (2, 0))}, {"truth": 1}, "f:1", (), "centre"),
    Record("b", b"three", {"point": (0.5, -0.25)}, {}, "f:2", (), "box"),
]


def test_records_come_back_without_those_left_out(tmp_path):
    other = Record("c", b"x", {"class": 2}, {})
    shards = {("train", 0): RECORDS, ("test", 1): [other]}
    parts = spill.write(str(tmp_path), shards)
    assert len(list(tmp_path.iterdir())) == 1
    assert parts["train", 0].ids == ["a", "b"]
    found = spill.read([parts["train", 0]], set())
    assert [record.decode(row.serialized) for row in found] == RECORDS
    # The summary is what is counted.
    for row, one in zip(found, RECORDS, strict=True):
        assert row.summary == one._replace(image=b"", source="", box=())
    (row,) = spill.read([parts["train", 0], parts["test", 1]], {"a", "b"})
    assert row.image_id == "c" and row.summary.labels == {"class": 2}


def test_a_second_run_writes_beside_the_first(tmp_path):
    one, other = (spill.write(str(tmp_path), {("a", 0): RECORDS}) for _ in range(2))
    assert one["a", 0].file != other["a", 0].file
