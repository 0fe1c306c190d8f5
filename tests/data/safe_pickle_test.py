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
def test_arrays_of_every_numpy_are_read(core):
    kind = b"cnumpy\ndtype\n(Vi2\ntR(I3\nV>\nNNNI-1\nI-1\nI0\ntb"
    data = f"c{core}.numeric\n_frombuffer\n(".encode()
    got = load(data + b"C\x04\x01\x02\x00\x05" + kind + b"(I2\ntVC\ntR.")
    assert got.dtype == np.dtype(">i2") and got.tolist() == [0x102, 5]


def array(shape=b"(I2\nt", kind=b"Vu1\n", state=b"NNN", content=b"C\x02ab"):
    """A pickled array of bytes, whose parts may be others than NumPy writes."""
    dtype = b"cnumpy\ndtype\n(" + kind + b"tR(I3\nV|\n" + state + b"I-1\nI-1\nI63\ntb"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR"
        b"(I1\n" + shape + dtype + b"I00\n" + content + b"tb."
    )


def test_arrays_that_numpy_would_take_on_trust():
    # Even with the flags of objects (63) its bytes are numbers.
    assert load(array()).tolist() == [97, 98]
    for wrong, reason in (
        ({"shape": b"(I1000000000\nt"}, "buffer is too small"),
        ({"shape": b"(I1\nt"}, "2 bytes for an array of 1"),
        ({"kind": b"VO8\n"}, "arrays of 'O8'"),
        ({"kind": b"VV8\n"}, "arrays of 'V8'"),
        ({"state": b"N(Va\ntN"}, "arrays of records"),
        ({"content": b"(I1\nl"}, "content as list"),
    ):
        with pytest.raises(UserError, match=reason):
            load(array(**wrong))


def test_a_place_in_memory_that_the_file_could_not_fill():
    """LONG_BINPUT makes the unpickler allot all places before it, here 32 GB."""
    with pytest.raises(UserError, match="memory for 2000000000 values"):
        load(b"\x80\x02Nr" + (2_000_000_000).to_bytes(4, "little") + b".")


def test_an_array_that_stands_in_two_places_stays_one():
    one = np.arange(3)
    got = load(pickle.dumps({"a": [one, (one,)], "b": one}, 4))
    assert got["a"][0] is got["b"] and got["a"][1][0] is got["b"]


@pytest.mark.parametrize("data", [b"cnumpy\nndarray\n.", b"cnumpy\ndtype\n(Vu1\ntR."])
def test_half_an_array_is_none(data):
    with pytest.raises(UserError, match="half an array"):
        load(data)


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
