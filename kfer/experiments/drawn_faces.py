"""RAF-base and AffectNet-base with drawn faces: labels by a model of another domain.

The paper (5.2) relabels RAF's training pictures, classes and valence/arousal, by a
model trained on AffectNet, and the classes of AffectNet's by a model trained on RAF,
beside AffectNet's own human values. Here two domains of drawn faces take their places
(docs/design/synthetic_faces.md); the labelling model errs where its domain ends.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kfer.data import dataset as dataset_lib
from kfer.data import folder as folder_lib
from kfer.data import rewrite
from kfer.data.dataset import Dataset
from kfer.data.drawn_faces.expression import CLASSES
from kfer.data.record import Record
from kfer.errors import UserError
from kfer.experiments.face_domains import (
    AFFECTNET,
    LARGEST,
    RAF,
    SIDE,
    SPLITS,
    Domain,
    draw,
    is_made,
)
from kfer.faces import framing, recorded
from kfer.noise import continuous, flips, transition
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig

STEPS = 1300


class Base(NamedTuple):
    """Whose pictures are labelled by a model of whose."""

    own: Domain
    other: Domain
    experiment: str  # of the model that labels
    columns: tuple[str, ...]  # that it labels; the others stay the people's


BASES = {
    "raf_base": Base(
        RAF, AFFECTNET, "affectnet_multi", ("expression", "valence_arousal")
    ),
    "affectnet_base": Base(AFFECTNET, RAF, "raf_single", ("expression",)),
}


def make(
    name: str,
    out_dir: str,
    num_train: int = 4000,
    num_test: int = 2000,
    seed: int = 0,
    steps: int = STEPS,
    command: str = "",
) -> Dataset:
    """Draws both domains, trains the labelling model on one and labels the other.

    Training faces have the labels `expression` and `majority` (the same, for
    vgg_majority) and `valence_arousal`, and their truth; test faces the truth alone.
    dataset.json has how far the labels are from the truth, and in its notes the scores
    of the labelling model on the test faces. The domains and the model's run lie in
    the folder OUT_DIR_teacher; work that was cut short goes on there.

    Args:
      name: a key of BASES.
      out_dir: the prepared folder; one that was made alike is used as it is.
      num_train, num_test: faces of each domain.
      seed: of all that is drawn and of the labelling model.
      steps: of its training, at batches of 128.
      command: noted in dataset.json.

    Raises:
      UserError: an unknown name or size, or `out_dir` holds something else.
    """
    if name not in BASES:
        raise UserError(f"Unknown base {name!r}; known: {', '.join(BASES)}")
    if not 1 <= num_train <= LARGEST or not 1 <= num_test <= LARGEST or steps < 1:
        raise UserError(
            f"num_train {num_train} and num_test {num_test} must be in 1..{LARGEST}, "
            f"and steps {steps} above 0"
        )
    base = BASES[name]
    limit = {"train": num_train, "test": num_test}
    options = {"limit": limit, "seed": seed, "steps": steps}
    if is_made(out_dir, name, options):
        return dataset_lib.load(out_dir)
    folder_lib.check_target(out_dir, False)
    beside = f"{os.path.normpath(out_dir)}_teacher"
    own, other = (
        draw(domain, os.path.join(beside, domain.name), limit, seed)
        for domain in (base.own, base.other)
    )
    run_dir = _train(base, other, os.path.join(beside, "run"), seed, steps)
    labels, scores = _answers(run_dir, own, base.columns, steps)
    return _write(name, own, labels, out_dir, options, scores, command)


def teacher_config(base: Base, seed: int) -> ExperimentConfig:
    """The labelling model: VGGNet on its own domain's labels."""
    return config_lib.experiment_config(
        base.experiment,
        method="vgg_all",
        image_size=SIDE,
        width=0.125,
        batch_size=128,
        learning_rate=1e-3,
        dropout_rate=0.0,
        face_translation=0.06,
        seed=seed,
    )


def _train(base: Base, dataset: Dataset, run_dir: str, seed: int, steps: int) -> str:
    from kfer import runs

    config = teacher_config(base, seed)
    size = min(config.batch_size, dataset.split("train").num_records)
    config = dataclasses.replace(config, batch_size=size)
    settings = runs.RunSettings(
        steps=steps, eval_every=steps, strategy="default", command="drawn_faces"
    )
    if runs.train(config, dataset, run_dir, settings)["interrupted"]:
        raise UserError(f"The teacher in {run_dir} was stopped; start again to go on")
    return run_dir


def _answers(
    run_dir: str, dataset: Dataset, columns: tuple[str, ...], steps: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Labels of the training faces in stored order, and scores on the test faces."""
    from kfer.evaluation import scoring
    from kfer.training import compiling

    method, config, step = compiling.restored(run_dir)
    if step != steps:
        raise UserError(
            f"The teacher in {run_dir} has learned for {step} steps, asked for are "
            f"{steps}; remove it"
        )
    answers = scoring.traced(method, config)
    given = scoring.collect(answers, dataset, config, "train")
    labels: dict[str, list[Any]] = {
        "expression": given["expression"].prediction.argmax(axis=1).tolist()
    }
    if "valence_arousal" in columns:
        values = np.clip(given["valence_arousal"].prediction, -1.0, 1.0)
        labels["valence_arousal"] = list(map(tuple, values.tolist()))
    rows = zip(*labels.values(), strict=True)
    scores = scoring.scores(config, scoring.collect(answers, dataset, config))
    return [dict(zip(labels, row, strict=True)) for row in rows], scores


def _write(
    name: str,
    own: Dataset,
    labels: list[dict[str, Any]],
    out_dir: str,
    options: dict[str, Any],
    scores: dict[str, Any],
    command: str,
) -> Dataset:
    train = [
        face._replace(labels=face.labels | row | {"majority": row["expression"]})
        for face, row in zip(rewrite.records(own, "train"), labels, strict=True)
    ]

    def items() -> Iterator[tuple[str, Record]]:
        yield from (("train", face) for face in train)
        yield from (("test", face) for face in rewrite.records(own, "test"))

    majority = dataclasses.replace(own.columns["expression"], name="majority")
    return dataset_lib.write_items(
        out_dir,
        name,
        items(),
        own.columns | {"majority": majority},
        own.clean_columns,
        splits=SPLITS,
        image_size=SIDE,
        known_noise={"train": _noise(train)},
        options=options,
        notes={
            "labeller": json.loads(json.dumps(scores)),
            recorded.KEY: recorded.note(framing.AS_GIVEN),
        },
        command=command,
    )


def _noise(train: list[Record]) -> dict[str, dict[str, Any]]:
    """Label column -> how far it is from the truth."""
    given, truth = (
        np.array([getattr(face, part)["expression"] for face in train])
        for part in ("labels", "clean")
    )
    classes = {
        "achieved": flips.noise_rate(given, truth),
        "compared": len(train),
        "confusion": transition.estimate(given, truth, len(CLASSES)).tolist(),
    }
    values = continuous.achieved(
        *(
            np.array([getattr(face, part)["valence_arousal"] for face in train])
            for part in ("labels", "clean")
        )
    )
    return {"expression": classes, "majority": classes, "valence_arousal": values}
