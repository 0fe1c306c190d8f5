"""Pickles from outside, restricted to plain values and NumPy arrays.

An unrestricted pickle runs whatever code its author put into it. Here every global
outside a short list is refused before anything is called.
"""

import codecs
import io
import pickle
from typing import Any, BinaryIO

import numpy as np

from kfer.errors import UserError


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"_codecs.encode to {encoding!r}")
    return codecs.encode(text, "latin1")


_RECONSTRUCT = np.empty(0).__reduce__()[0]
_FROM_BUFFER = np.zeros(1).__reduce_ex__(5)[0]

# What pickled arrays name, under the module names of all NumPy releases.
_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}
for _core in ("numpy.core", "numpy._core"):
    _ALLOWED[(f"{_core}.multiarray", "_reconstruct")] = _RECONSTRUCT
    _ALLOWED[(f"{_core}.numeric", "_frombuffer")] = _FROM_BUFFER


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise _Forbidden(f"{module}.{name}")
        return _ALLOWED[(module, name)]


class _Forbidden(Exception):
    """A global that is none of ours; its text names it."""


def load_stream(file: BinaryIO, name: str) -> Any:
    """Reads one pickle of dicts, lists, strings, numbers and arrays.

    Args:
      file: opened for reading bytes. Strings of Python 2 come back as bytes.
      name: what an error calls it.

    Raises:
      UserError: the pickle is cut off, or asks for any other class or function.
    """
    try:
        return _Unpickler(file, encoding="bytes").load()
    except _Forbidden as error:
        raise UserError(
            f"{name} asks for the Python object {error}, which no data file needs; it "
            "was not run. Get the file from its official source again"
        ) from None
    except OSError:
        raise
    except Exception as error:  # a broken pickle can raise nearly anything
        raise UserError(
            f"{name} is cut off or no pickle ({type(error).__name__}: {error}); get it "
            "from its official source again"
        ) from error


def load(path: str) -> Any:
    """Reads a pickle file, see load_stream."""
    with open(path, "rb") as file:
        return load_stream(io.BufferedReader(file), path)
