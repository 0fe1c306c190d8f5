"""The steps of the job by themselves; job_test runs them all."""

import numpy as np

from kfer.preprocess import steps


def picture(name, split, data=b"a", reason=""):
    return steps.Picture(data, split, name, reason, "", "f:1")


def test_shards_are_ranges_of_places():
    assert steps.shard_of(0, 4) == 0
    assert steps.shard_of(2**62 - 1, 4) == 0
    assert steps.shard_of(2**62, 4) == 1
    assert steps.shard_of(2**64 - 1, 4) == 3


def test_places_spread_evenly_and_depend_on_the_id_alone():
    shards = [steps.shard_of(steps.place_of(f"i{n}"), 4) for n in range(4000)]
    # 1000 a shard, give or take 5 standard deviations of 27.
    assert np.abs(np.bincount(shards) - 1000).max() < 140
    assert steps.place_of("a") != steps.place_of("b")


def test_leaks_stay_in_the_earliest_split():
    pictures = [
        picture("1", "test"),
        picture("2", "train"),
        picture("3", "valid"),
        picture("4", "train"),
        picture("5", "test", b"b"),
        picture("6", "valid", b"b"),
    ]
    found = steps.find_leaks((0, [pictures[:3], pictures[3:]]), True)
    assert {row.image_id: row.reason for row in found} == {
        "1": "leak: test picture also in train",
        "3": "leak: valid picture also in train",
        "5": "leak: test picture also in valid",
    }


def test_leaks_may_stay_in_the_last_split():
    pictures = [picture("1", "test"), picture("2", "train"), picture("3", "valid")]
    order = ("test", "valid", "train")
    found = steps.find_leaks((0, [pictures]), True, order)
    assert {row.image_id: row.reason for row in found} == {
        "2": "leak: train picture also in test",
        "3": "leak: valid picture also in test",
    }


def test_rejected_pictures_keep_their_reason_unless_they_are_leaks():
    pictures = [
        picture("1", "train", reason="no expression: unknown"),
        picture("2", "test", reason="no expression: unknown"),
    ]
    found = {r.image_id: r.reason for r in steps.find_leaks((0, [pictures]), True)}
    assert found == {
        "1": "no expression: unknown",
        "2": "leak: test picture also in train",
    }
    found = {r.image_id: r.reason for r in steps.find_leaks((0, [pictures]), False)}
    assert set(found.values()) == {"no expression: unknown"}


def test_equal_pictures_share_a_bucket():
    pictures = [picture(str(i), "train", bytes([i % 100])) for i in range(300)]
    buckets = dict(steps.by_bucket(pictures))
    assert sum(map(len, buckets.values())) == 300
    assert len(buckets) == steps.LEAK_BUCKETS
    for part in buckets.values():
        names = {p.fingerprint for p in part}
        assert sum(p.fingerprint in names for p in pictures) == len(part)


def test_rejected_rows_are_written_in_order_and_counted(tmp_path):
    plan = steps.Plan(None, str(tmp_path), {}, {}, {})
    rows = [steps.Rejected(name, "zero bytes", "", f"f:{name}") for name in "ba"]
    assert steps.write_rejected([rows[:1], [], rows[1:]], plan) == {"zero bytes": 2}
    lines = (tmp_path / "rejected").read_text().splitlines()
    assert [line[2] for line in lines] == ["a", "b"]
