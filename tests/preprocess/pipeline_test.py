"""The transforms of the Beam pipeline; job_test runs it whole."""

import pytest

from kfer.preprocess import steps

beam = pytest.importorskip("apache_beam")


def picture(name, split, data=b"a", reason=""):
    return steps.Picture(data, split, name, reason, "", "f:1")


def test_find_leaks_in_a_pipeline():
    from apache_beam.testing.util import assert_that, equal_to

    parts = [[picture("1", "test")], [picture("2", "train"), picture("3", "train")]]
    with beam.Pipeline("FnApiRunner") as p:
        found = (
            p
            | beam.Create(parts)
            | beam.FlatMap(steps.by_bucket)
            | beam.GroupByKey()
            | beam.FlatMap(steps.find_leaks, remove=True)
            | beam.Map(lambda row: (row.image_id, row.reason))
        )
        assert_that(found, equal_to([("1", "leak: test picture also in train")]))
