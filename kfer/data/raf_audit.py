"""How noisy a machine's labels of RAF-DB are, from the label files alone.

The 2021 RAF experiments learn from labels that a model trained on AffectNet gave. This
compares them with RAF-DB's own list: the noise rate of the training labels, the
labeller's accuracy on the test split (a baseline that a method trained on its labels
should reach), and how much of each class it kept.
"""

import dataclasses
import os

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import label_orders, tables
from kfer.data.datasets import machine_labels
from kfer.errors import UserError

ORDER = label_orders.ORDERS["raf"]
CLASSES = tasks_lib.EXPRESSIONS[:7]
LISTS = ("list_patition_label.txt", "EmoLabel/list_patition_label.txt")
EXPRESSION = "machine_expression.txt"
VALUES = "machine_valence_arousal.txt"


@dataclasses.dataclass(frozen=True)
class Audit:
    """What the files say.

    Attributes:
      num_train, num_test: rows of each split.
      train_noise: share of training labels that differ from the list.
      test_accuracy: share of test labels that agree with it.
      test_mean_class_accuracy: mean over classes of the share that agrees.
      confusion: int [7, 7] training counts, the list by row, the machine by column, in
        kfer's order.
      values_clipped: valences and arousals outside [-1, 1].
      value_means: float [7, 2] mean machine valence and arousal of each class, all
        rows.
    """

    num_train: int
    num_test: int
    train_noise: float
    test_accuracy: float
    test_mean_class_accuracy: float
    confusion: np.ndarray
    values_clipped: int
    value_means: np.ndarray | None

    @property
    def kept(self) -> dict[str, float]:
        """Class -> share of its training rows that the machine labels alike."""
        kept = np.diag(self.confusion) / self.confusion.sum(axis=1)
        return dict(zip(CLASSES, kept.tolist(), strict=True))


def audit(folder: str) -> Audit:
    """Compares the machine's files with the list beside them.

    Args:
      folder: holds the list, machine_expression.txt and, if there,
        machine_valence_arousal.txt.

    Raises:
      UserError: a file is missing, malformed, or names other images.
    """
    truth = read_list(folder)
    paths = [os.path.join(folder, name) for name in (EXPRESSION, VALUES)]
    if not os.path.isfile(paths[0]):
        raise UserError(f"{folder} has no {EXPRESSION}; it holds the machine's labels")
    machine = machine_labels.read(",".join(filter(os.path.isfile, paths)), ORDER)
    machine.check(truth)
    train, test = (
        confusion({k: v for k, v in truth.items() if k.startswith(split)}, machine)
        for split in ("train_", "test_")
    )
    return Audit(
        int(train.sum()),
        int(test.sum()),
        float(1 - np.trace(train) / train.sum()),
        float(np.trace(test) / test.sum()),
        float(np.mean(np.diag(test) / test.sum(axis=1))),
        train,
        machine.clipped,
        _means(truth, machine),
    )


def read_list(folder: str) -> dict[str, int]:
    """Image id -> kfer's class, of RAF-DB's list.

    Raises:
      UserError: there is none, or a line is malformed.
    """
    path = tables.first_existing(folder, *LISTS)
    if not path:
        raise UserError(f"{folder} has no {LISTS[0]}")
    labels = machine_labels.read(path, ORDER).expression
    if odd := [k for k in labels if not k.startswith(("train_", "test_"))]:
        raise UserError(f"{path} names {odd[0]!r}, which is no train_ or test_ image")
    return labels


def confusion(
    truth: dict[str, int], machine: machine_labels.MachineLabels
) -> np.ndarray:
    """int [7, 7] counts, the truth by row."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    pairs = [(label, machine.expression[name]) for name, label in truth.items()]
    np.add.at(counts, tuple(np.array(pairs).T), 1)
    return counts


def _means(
    truth: dict[str, int], machine: machine_labels.MachineLabels
) -> np.ndarray | None:
    if not machine.valence_arousal:
        return None
    labels = np.array(list(truth.values()))
    values = np.array([machine.valence_arousal[name] for name in truth])
    return np.array([values[labels == k].mean(axis=0) for k in range(len(CLASSES))])


def describe(found: Audit) -> str:
    """The audit as a short text."""
    lines = [
        f"training labels: {found.num_train}, noise {found.train_noise:.2%}",
        f"labeller on the test split ({found.num_test}): accuracy "
        f"{found.test_accuracy:.2%}, mean class accuracy "
        f"{found.test_mean_class_accuracy:.2%}",
        f"valence and arousal outside [-1, 1]: {found.values_clipped}",
        "",
        f"{'class':10}{'kept':>7}  machine's labels of its training pictures",
    ]
    for index, (name, kept) in enumerate(found.kept.items()):
        row = zip(CLASSES, found.confusion[index], strict=True)
        counts = ", ".join(f"{other} {n}" for other, n in row if n)
        lines.append(f"{name:10}{kept:7.3f}  {counts}")
    return "\n".join(lines)
