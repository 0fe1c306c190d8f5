"""Pickles from outside, restricted to plain values and arrays of numbers or text.

An unrestricted pickle runs whatever code its author put into it. Here every global
outside a short list is refused before anything is called, and what stands for NumPy's
own classes is this module's: NumPy's take shapes and flags from the pickle on trust.
"""

import codecs
import io
import pickle
import pickletools
import re
from typing import Any, BinaryIO

import numpy as np

from kfer.errors import UserError

# Letters of a reason that are shown.
_LONGEST = 200
_STORES = ("PUT", "BINPUT", "LONG_BINPUT")
# Numbers, truth values and text of a fixed size; nothing that holds objects.
_KIND = re.compile(r"[biufcSU]\d{1,4}")


class _Forbidden(Exception):
    """A global that is none of ours; its text names it."""


class _Dtype:
    """What numpy.dtype is while a pickle is read."""

    def __init__(self, kind: str | bytes, *flags: Any):
        del flags
        name = kind.decode() if isinstance(kind, bytes) else kind
        if not _KIND.fullmatch(name):
            raise pickle.UnpicklingError(f"arrays of {name!r}")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple) -> None:
        _, order, *parts = state
        if any(part is not None for part in parts[:3]):
            raise pickle.UnpicklingError("arrays of records")
        letter = order.decode() if isinstance(order, bytes) else order
        self.dtype = self.dtype.newbyteorder(letter)


class _Array:
    """What an array is while a pickle is read."""

    value: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, is_fortran, content = state
        self.value = _array(content, kind, shape, "F" if is_fortran else "C")


def _array(content: Any, kind: _Dtype, shape: tuple, order: str) -> np.ndarray:
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError(f"an array's content as {type(content).__name__}")
    found: np.ndarray = np.ndarray(shape, kind.dtype, bytes(content), order=order)
    if found.nbytes != len(content):
        raise pickle.UnpicklingError(
            f"{len(content)} bytes for an array of {found.nbytes}"
        )
    return found.copy(order)


def _reconstruct(*arguments: Any) -> _Array:
    del arguments  # a class and a shape of 0, which its state tells again
    return _Array()


def _from_buffer(content: Any, kind: _Dtype, shape: tuple, order: str) -> _Array:
    found = _Array()
    found.value = _array(content, kind, shape, order)
    return found


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"_codecs.encode to {encoding!r}")
    return codecs.encode(text, "latin1")


# What pickled arrays name, under the module names of all NumPy releases.
_ALLOWED = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}
for _core in ("numpy.core", "numpy._core"):
    _ALLOWED[(f"{_core}.multiarray", "_reconstruct")] = _reconstruct
    _ALLOWED[(f"{_core}.numeric", "_frombuffer")] = _from_buffer


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise _Forbidden(f"{module}.{name}"[:_LONGEST])
        return _ALLOWED[(module, name)]


def _check_stores(data: bytes) -> None:
    """Refuses a place in the unpickler's memory beyond what the file could fill.

    The unpickler makes room for all places up to the one that is named: 5 bytes can
    ask for 30 GB.
    """
    for opcode, place, position in pickletools.genops(data):
        if opcode.name in _STORES and place > position:
            raise pickle.UnpicklingError(f"memory for {place} values")


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The value with arrays in the places of what stood for them."""
    if isinstance(value, _Array) and value.value is not None:
        return value.value
    if isinstance(value, _Array | _Dtype) or callable(value):
        raise pickle.UnpicklingError("half an array")
    if id(value) in done or not isinstance(value, dict | list | tuple | set):
        return done.get(id(value), value)
    if isinstance(value, tuple):
        done[id(value)] = tuple(_plain(part, done) for part in value)
        return done[id(value)]
    done[id(value)] = value
    if isinstance(value, list):
        value[:] = [_plain(part, done) for part in value]
    elif isinstance(value, dict):
        pairs = [(_plain(k, done), _plain(v, done)) for k, v in value.items()]
        value.clear()
        value.update(pairs)
    else:
        for part in value:
            _plain(part, done)
    return value


def load_stream(file: BinaryIO, name: str) -> Any:
    """Reads one pickle of dicts, lists, strings, numbers and arrays.

    Args:
      file: opened for reading bytes; read to its end. Strings of Python 2 come back as
        bytes.
      name: what an error calls it.

    Raises:
      UserError: the pickle is cut off, or asks for any other class or function.
    """
    data = file.read()
    try:
        _check_stores(data)
        return _plain(_Unpickler(io.BytesIO(data), encoding="bytes").load(), {})
    except _Forbidden as error:
        raise UserError(
            f"{name} asks for the Python object {error}, which no data file needs; it "
            "was not run. Get the file from its official source again"
        ) from None
    except OSError:
        raise
    except Exception as error:  # a broken pickle can raise nearly anything
        reason = f"{type(error).__name__}: {error}"[:_LONGEST]
        raise UserError(
            f"{name} is cut off or no pickle ({' '.join(reason.split())}); get it "
            "from its official source again"
        ) from error


def load(path: str) -> Any:
    """Reads a pickle file, see load_stream."""
    with open(path, "rb") as file:
        return load_stream(file, path)
