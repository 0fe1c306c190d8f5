"""FER+: FER2013's 48 px web faces with ten votes each.

```
ROOT/FER2013Train/label.csv, *.png        also FER2013Valid and FER2013Test
    fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0
```

or Kaggle's pixels and Microsoft's votes, joined by the row number, which is the number
in the image's name:

```
ROOT/fer2013.csv                          emotion,pixels,Usage
ROOT/fer2013new.csv                       Usage,Image name,<ten votes>
```

Votes are for neutral, happiness, surprise, sadness, anger, disgust, fear, contempt,
unknown and NF (no face). The rules:

1. Where unknown or NF has the most votes, alone or tied with another, the picture is
set
   aside. So is one whose most-voted class is not among those asked for (contempt of 7).
2. All other votes for unknown, NF or a class not asked for are dropped.
3. `expression`, label and truth, is the class with the most of the votes left. A tie is
   decided by a draw from (seed, image id).
4. `votes` is the share of each class among the votes left.
5. `annotator_1`..`annotator_k` are k different people of those who cast the votes left,
   drawn by (seed, image id). FER+ does not say who cast which vote, so annotator_1 is
   not one person across pictures. Where fewer than k votes are left the rest is
   missing.
6. Where options.va_noise is given, the clean `valence_arousal` is the mean of the
   classes' places in kfer.data.circumplex, weighted by `votes`, and the label
   `valence_arousal` is that plus Gaussian noise of this standard deviation on each,
   drawn by (seed, image id), held to [-1, 1]. FER+ itself has no such labels.

7. Where options.official_test is given, a valid or test picture is set aside unless
   its authors' rule finds a majority: single votes count as 0, and of those left, for
   whatever, more than half are for one class that is asked for. There is no tie then.
   3,137 of the 3,573 test pictures are left with 8 classes.

A row with a blank name was taken out of FER2013 by FER+ and is set aside.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import circumplex, label_orders, reasons, tables
from kfer.data import record as record_lib
from kfer.data.datasets import ReaderOptions
from kfer.data.record import Column, RawExample, Rejected
from kfer.errors import UserError
from kfer.noise import continuous

ORDER = label_orders.ORDERS["ferplus"]
NUM_VOTES = len(ORDER.classes)
MAX_VOTES = 10
FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
USAGES = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
SIDE = 48

_POSITIONS = [ORDER.classes.index(name) for name in tasks_lib.EXPRESSIONS]


class RejectedPicture(Rejected):
    """A Rejected that still shows its picture, so that leaks are found among all."""

    example: RawExample


def columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression', 'votes', 'annotator_1'.. and, if asked for, 'valence_arousal'."""
    classes = tasks_lib.EXPRESSIONS[: options.num_classes]
    votes = record_lib.votes("votes", classes, "expression")
    names = ["expression"] + [
        f"annotator_{i}" for i in range(1, options.num_annotators + 1)
    ]
    found = {name: record_lib.categorical(name, classes) for name in names}
    return found | {"votes": votes} | _value_columns(options)


def _value_columns(options: ReaderOptions) -> dict[str, Column]:
    if options.va_noise is None:
        return {}
    return {"valence_arousal": record_lib.valence_arousal()}


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression', the class with the most votes, and what the votes say of V/A."""
    classes = tasks_lib.EXPRESSIONS[: options.num_classes]
    expression = record_lib.categorical("expression", classes)
    return {"expression": expression} | _value_columns(options)


def is_aligned(root: str, options: ReaderOptions) -> bool:
    """True: the pictures are crops of faces and too small to find eyes in."""
    del root, options
    return True


def read(root: str, options: ReaderOptions) -> Iterator[RawExample | Rejected]:
    """Every line of the votes; see datasets.Reader."""
    folders = {
        split: folder
        for split, folder in FOLDERS.items()
        if os.path.isfile(os.path.join(root, folder, "label.csv"))
    }
    if folders:
        yield from _read_folders(root, folders, options)
    elif all(
        os.path.isfile(os.path.join(root, name))
        for name in ("fer2013.csv", "fer2013new.csv")
    ):
        yield from _read_csv_layout(root, options)
    else:
        raise UserError(
            f"{root} is no FER+: expected FER2013Train/label.csv and its pictures, or "
            "fer2013.csv and fer2013new.csv"
        )


def _read_folders(
    root: str, folders: dict[str, str], options: ReaderOptions
) -> Iterator[RawExample | Rejected]:
    for split, folder in folders.items():
        path = os.path.join(root, folder, "label.csv")
        for source, fields in tables.rows(path, root):
            name = fields[0].strip() if fields else ""
            if len(fields) != 2 + NUM_VOTES:
                detail = f"{len(fields)} columns, expected {2 + NUM_VOTES}"
                yield Rejected(name, reasons.WRONG_COLUMNS, detail, source)
                continue
            example = RawExample(name, split, f"{folder}/{name}", {}, {}, source)
            yield _judge(example, fields[2:], options)


def _read_csv_layout(
    root: str, options: ReaderOptions
) -> Iterator[RawExample | Rejected]:
    pixels = tables.rows(os.path.join(root, "fer2013.csv"), root)
    votes = tables.rows(os.path.join(root, "fer2013new.csv"), root)
    next(pixels, None), next(votes, None)
    for index, (source, fields) in enumerate(votes):
        _, picture = next(pixels, ("", []))
        name = fields[1].strip() if len(fields) > 1 else ""
        if len(fields) != 2 + NUM_VOTES:
            detail = f"{len(fields)} columns, expected {2 + NUM_VOTES}"
            yield Rejected(name, reasons.WRONG_COLUMNS, detail, source)
            continue
        try:
            example = _csv_example(index, fields[0].strip(), name, picture, source)
        except _Bad as error:
            yield Rejected(name, error.reason, error.detail, source)
            continue
        yield _judge(example, fields[2:], options)
    left = sum(1 for _ in pixels)
    if left:
        raise UserError(
            f"{root}/fer2013.csv has {left} rows more than fer2013new.csv; both must "
            "be the full files, since they are joined by row number"
        )


class _Bad(Exception):
    def __init__(self, reason: str, detail: str):
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def _csv_example(
    index: int, usage: str, name: str, picture: list[str], source: str
) -> RawExample:
    if not name:
        raise _Bad(
            reasons.not_asked_for("taken out of FER+"), "the image name is blank"
        )
    if name != f"fer{index:07d}.png":
        detail = f"{name!r} stands in row {index}, expected fer{index:07d}.png"
        raise _Bad(reasons.BAD_NAME, detail)
    if usage not in USAGES:
        detail = f"usage {usage!r} is none of {', '.join(USAGES)}"
        raise _Bad(reasons.UNKNOWN_SPLIT, detail)
    if len(picture) != 3:
        detail = f"fer2013.csv has {len(picture)} columns there, expected 3"
        raise _Bad(reasons.WRONG_COLUMNS, detail)
    values = [tables.whole_number(word) for word in picture[1].split()]
    if len(values) != SIDE * SIDE or not all(
        value is not None and 0 <= value <= 255 for value in values
    ):
        detail = f"{len(values)} numbers, expected {SIDE * SIDE} in 0..255"
        raise _Bad(reasons.BAD_PIXELS, detail)
    grey = np.array(values, np.uint8).reshape(SIDE, SIDE)
    image = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    return RawExample(name, USAGES[usage], image, {}, {}, source)


def _judge(
    example: RawExample, texts: list[str], options: ReaderOptions
) -> RawExample | Rejected:
    counts = [tables.whole_number(text) for text in texts]
    bad = [
        text
        for text, n in zip(texts, counts, strict=True)
        if n is None or not 0 <= n <= MAX_VOTES
    ]
    if bad or not 1 <= sum(counts) <= MAX_VOTES:
        detail = f"votes {texts}, expected ten counts that sum to 1..{MAX_VOTES}"
        return Rejected(example.image_id, reasons.BAD_VOTES, detail, example.source)
    reason = verdict(counts, options.num_classes)
    if options.official_test and example.split != "train":
        reason = reason or official_verdict(counts)
    if reason:
        detail = f"votes {counts}"
        found = RejectedPicture(example.image_id, reason, detail, example.source)
        found.example = example
        return found
    labels = labels_of(counts, example.image_id, options)
    clean = {"expression": labels["expression"]}
    if options.va_noise is not None:
        truth, given = values_of(labels["votes"], example.image_id, options)
        clean["valence_arousal"], labels["valence_arousal"] = truth, given
    return example._replace(labels=labels, clean=clean)


def verdict(counts: list[int], num_classes: int) -> str:
    """The reason to set a picture with these ten votes aside, or ''; rule 1."""
    most = max(counts)
    winners = [name for name, n in zip(ORDER.classes, counts, strict=True) if n == most]
    for name in ("no_face", "unknown"):
        if name in winners:
            return reasons.no_expression(name)
    known = tasks_lib.EXPRESSIONS[:num_classes]
    if not set(winners) & set(known):
        return reasons.not_asked_for(winners[0])
    return ""


def official_verdict(counts: list[int]) -> str:
    """The reason not to score on a picture with these votes, or ''; rule 7.

    E. Barsoum et al. (ICMI 2016), mode 'majority' of the authors' ferplus.py.
    """
    kept = [n if n > 1 else 0 for n in counts]
    return "" if 2 * max(kept) > sum(kept) else reasons.no_expression("majority")


def class_votes(counts: list[int], num_classes: int) -> list[int]:
    """Votes by class in kfer's order, the others dropped; rule 2."""
    return [counts[i] for i in _POSITIONS[:num_classes]]


def labels_of(
    counts: list[int], image_id: str, options: ReaderOptions
) -> dict[str, Any]:
    """The label columns of a picture that rule 1 keeps; rules 2 to 5."""
    votes = class_votes(counts, options.num_classes)
    *keys, tie_key = tables.image_words(options.seed, image_id, "ferplus")
    tied = [label for label, n in enumerate(votes) if n == max(votes)]
    labels: dict[str, Any] = {
        "expression": tied[tie_key % len(tied)],
        "votes": tuple(n / sum(votes) for n in votes),
    }
    ballots = [label for label, n in enumerate(votes) for _ in range(n)]
    # Ten ballots, fifteen keys: sorting by key draws without replacement.
    drawn = [label for _, label in sorted(zip(keys, ballots, strict=False))]
    for index, label in enumerate(drawn[: options.num_annotators], start=1):
        labels[f"annotator_{index}"] = label
    return labels


def values_of(
    shares: tuple[float, ...], image_id: str, options: ReaderOptions
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(valence, arousal) of the votes, and the same with noise; rule 6."""
    truth = circumplex.mean(shares)
    rng = tables.image_rng(options.seed, image_id, "ferplus valence_arousal")
    noisy = continuous.gaussian(np.array(truth), options.va_noise or 0.0, rng)
    return truth, tuple(continuous.clip(noisy).tolist())


def make_fake_root(
    root: str, count: int, rng: np.random.Generator, layout: str = "folders"
) -> list[str]:
    """Writes a small FER+.

    Args:
      root: the folder.
      count: images; every fifth is of the valid split and every fifth of the test
        split.
      rng: of pictures and votes.
      layout: 'folders' or 'csv'.

    Returns:
      The image ids, in the order they are read.
    """
    from kfer.data.fake_roots import ferplus

    return ferplus.write(root, count, rng, layout)
