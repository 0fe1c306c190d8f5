"""Whether a shard is the file that was written."""

import functools
import hashlib
import os
import struct

from kfer.errors import UserError


def sha256(path: str) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: str, expected: str) -> None:
    """Checks a shard before TensorFlow reads it; once for each state of the file.

    Args:
      path: of the shard.
      expected: its SHA-256 in hex.

    Raises:
      UserError: the shard isn't the one that was written, or see check_lengths.
    """
    found = os.stat(path)
    _check(path, expected, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=65536)
def _check(path: str, expected: str, *state: int) -> None:
    if sha256(path) != expected:
        raise UserError(
            f"{path} has changed since it was written (SHA-256 differs from "
            "dataset.json); copy it again or prepare the data set again"
        )
    check_lengths(path)


def check_lengths(path: str) -> None:
    """Walks through the records' lengths, which TensorFlow's reader takes on trust.

    A record is its length (8 bytes), a checksum (4), its bytes and a checksum (4).

    Raises:
      UserError: a record is said to be longer than what is left of the file.
    """
    size, offset, count = os.path.getsize(path), 0, 0
    with open(path, "rb") as file:
        while offset < size:
            file.seek(offset)
            head = file.read(8)
            left = size - offset - 16
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            if len(head) < 8 or length > left:
                raise UserError(
                    f"{path} is not a whole TFRecord file (record {count} has a length "
                    f"of {length} bytes, {max(0, left)} are left); prepare the data "
                    "set again"
                )
            offset, count = offset + 16 + length, count + 1
