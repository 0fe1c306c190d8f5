"""The pure parts of the Beam pipeline, and its transforms on a TestPipeline."""

import numpy as np
import pytest

pipeline = pytest.importorskip("kfer.preprocess.pipeline")


def picture(name, split, data=b"a", reason=""):
    return pipeline.Picture(data, split, name, reason, "", "f:1")


def test_shards_are_ranges_of_places():
    assert pipeline.shard_of(0, 4) == 0
    assert pipeline.shard_of(2**62 - 1, 4) == 0
    assert pipeline.shard_of(2**62, 4) == 1
    assert pipeline.shard_of(2**64 - 1, 4) == 3


def test_places_spread_evenly_and_depend_on_the_id_alone():
    shards = [pipeline.shard_of(pipeline.place_of(f"i{n}"), 4) for n in range(4000)]
    # 1000 a shard, give or take 5 standard deviations of 27.
    assert np.abs(np.bincount(shards) - 1000).max() < 140
    assert pipeline.place_of("a") != pipeline.place_of("b")


def test_leaks_stay_in_the_earliest_split():
    pictures = [
        picture("1", "test"),
        picture("2", "train"),
        picture("3", "valid"),
        picture("4", "train"),
        picture("5", "test", b"b"),
        picture("6", "valid", b"b"),
    ]
    found = pipeline.find_leaks((0, [pictures[:3], pictures[3:]]), True)
    assert {row.image_id: row.reason for row in found} == {
        "1": "leak: test picture also in train",
        "3": "leak: valid picture also in train",
        "5": "leak: test picture also in valid",
    }


def test_rejected_pictures_keep_their_reason_unless_they_are_leaks():
    pictures = [
        picture("1", "train", reason="no expression: unknown"),
        picture("2", "test", reason="no expression: unknown"),
    ]
    found = {r.image_id: r.reason for r in pipeline.find_leaks((0, [pictures]), True)}
    assert found == {
        "1": "no expression: unknown",
        "2": "leak: test picture also in train",
    }
    found = {r.image_id: r.reason for r in pipeline.find_leaks((0, [pictures]), False)}
    assert set(found.values()) == {"no expression: unknown"}


def test_equal_pictures_share_a_bucket():
    pictures = [picture(str(i), "train", bytes([i % 100])) for i in range(300)]
    buckets = dict(pipeline.by_bucket(pictures))
    assert sum(map(len, buckets.values())) == 300
    assert len(buckets) == pipeline.LEAK_BUCKETS
    for part in buckets.values():
        names = {p.fingerprint for p in part}
        assert sum(p.fingerprint in names for p in pictures) == len(part)


def test_find_leaks_in_a_pipeline():
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to

    parts = [[picture("1", "test")], [picture("2", "train"), picture("3", "train")]]
    with beam.Pipeline("FnApiRunner") as p:
        found = (
            p
            | beam.Create(parts)
            | beam.FlatMap(pipeline.by_bucket)
            | beam.GroupByKey()
            | beam.FlatMap(pipeline.find_leaks, remove=True)
            | beam.Map(lambda row: (row.image_id, row.reason))
        )
        assert_that(found, equal_to([("1", "leak: test picture also in train")]))
