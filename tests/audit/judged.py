"""Label sets and a model's answers by hand, and an audit of them; no network."""

import types

import numpy as np

from kfer import tasks
from kfer.audit import audit, dawid_skene
from kfer.audit.answers import Answers
from kfer.audit.label_sets import LabelSets
from kfer.data import record
from kfer.settings import config as config_lib

CLASSES = ("happy", "sad")
NAMES = ("annotator_1", "annotator_2", "annotator_3")


def sets(truth: bool = True, annotators: int = 3) -> LabelSets:
    """Six pictures: annotator_2 errs on d, annotator_3 on a and nobody labels f; the
    values of d are off."""
    names = NAMES[:annotators]
    columns = {name: record.categorical(name, CLASSES) for name in names}
    columns["valence_arousal"] = record.valence_arousal()
    rows = ((0, 0, 1, 1, 0, -1), (0, 0, 1, 0, 0, -1), (1, 0, 1, 1, 0, -1))
    labels = {n: np.array(row) for n, row in zip(names, rows, strict=False)}
    valence = np.array([0.5, 0.3, -0.7, 0.9, -0.1, np.nan])
    labels["valence_arousal"] = np.stack([valence, 0 * valence], axis=1)
    clean, clean_columns = {}, {}
    if truth:
        clean["expression"] = np.array([0, 0, 1, 1, 0, 1])
        clean_columns["expression"] = record.categorical("expression", CLASSES)
        right = np.array([0.5, 0.3, -0.7, 0.0, -0.1, np.nan])
        clean["valence_arousal"] = np.stack([right, 0 * right], axis=1)
        clean_columns["valence_arousal"] = record.valence_arousal()
    return LabelSets(list("abcdef"), labels, clean, columns, clean_columns)


def found(label_sets: LabelSets) -> audit.Audit:
    """What audit.audit would say of them, as far as a judgement reads it."""
    names = label_sets.annotators()
    stack = np.stack([label_sets.labels[name] for name in names])
    return audit.Audit({}, label_sets, dawid_skene.fit(stack, len(CLASSES)))


PROBABILITIES = np.array(
    [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]
)
# Their mean over a to e is d's, so d's outlier changes the bias and not the scale.
VALUES = np.array([[0.5, 0], [0.3, 0], [-0.7, 0], [0, 0], [-0.1, 0], [0, 0]])


def answers(joint=None, method=None, **fields) -> Answers:
    """A model that errs on e alone; `joint` are its scores of S_joint."""
    target = tasks.LabelTask("expression", tasks.CATEGORICAL, CLASSES)
    learned = (
        *tasks.annotator_tasks(3, CLASSES, target.name),
        tasks.valence_arousal_task(),
    )
    config = config_lib.experiment_config("raf_multi", tasks=learned)
    run = {
        "folder": "/runs/a",
        "method": "joint",
        "step": 12,
        "learned_these_labels": False,
    }
    return Answers(
        run | fields,
        method or types.SimpleNamespace(),
        config,
        {"expression": PROBABILITIES, "valence_arousal": VALUES},
        joint or {},
    )


def joint() -> dict[str, np.ndarray]:
    """S_joint is 1 of all but d, which is -1 and would be 2 with annotator_2 'sad'."""
    given = np.array([1, 1, 1, -1, 1, 0], np.float32)
    scores = {"given": given}
    for name in NAMES:
        scores[name] = np.stack([given, given], axis=1)
    scores["annotator_2"][3] = (-1, 2)
    scores["valence_arousal"] = given[:, None] - 0.5
    return scores
