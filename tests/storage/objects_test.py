"""What stores hold and refuse: S3's API as moto serves it, and fsspec's memory."""

import fsspec
import pytest

from kfer.errors import StoreError, UserError
from kfer.storage import objects
from tests import stores


@pytest.fixture(scope="module")
def s3():
    with stores.s3("faces"):
        store = fsspec.filesystem("s3")
        store.pipe_file("faces/some/a", b"one")
        store.pipe_file("faces/some/sub/b.txt", b"two")
        store.pipe_file("faces/some/sub/", b"")
        yield store


@pytest.fixture(scope="module")
def put_raw(s3):
    """Makes an object of any key; fsspec would mend some."""
    botocore = pytest.importorskip("botocore.session")
    client = botocore.get_session().create_client("s3")
    return lambda key: client.put_object(Bucket="faces", Key=key, Body=b"x")


def test_objects_are_told_by_key_size_and_mark(s3):
    found = objects.Place("s3://faces/some/").objects()
    assert {key: one.size for key, one in found.items()} == {"a": 3, "sub/b.txt": 3}
    # MD5 of b"one" and b"two": what S3 calls an ETag
    assert [one.mark for one in found.values()] == [
        "f97c5d29941bfb1b2fdab0874906ab82",
        "b8a9f715dbb64fd5c56e7783c6820a61",
    ]
    alone = objects.Place("s3://faces/some/a").objects()
    assert [*alone] == [""]
    assert objects.Place("s3://faces/nothing").objects() == {}
    assert [*objects.Place("s3://faces").objects()][:2] == ["some/a", "some/sub/b.txt"]


@pytest.mark.parametrize(
    "key", ("1/../../etc/passwd", "2//b", "3/./x", "4/a\\b", f"5/{'x' * 256}")
)
def test_a_key_that_can_be_no_file_below_the_folder_is_refused(put_raw, key):
    put_raw(key)
    with pytest.raises(UserError, match="can be no file below a folder; rename"):
        objects.Place(f"s3://faces/{key[0]}").objects()


def test_a_listing_of_what_lies_elsewhere_is_refused(monkeypatch):
    place = objects.Place("memory://a/b")
    elsewhere = {"/a/bc": {"type": "file", "size": 1}}
    monkeypatch.setattr(place._store, "find", lambda *_, **__: elsewhere)
    with pytest.raises(UserError, match="lists '/a/bc', which isn't below it"):
        place.objects()


@pytest.mark.parametrize("name", ("modificationTime", "modify"))
def test_times_by_other_names_are_marks_too(monkeypatch, name):
    # of webhdfs, and of ftp
    place = objects.Place("memory://a/b")
    found = {"/a/b/x": {"type": "file", "size": 1, name: 1700000000}}
    monkeypatch.setattr(place._store, "find", lambda *_, **__: found)
    assert place.objects() == {"x": objects.Object(1, "1700000000")}


def test_a_store_that_tells_no_change_is_refused(monkeypatch):
    place = objects.Place("memory://a/b")
    found = {"/a/b/x": {"type": "file", "size": 1}}
    monkeypatch.setattr(place._store, "find", lambda *_, **__: found)
    with pytest.raises(UserError, match="a/b doesn't tell when x changed"):
        place.objects()


def test_objects_come_and_go_whole(s3, tmp_path):
    place = objects.Place("s3://faces/copy")
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "sub" / "b").write_bytes(b"23")
    place.put(str(tmp_path), ["a", "sub/b"])
    assert stores.content("s3://faces/copy") == {"a": b"1", "sub/b": b"23"}
    place.get({"sub/b": str(tmp_path / "back" / "b")})
    assert (tmp_path / "back" / "b").read_bytes() == b"23"
    assert place.read("a") == b"1"
    place.remove(["a", "sub/b"])
    assert place.objects() == {}
    alone = objects.Place("s3://faces/alone.txt")
    alone.put_file(str(tmp_path / "a"))
    assert s3.cat_file("faces/alone.txt") == b"1"


@pytest.mark.parametrize("place", ("s3://faces/claims", "memory://claims"))
def test_a_new_object_is_made_once(s3, place):
    place = objects.Place(place)
    assert place.put_new("n", b"mine")
    assert not place.put_new("n", b"theirs")
    assert place.read("n") == b"mine"


def test_a_bucket_that_is_not_there_is_one_line(s3):
    with pytest.raises(StoreError, match="^There is no s3://nope/a: the store knows"):
        objects.Place("s3://nope/a").objects()
    with pytest.raises(StoreError, match="There is no s3://nope/a"):
        objects.Place("s3://nope/a").put_new("x", b"1")


def test_what_a_library_raises_is_one_line_without_what_it_signed():
    with pytest.raises(StoreError) as caught:
        with objects.one_line("s3://b/x"):
            raise RuntimeError(
                "no http://me:pw@host/x?X-Amz-Signature=abc&y answers\n2"
            )
    assert str(caught.value) == (
        "s3://b/x can't be reached: RuntimeError: no http://host/x answers; check its "
        "address, your credentials and their rights, then run the same command again"
    )
    with pytest.raises(StoreError, match="PermissionError: Forbidden; check"):
        with objects.one_line("s3://b/x"):
            raise PermissionError("Forbidden")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://", "is no place in an object store"),
        ("https://host/x", "is no place in an object store"),
        ("simplecache::s3://b/x", "is no place in an object store"),
        ("odd://b/x", "fsspec knows no store 'odd'"),
        ("s3://id:secret@b/x", "^A place has a password in its address; give it"),
    ],
)
def test_what_is_no_place_is_refused(place, said):
    with pytest.raises(UserError, match=said) as caught:
        objects.Place(place)
    assert "secret" not in str(caught.value)


def test_a_library_that_is_missing_is_named(monkeypatch):
    def missing(scheme):
        raise ImportError("Please install gcsfs to access Google Storage")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(UserError, match="gs://b/x needs a library: Please install gcs"):
        objects.Place("gs://b/x")
