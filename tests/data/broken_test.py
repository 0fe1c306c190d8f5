import pytest
import tensorflow as tf

from kfer.data import broken, record, verification
from kfer.errors import UserError
from tests.data import damaged, prepared


def test_each_fault_is_counted_with_its_reason(tmp_path):
    prepared.write(tmp_path / "set")

    def change(row, serialized):
        whole = record.decode(serialized)
        changed = {
            1: whole._replace(labels={"annotator_1": 10}),
            4: whole._replace(image=b"GIF89a"),
            7: whole._replace(image=prepared.png(7, 16)),
            9: whole._replace(labels={"valence_arousal": (0.5,)}),
            11: whole._replace(labels={"valence_arousal": 3}),
        }
        if row in changed:
            return record.encode(changed[row])
        return {8: damaged.cut(serialized), 12: b"\xff none"}.get(row, serialized)

    dataset = damaged.rewritten(tmp_path / "set", "train", change)
    found = broken.problems(dataset, "train")
    assert [text.split(": ")[0] for text in found] == [
        *("train-1", "train-4", "train-7", "train-8", "train-9", "train-11"),
        "record 12",
    ]
    assert "annotator_1 10 is not in 0..9" in found[0]
    assert "neither PNG nor JPEG" in found[1]
    assert "(16, 16), not (32, 32)" in found[2]
    assert "can't be decoded (Invalid PNG data, size" in found[3]
    assert "has 1 values, expected 2" in found[4] and "has 1 values" in found[5]
    assert broken.problems(dataset, "test") == []


def test_a_picture_that_is_cut_off_is_damage_to_verification(tmp_path):
    prepared.write(tmp_path / "set")
    dataset = damaged.rewritten(
        tmp_path / "set", "test", lambda row, one: damaged.cut(one) if row == 2 else one
    )
    found = verification.problems(dataset)
    assert "record test-2: the picture can't be decoded" in found[0]


def test_what_reading_raises_becomes_one_line_if_the_data_are_to_blame(tmp_path):
    dataset = prepared.write(tmp_path / "set")
    blamed = tf.errors.InvalidArgumentError(None, None, "Invalid PNG data")
    with pytest.raises(tf.errors.InvalidArgumentError), broken.one_line(dataset):
        raise blamed
    bad = damaged.rewritten(
        tmp_path / "set", "test", lambda row, one: damaged.cut(one) if row % 2 else one
    )
    with (
        pytest.raises(
            UserError, match=r"^3 of the 6 records of test in .*first test-1"
        ),
        broken.one_line(bad),
    ):
        raise blamed
    with pytest.raises(tf.errors.UnavailableError), broken.one_line(bad):
        raise tf.errors.UnavailableError(None, None, "a lost worker")


def test_a_changed_shard_is_one_problem(tmp_path):
    dataset = prepared.write(tmp_path / "set")
    path = tmp_path / "set" / dataset.splits["test"].shards[0].file
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    (said,) = broken.problems(dataset, "test")
    assert "has changed since it was written" in said
    assert broken.problems(dataset, "train") == []
