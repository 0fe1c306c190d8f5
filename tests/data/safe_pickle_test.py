import io
import pickle
import pickletools

import numpy as np
import pytest

from kfer.data import safe_pickle
from kfer.errors import UserError

CONTENT = {
    b"data": np.arange(6, dtype=np.uint8).reshape(2, 3),
    b"labels": [1, 2],
    b"filenames": [b"a.png"],
    "text": "ü",
    "big": np.arange(3, dtype=np.int64)[::-1],
}


def load(data: bytes):
    return safe_pickle.load_stream(io.BytesIO(data), "some file")


def python_2_batch(pixels: bytes) -> bytes:
    """What Python 2 wrote for {'data': uint8 [1, len], 'labels': [3]}."""
    size = len(pixels).to_bytes(2, "little")
    return (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03"
        b"cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01M" + size + b"\x86"
        b"cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T"
        + len(pixels).to_bytes(4, "little")
        + pixels
        + b"tbU\x06labelsq\x08]q\tK\x03au."
    )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_and_arrays_come_through(protocol):
    got = load(pickle.dumps(CONTENT, protocol))
    assert list(got) == list(CONTENT)
    for key, value in CONTENT.items():
        np.testing.assert_array_equal(got[key], value)
        assert type(got[key]) is type(value)


def test_files_of_python_2_and_numpy_2_are_read():
    data = python_2_batch(bytes(range(250)) * 2)
    pickletools.dis(data, io.StringIO())
    for text in (data, data.replace(b"numpy.core", b"numpy._core")):
        got = load(text)
        assert got[b"labels"] == [3]
        assert got[b"data"].dtype == np.uint8
        assert got[b"data"].tolist() == [list(range(250)) * 2]


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_globals_of_every_numpy_are_known(core):
    got = load(f"c{core}.numeric\n_frombuffer\n.".encode())
    assert got is safe_pickle._FROM_BUFFER


class Runs:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (pickle.dumps(Runs()), "builtins.exec"),
        (b"cos\nsystem\n(S'exit 1'\ntR.", "os.system"),
        (pickle.dumps(io.BytesIO()), "_io.BytesIO"),
        (b"cnumpy\nload\n.", "numpy.load"),
        (b"cnumpy.core\nmultiarray._reconstruct\n.", "numpy.core.multiarray._rec"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0alib.format\x93.", "numpy.lib.format"),
    ],
)
def test_any_other_object_is_refused_by_name(data, name):
    with pytest.raises(
        UserError, match=rf"some file asks for the Python object {name}"
    ):
        load(data)


def test_text_is_turned_into_bytes_as_latin1_only():
    with pytest.raises(UserError, match=r"_codecs.encode to 'rot13'"):
        load(b"c_codecs\nencode\n(Vabc\nVrot13\ntR.")


@pytest.mark.parametrize("size", [0, 1, 40, -1])
def test_a_cut_file_is_one_line(size):
    with pytest.raises(UserError, match="some file is cut off or no pickle") as caught:
        load(pickle.dumps(CONTENT)[:size])
    assert "\n" not in str(caught.value)


def test_load_reads_a_path(tmp_path):
    (tmp_path / "f").write_bytes(pickle.dumps([1]))
    assert safe_pickle.load(str(tmp_path / "f")) == [1]
    (tmp_path / "f").write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"/f is cut off or no pickle"):
        safe_pickle.load(str(tmp_path / "f"))
