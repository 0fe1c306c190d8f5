"""Object stores are reached through a mount or refused, never taken for folders."""

import pytest

from kfer.errors import UserError
from kfer.storage import places


def test_paths_stay_as_they_are():
    for path in ("", "/a/b", "a/b", "C:/x", "odd:/name", "pictures:1/x"):
        assert places.local(path, "--root") == path
    assert places.local("file:///a/b", "--root") == "/a/b"


@pytest.mark.parametrize("place", ("gs://bucket/kfer", "s3://b", "hdfs://host/x"))
def test_stores_are_refused_by_name(place):
    with pytest.raises(UserError, match=f"--root is {place}, .*mount the bucket"):
        places.local(place, "--root")


def test_a_mounted_bucket_is_its_path(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "GCS_MOUNT", str(tmp_path))
    (tmp_path / "bucket").mkdir()
    assert places.local("gs://bucket/a/b", "x") == f"{tmp_path}/bucket/a/b"
    with pytest.raises(UserError, match="gs://other/a"):
        places.local("gs://other/a", "x")
    with pytest.raises(UserError, match="s3://bucket/a"):
        places.local("s3://bucket/a", "x")
