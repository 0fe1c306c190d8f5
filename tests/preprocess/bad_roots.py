"""Fake roots in the official layouts with every kind of bad row among good ones."""

import io
import os

import numpy as np

from kfer.data.datasets import affectnet, raf
from kfer.data.fake_roots import affectnet as fake_affectnet
from kfer.data.fake_roots import faces
from kfer.data.fake_roots.files import write_bytes, write_text
from tests.preprocess import pictures

GOOD = 20


def _append(root: str, name: str, text: str) -> None:
    with open(os.path.join(root, name), "a", encoding="utf-8", newline="") as file:
        file.write(text)


def bad_raf(root: str) -> tuple[int, dict[str, int]]:
    """Writes the root; returns its rows and reason -> rows to be set aside."""
    raf.make_fake_root(root, GOOD, np.random.default_rng(1), last_newline=True)
    expected: dict[str, int] = {}
    rows = GOOD

    def row(line: str, reason: str = "", end: str = "\n") -> None:
        nonlocal rows
        rows += 1
        if reason:
            expected[reason] = expected.get(reason, 0) + 1
        _append(root, raf.LISTS[0], line + end)

    for name, (data, reason) in pictures.bad().items():
        write_bytes(root, f"Image/original/train_{name}.jpg", data)
        row(f"train_{name}.jpg 3", reason)
    for name, data in pictures.unusual().items():
        write_bytes(root, f"Image/original/train_{name}.jpg", data)
        # CRLF line ends, and blank lines between, are no rows of their own.
        row(f"train_{name}.jpg 4", end="\r\n\r\n")
    good = "train_00001.jpg"
    outside = os.path.join(os.path.dirname(root), "outside.jpg")
    write_bytes(os.path.dirname(root), "outside.jpg", pictures.unusual()["jpeg"])
    os.symlink(outside, os.path.join(root, "Image/original/train_link.jpg"))
    row("train_link.jpg 1", "path leaves the root")
    row("train_/../../../../outside.jpg 1", "path leaves the root")
    row("train_missing.jpg 1", "missing file")
    row(f"{good} 2", "duplicate id")
    row("train_zero.jpg 0", "label out of range")
    row("train_eight.jpg 8", "label out of range")
    row("train_nan.jpg NaN", "label out of range")
    row("train_word.jpg happy", "label out of range")
    row("train_alone.jpg", "wrong column count")
    row("train_many.jpg 1 2", "wrong column count")
    row("valid_1.jpg 1", "unknown split")
    for name, text in (
        ("nan", "nan\tnan\n" * 5),
        ("short", "1\t2\n3\t4\n"),
        ("far", "5000\t5000\n5050\t5000\n" + "1\t1\n" * 3),
    ):
        write_text(root, f"Annotation/manual/train_eyes_{name}_manu_attri.txt", text)
        write_bytes(
            root, f"Image/original/train_eyes_{name}.jpg", pictures.unusual()["jpeg"]
        )
        row(f"train_eyes_{name}.jpg 1", "bad landmarks")
    same = "10\t10\n10\t10\n" + "1\t1\n" * 3
    write_text(root, "Annotation/manual/train_same_manu_attri.txt", same)
    write_bytes(root, "Image/original/train_same.jpg", pictures.unusual()["jpeg"])
    row("train_same.jpg 1", "face not alignable", end="")
    _prepend_bom(os.path.join(root, raf.LISTS[0]))
    return rows, expected


def _prepend_bom(path: str) -> None:
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(b"\xef\xbb\xbf" + data)


def bad_affectnet_2017(root: str) -> tuple[int, dict[str, int]]:
    """As bad_raf, for the csv layout, read with seven classes."""
    affectnet.make_fake_root(root, GOOD, np.random.default_rng(2))
    _, eyes, box = faces.face(np.random.default_rng(0), 60, 50)
    points = fake_affectnet.landmarks(eyes)
    expected = {"class not asked for: contempt": _contempts(root)}
    rows = GOOD

    def row(name: str, labels: tuple, reason: str = "", data: bytes = b"") -> None:
        nonlocal rows
        rows += 1
        if reason:
            expected[reason] = expected.get(reason, 0) + 1
        if data or not reason:
            path = f"Manually_Annotated_Images/{name}"
            write_bytes(root, path, data or pictures.unusual()["jpeg"])
        line = fake_affectnet.csv_row(name, box, points, labels)
        _append(root, "training.csv", line + "\r\n")

    for name, (data, reason) in pictures.bad().items():
        if data:
            row(f"9/{name}.jpg", (1, 0.5, 0.5), reason, data)
    row("9/no_values.jpg", (1, -2, -2))  # kept, without valence and arousal
    row("9/none.jpg", (8, 0.1, 0.1), "no expression: none")
    row("9/uncertain.jpg", (9, -2, -2), "no expression: uncertain")
    row("9/no_face.jpg", (10, -2, -2), "no expression: no_face")
    row("9/eleven.jpg", (11, 0.1, 0.1), "label out of range")
    row("9/minus.jpg", (-1, 0.1, 0.1), "label out of range")
    row("9/half.jpg", (1.5, 0.1, 0.1), "label out of range")
    row("9/loud.jpg", (1, 1.5, 0.1), "label out of range")
    row("9/nan.jpg", (1, "nan", 0.1), "label out of range")
    row("9/inf.jpg", (1, 0.1, "inf"), "label out of range")
    row("9/word.jpg", (1, "high", 0.1), "label out of range")
    row("../../outside.jpg", (1, 0.1, 0.1), "path leaves the root")
    row("/etc/hostname", (1, 0.1, 0.1), "path leaves the root")
    row("9/no_values.jpg", (1, 0.1, 0.1), "duplicate id")
    rows += 3
    _append(root, "training.csv", "9/short.jpg,1,2,3\n")
    _append(root, "training.csv", '9/quote.jpg,"1,2,3,4,,1,0.1,0.1\n')
    _append(root, "training.csv", "9/points.jpg,1,2,3,4,1;2;3,1,0.1,0.1\n")
    expected["wrong column count"] = 2
    expected["bad landmarks"] = 1
    return rows, expected


def _contempts(root: str) -> int:
    found = 0
    for name in ("training.csv", "validation.csv"):
        with open(os.path.join(root, name), encoding="utf-8") as file:
            found += sum(line.split(",")[6] == "7" for line in file)
    return found


def bad_affectnet_2021(root: str) -> tuple[int, dict[str, int]]:
    """As bad_raf, for the layout of .npy files, read with eight classes."""
    affectnet.make_fake_root(root, GOOD, np.random.default_rng(3), layout=2021)
    expected: dict[str, int] = {}
    rows = GOOD

    def example(stem: str, reason: str, data: bytes | None = None, **arrays) -> None:
        nonlocal rows
        rows += 1
        expected[reason] = expected.get(reason, 0) + 1
        given = {"exp": np.array("1"), "val": np.array("0.5"), "aro": np.array("0.5")}
        for name, value in (given | arrays).items():
            path = f"train_set/annotations/{stem}_{name}.npy"
            if isinstance(value, bytes):
                write_bytes(root, path, value)
            elif value is not None:
                write_bytes(root, path, _npy(value))
        if data is None:
            data = pictures.unusual()["jpeg"]
        if data != b"absent":
            write_bytes(root, f"train_set/images/{stem}.jpg", data)

    for name, (data, reason) in pictures.bad().items():
        example(name, reason, data)
    example("nofile", "missing file", b"absent")
    example("noexp", "missing annotation", exp=None)
    example("noval", "missing annotation", val=None)
    example("cut", "bad annotation", exp=_npy(np.array("1"))[:40])
    example("no_array", "bad annotation", val=b"0.5")
    example("object", "bad annotation", aro=_pickled())
    example("vector", "bad annotation", exp=np.arange(3))
    example("huge", "bad annotation", exp=np.zeros(100_000))
    example("range", "label out of range", exp=np.array("11"))
    example("nan", "label out of range", val=np.array("nan"))
    example("points", "bad landmarks", lnd=np.zeros(10))
    example("points_nan", "bad landmarks", lnd=np.full(136, np.nan))
    return rows, expected


def _npy(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], object), allow_pickle=True)
    return buffer.getvalue()
