"""Bytes that are nearly right: seeded mutations of good ones."""

import struct
from collections.abc import Sequence

import numpy as np

# Most changes of one input; most inputs get one to three.
_MOST = 6
_LONGEST_RUN = 64

NUMBERS = (0, 1, 7, 8, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1)
NUMBERS_64 = (*NUMBERS, 2**40, 2**62, 2**63 - 1, 2**64 - 1)

# What stands for trouble in tables and JSON.
WORDS = (
    *(b",", b";", b"\t", b'"', b"'", b"\\", b"\n", b"\r", b"\r\n", b"\0", b":", b"[]"),
    *(b"{}", b"[", b"{", b"}", b"]", b"null", b"true", b"NaN", b"Infinity", b"-1"),
    *(b"1e999", b"-0", b"0x10", b"9" * 400, b"9" * 5000, b"1" + b"0" * 30, b"0.1.2"),
    *(b"../../etc/passwd", b"/etc/passwd", b"C:\\", b"gs://b/c", b"a" * 5000, b"%s%n"),
    *("\ufeff".encode(), "\u2028".encode(), "e\u0301".encode(), "١".encode()),
    *(b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"', b"[" * 100_000, b'{"a":' * 5000),
    *(b"nan", b"inf", b"none", b"no_face", b"happy", b"train", b"valid", b"6.0"),
)


def mutated(
    data: bytes,
    rng: np.random.Generator,
    others: Sequence[bytes] = (),
    words: Sequence[bytes] = WORDS,
) -> bytes:
    """A copy of `data` with a few faults.

    Args:
      data: good bytes.
      rng: rules all.
      others: further good bytes that parts may be taken from.
      words: what may be put in.
    """
    found = bytearray(data)
    for _ in range(min(_MOST, int(rng.geometric(0.5)))):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        found = change(found, rng, others or (data,), words)
    return bytes(found)


def _at(data: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(len(data) + 1))


def _span(data: bytearray, rng: np.random.Generator) -> slice:
    start = _at(data, rng)
    return slice(start, start + int(rng.integers(1, _LONGEST_RUN)))


def _flip_bit(data, rng, others, words):
    del others, words
    if data:
        data[_at(data, rng) % len(data)] ^= 1 << int(rng.integers(8))
    return data


def _set_byte(data, rng, others, words):
    del others, words
    if data:
        data[_at(data, rng) % len(data)] = int(rng.integers(256))
    return data


def _set_number(data, rng, others, words):
    """A length or a size, 2, 4 or 8 bytes, that is far off."""
    del others, words
    form = "HIQ"[rng.integers(3)]
    size = struct.calcsize("<" + form)
    value = NUMBERS_64[rng.integers(len(NUMBERS_64))] % 2 ** (8 * size)
    start = _at(data, rng)
    data[start : start + size] = struct.pack("<>"[rng.integers(2)] + form, value)
    return data


def _cut_out(data, rng, others, words):
    del others, words
    del data[_span(data, rng)]
    return data


def _cut_off(data, rng, others, words):
    del others, words
    del data[_at(data, rng) :]
    return data


def _repeat(data, rng, others, words):
    del others, words
    span = _span(data, rng)
    data[span.start : span.start] = data[span] * int(rng.integers(1, 5))
    return data


def _put_in(data, rng, others, words):
    del others
    start = _at(data, rng)
    data[start:start] = words[rng.integers(len(words))]
    return data


def _put_over(data, rng, others, words):
    del others
    data[_span(data, rng)] = words[rng.integers(len(words))]
    return data


def _noise(data, rng, others, words):
    del others, words
    start = _at(data, rng)
    data[start:start] = rng.bytes(int(rng.integers(1, _LONGEST_RUN)))
    return data


def _from_another(data, rng, others, words):
    del words
    other = others[rng.integers(len(others))]
    start = int(rng.integers(len(other) + 1))
    data[_span(data, rng)] = other[start : start + int(rng.integers(1, 256))]
    return data


_CHANGES = (
    *(_flip_bit, _set_byte, _set_number, _cut_out, _cut_off, _repeat, _put_in),
    *(_put_over, _noise, _from_another),
)


def mutated_lines(
    data: bytes, rng: np.random.Generator, share: float
) -> tuple[bytes, int]:
    """A text of lines of which a share is mutated; how many were.

    Args:
      data: good text.
      rng: rules all.
      share: of the lines that get faults.
    """
    lines = data.split(b"\n")
    chosen = np.flatnonzero(rng.random(len(lines)) < share)
    for index in chosen:
        lines[index] = mutated(lines[index], rng, lines)
    return b"\n".join(lines), len(chosen)
