import hashlib

import pytest

from kfer.data import record, shards
from kfer.data.shards import SplitWriter, SplitWriters, Tally
from kfer.errors import UserError
from tests.data import prepared


def tally_of(indices) -> Tally:
    tally = Tally()
    for index in indices:
        tally.add(prepared.make_record(index), prepared.COLUMNS, prepared.CLEAN)
    return tally


def write_shards(folder, count: int, records_per_shard: int = 4):
    writer = SplitWriter(
        str(folder), "train", prepared.COLUMNS, prepared.CLEAN, records_per_shard
    )
    for index in range(count):
        writer.add(prepared.make_record(index))
    return writer.close()


def test_shards_are_numbered_sized_and_hashed(tmp_path):
    infos = write_shards(tmp_path, 10)
    assert [info.file for info in infos] == [
        "train-00000-of-00003.tfrecord",
        "train-00001-of-00003.tfrecord",
        "train-00002-of-00003.tfrecord",
    ]
    assert [info.num_records for info in infos] == [4, 4, 2]
    data = (tmp_path / infos[2].file).read_bytes()
    assert infos[2].num_bytes == len(data)
    assert infos[2].sha256 == hashlib.sha256(data).hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == [i.file for i in infos]


def test_shards_hold_the_records_in_order(tmp_path):
    infos = write_shards(tmp_path, 6)
    read = [
        record.decode(serialized)
        for info in infos
        for serialized in shards.read_shard(str(tmp_path / info.file))
    ]
    assert read == [prepared.make_record(index) for index in range(6)]


def test_shard_info_counts_records_when_not_told(tmp_path):
    (info,) = write_shards(tmp_path, 3)
    assert shards.shard_info(str(tmp_path / info.file)) == info


def test_a_shard_cut_in_a_record_is_an_error(tmp_path):
    (info,) = write_shards(tmp_path, 3)
    path = tmp_path / info.file
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match="is not a whole TFRecord file"):
        list(shards.read_shard(str(path)))


def test_tally_counts_classes_values_and_disagreement():
    # 0..9: annotator_2 is missing on 0 and 5; of 1 2 3 4 6 7 8 9, 4 and 8 are wrong.
    tally = tally_of(range(10))
    assert tally.counts["label/annotator_1"] == [1] * 10
    assert tally.counts["label/annotator_2"] == [0, 1, 1, 1, 0, 1, 1, 1, 0, 2]
    assert tally.given == {
        "label/annotator_1": 10,
        "label/annotator_2": 8,
        "label/valence_arousal": 10,
        "clean/class": 10,
    }
    assert tally.compared == {"annotator_1": (0, 10), "annotator_2": (2, 8)}


def test_tallies_add_up():
    assert tally_of(range(4)) + tally_of(range(4, 10)) == tally_of(range(10))
    assert Tally() + tally_of(range(3)) == tally_of(range(3))


def test_tally_refuses_labels_that_are_none():
    bad = prepared.make_record(0)._replace(labels={"annotator_1": 10})
    with pytest.raises(
        UserError, match=r"Record train-0: annotator_1 10 is not in 0..9"
    ):
        Tally().add(bad, prepared.COLUMNS, prepared.CLEAN)
    bad = bad._replace(labels={"other": 1})
    with pytest.raises(UserError, match=r"has the column 'other'; declared are"):
        Tally().add(bad, prepared.COLUMNS, prepared.CLEAN)


def test_truth_of_prefers_the_same_name():
    column = record.categorical("b", ("x", "y"))
    clean = {name: record.categorical(name, ("x", "y")) for name in "abc"}
    assert shards.truth_of(column, clean) == "b"
    del clean["b"]
    assert shards.truth_of(column, clean) == "a"
    other = record.categorical("b", ("y", "x"))
    assert shards.truth_of(other, clean) == ""
    assert shards.truth_of(record.valence_arousal("a"), clean) == ""


def test_an_id_may_be_used_once_in_all_splits(tmp_path):
    with SplitWriters(str(tmp_path), prepared.COLUMNS, prepared.CLEAN) as writers:
        writers.add("train", prepared.make_record(1))
        with pytest.raises(UserError, match="Two records have the id 'train-1'"):
            writers.add("test", prepared.make_record(1))
