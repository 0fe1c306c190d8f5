"""The embedded default: drawn faces with several noisy annotators, from a seed.

Nothing is downloaded; the root is not used. Training faces carry the labels of
simulated annotators alone, test faces the truth alone (docs/design/synthetic_faces.md):

train  annotator_1.. (each from its own confusion matrix) and valence_arousal (Gaussian
       noise and the bias of one of three annotators; of a crowd `judges` each gives its
       own, valence_arousal_1..); no clean label is stored
test   clean expression and valence_arousal; no noisy label

`options.limit` sets the number of faces of each split, `options.crowd` who labels them
and `options.flip_rates` the mean noise rate of each annotator, `options.image_size` the
side in pixels.
"""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kfer.data import drawn_faces as faces
from kfer.data import record
from kfer.data.datasets import ReaderOptions
from kfer.data.drawn_faces import annotators
from kfer.data.drawn_faces.expression import CLASSES
from kfer.data.record import Column, RawExample
from kfer.errors import UserError
from kfer.faces import framing
from kfer.noise import continuous, flips, transition

FRAMING = framing.AS_GIVEN
NUM_FACES = {"train": 4000, "test": 1000}

# Face i of a split is face FIRST[split] + i of the seed, so that splits share none.
FIRST = {"train": 0, "test": 1_000_000}
_LARGEST = 1_000_000
_ANNOTATION = 1  # a face's second random stream


class Annotated(NamedTuple):
    """A face with the labels it gets, before it is drawn."""

    params: faces.FaceParameters
    truth: tuple[float, float]
    given: tuple[int, ...]  # one class per annotator; -1 from who didn't label it
    values: tuple[tuple[float, ...], ...]  # noisy valence and arousal, a column each


def flip_rates(options: ReaderOptions) -> tuple[float, ...]:
    """The mean noise rate of each annotator."""
    return options.flip_rates or annotators.rates_of(options.crowd)


def columns(options: ReaderOptions) -> dict[str, Column]:
    """annotator_1.., and valence_arousal or that of each of them."""
    names = [f"annotator_{i}" for i in range(1, len(flip_rates(options)) + 1)]
    values = value_columns(options)
    # A column of another name than its truth says which that is.
    target = "" if values == ("valence_arousal",) else "valence_arousal"
    return {name: record.categorical(name, CLASSES) for name in names} | {
        name: record.valence_arousal(name, target) for name in values
    }


def value_columns(options: ReaderOptions) -> tuple[str, ...]:
    """The columns of noisy valence and arousal."""
    return annotators.value_columns(options.crowd, len(flip_rates(options)))


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """expression and valence_arousal; only test faces have them."""
    del options
    return {
        "expression": record.categorical("expression", CLASSES),
        "valence_arousal": record.valence_arousal(),
    }


def requested_noise(options: ReaderOptions) -> dict[str, float]:
    """Label column -> noise rate asked for; noise_summary has the achieved one."""
    rates = flip_rates(options)
    return {f"annotator_{i}": rate for i, rate in enumerate(rates, 1)}


def count(options: ReaderOptions, split: str) -> int:
    """Number of faces of a split.

    Raises:
      UserError: more than a million.
    """
    faces_asked = (options.limit or {}).get(split, NUM_FACES[split])
    if faces_asked > _LARGEST:
        raise UserError(
            f"At most {_LARGEST} {split} faces are drawn, not {faces_asked}"
        )
    return faces_asked


_matrices = functools.lru_cache(maxsize=8)(annotators.matrices)


def annotated(options: ReaderOptions, index: int) -> Annotated:
    """Training face `index`: a function of the seed, the index and the crowd alone."""
    params = faces.sample_face(faces.face_rng(options.seed, index))
    truth = faces.valence_arousal(params)
    rng = np.random.default_rng([options.seed, index, _ANNOTATION])
    matrices = _matrices(options.crowd, flip_rates(options))
    label = np.array([params.label])
    given = np.array([transition.sample(label, m, rng)[0] for m in matrices])
    if options.crowd == "judges":
        values = annotators.judged_by_each(len(given), truth, rng)
    else:
        values = (annotators.judged(truth, rng),)
    labelled = annotators.who_labels(options.crowd, len(given), rng)
    given = np.where(labelled, given, -1)
    return Annotated(params, truth, tuple(given.tolist()), values)


def read(root: str, options: ReaderOptions) -> Iterator[RawExample]:
    """The training faces, then the test faces.

    Raises:
      UserError: no training face is asked for, or see `count`.
    """
    del root
    if not (num_train := count(options, "train")):
        raise UserError(
            "0 train faces leave nothing to learn from; ask for 1 or more, also where "
            "the test faces alone are wanted"
        )
    for index in range(num_train):
        face = annotated(options, index)
        labels: dict[str, Any] = {
            f"annotator_{i}": g for i, g in enumerate(face.given, 1) if g >= 0
        }
        labels |= zip(value_columns(options), face.values, strict=True)
        yield _example("train", index, face.params, options, labels, {})
    for index in range(count(options, "test")):
        params = faces.sample_face(faces.face_rng(options.seed, FIRST["test"] + index))
        clean = {
            "expression": params.label,
            "valence_arousal": faces.valence_arousal(params),
        }
        yield _example("test", index, params, options, {}, clean)


def _example(
    split: str,
    index: int,
    params: faces.FaceParameters,
    options: ReaderOptions,
    labels: dict[str, Any],
    clean: dict[str, Any],
) -> RawExample:
    size, number = options.image_size, FIRST[split] + index
    return RawExample(
        image_id=f"{split}-{index:05d}",
        split=split,
        image=faces.draw(params, size),
        labels=labels,
        clean=clean,
        source=f"synthetic_faces:seed={options.seed}:face={number}",
        eyes=faces.eyes(params, size),
        box=faces.box(params, size),
    )


def noise_summary(options: ReaderOptions) -> dict[str, dict[str, Any]]:
    """How noisy the training labels came out; the one place that tells, as the stored
    training records don't hold the truth.

    Returns:
      annotator column -> 'requested' mean rate, 'achieved' rate, 'compared' examples,
      'confusion' [7, 7] as seen; 'majority' -> 'achieved' and 'compared' of the
      annotators' majority; each of value_columns -> see continuous.achieved.
    """
    rows = [annotated(options, index) for index in range(count(options, "train"))]
    if not rows:
        return {}
    truth = np.array([row.params.label for row in rows])
    sets = np.array([row.given for row in rows]).T
    summary: dict[str, dict[str, Any]] = {}
    for (name, rate), labels in zip(
        requested_noise(options).items(), sets, strict=True
    ):
        summary[name] = {
            "requested": rate,
            "achieved": flips.noise_rate(labels, truth),
            "compared": int(np.sum(labels >= 0)),
            "confusion": transition.estimate(labels, truth, len(CLASSES)).tolist(),
        }
    majority = flips.majority_vote(sets, len(CLASSES))
    summary["majority"] = {
        "achieved": flips.noise_rate(majority, truth),
        "compared": len(rows),
    }
    clean = np.array([row.truth for row in rows])
    for place, name in enumerate(value_columns(options)):
        given = np.array([row.values[place] for row in rows])
        summary[name] = continuous.achieved(given, clean)
    return summary
