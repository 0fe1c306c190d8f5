"""Annotation files as rows with their line numbers, whatever wrote them.

One line is one row: a stray quote spoils its own row and no other. A byte order mark,
CRLF line ends and a missing last newline change nothing; a blank line is no row; bytes
that are no UTF-8 become '\\ufffd' and are seen by whoever checks the field.
"""

import csv
import hashlib
import math
import os
import struct
from collections.abc import Iterator

import numpy as np

from kfer.errors import UserError

# No label has more; Python refuses to read some thousands.
_MOST_DIGITS = 300


def lines(path: str, root: str = "") -> Iterator[tuple[str, str]]:
    """('file:line', text) for each line that isn't blank; `file` is relative to root.

    Raises:
      UserError: the file can't be read.
    """
    name = os.path.relpath(path, root) if root else path
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline=None) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{name}:{number}", line.rstrip("\n")
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error


def fields(line: str) -> list[str]:
    """The comma-separated fields of one line, quotes removed."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def rows(path: str, root: str = "") -> Iterator[tuple[str, list[str]]]:
    """('file:line', fields) of a csv file; see the module's rules."""
    for source, line in lines(path, root):
        yield source, fields(line)


def first_existing(root: str, *candidates: str) -> str:
    """The first of some relative paths that exists, as a path; '' if none does."""
    paths = (os.path.join(root, candidate) for candidate in candidates)
    return next((path for path in paths if os.path.exists(path)), "")


def number(text: str) -> float:
    """A finite or infinite number; NaN where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def whole_number(text: str) -> int | None:
    """An integer, also when written '3.0'; None where the text is none."""
    text = text.strip()
    if len(text) > _MOST_DIGITS:
        return None
    if text.isdecimal():
        return int(text)
    value = number(text)
    return int(value) if math.isfinite(value) and value == int(value) else None


def image_words(seed: int, image_id: str, purpose: str) -> tuple[int, ...]:
    """Sixteen random 32-bit numbers of a seed and an image, whatever the order of
    images.

    A generator would do as well and takes ten times as long to set up.
    """
    text = f"{seed}\0{purpose}\0{image_id}"
    return struct.unpack("<16I", hashlib.sha512(text.encode()).digest())


def image_rng(seed: int, image_id: str, purpose: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the image alone, in whatever order."""
    return np.random.default_rng(image_words(seed, image_id, purpose))


def place(name: str, purpose: str) -> float:
    """A number in [0, 1) that follows from a name alone, uniform over names."""
    text = f"{purpose}\0{name}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:6], "big") / 2**48
