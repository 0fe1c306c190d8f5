"""What a model's answers are compared with: the truth, else labels held out."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from kfer.data import meanings
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, LABEL, LABELS, TRUTH
from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig
from kfer.tasks import LabelTask

_SPLITS = ("test", "valid")


class NothingToCompareError(UserError):
    """No truth and no labels held out, so there is no score."""


class Yardstick(NamedTuple):
    """A split, and what of it answers are compared with: TRUTH or LABELS.

    A comparison with labels pools the label sets of a truth: each label given is one
    example, so 'accuracy' is the share of them that the model agrees with. It is no
    accuracy: a model that is always right agrees with noisy labels only as often as
    their annotators are right.
    """

    split: str = "test"
    against: str = TRUTH

    def describe(self) -> str:
        """'the clean test split', or 'the labels of the split valid (...)'."""
        if self.against == TRUTH:
            return f"the clean {self.split} split"
        return (
            f"the labels of the split {self.split}, which were not learned from "
            "(agreement with annotators: no truth is known)"
        )

    @property
    def brief(self) -> str:
        """'clean test', or 'held-out valid'."""
        return f"{'clean' if self.against == TRUTH else 'held-out'} {self.split}"

    @classmethod
    def noted(cls, row: Mapping[str, Any]) -> "Yardstick":
        """That of a row with its 'split' and 'against', see as_dict."""
        return cls(row["split"], row["against"])

    def as_dict(self) -> dict[str, str]:
        """As plain values."""
        return self._asdict()


CLEAN_TEST = Yardstick()


def of_metrics(metrics: dict[str, Any]) -> Yardstick:
    """What the scores of a metrics.json are against; see loop.train."""
    return Yardstick(**metrics["scored_on"]) if "scored_on" in metrics else CLEAN_TEST


def choose(
    dataset: Dataset, config: ExperimentConfig, split: str = "", against: str = ""
) -> Yardstick:
    """What a data set has to compare a model with.

    Args:
      dataset: prepared.
      config: of the model.
      split: to score on. If '', the truth of test, else of valid, else the labels of
        test, else of valid. The labels of train are learned from and never compared
        with unless that is asked for.
      against: TRUTH or LABELS; if '', the truth where there is any.

    Raises:
      NothingToCompareError: no split has anything to compare with.
      UserError: the split that is asked for has nothing.
    """
    from kfer.data import labels

    if split:
        known = split == "train" or _has(dataset, config, Yardstick(split, TRUTH))
        found = Yardstick(split, against or (TRUTH if known else LABELS))
        labels.compared_columns(dataset, config.tasks, *found)
        return found
    for kind in (against,) if against else (TRUTH, LABELS):
        for name in _SPLITS:
            if _has(dataset, config, Yardstick(name, kind)):
                return Yardstick(name, kind)
    raise NothingToCompareError(_why_nothing(dataset, config))


def _why_nothing(dataset: Dataset, config: ExperimentConfig) -> str:
    """Other labels than the model's are told from none at all."""
    if unlike := meanings.unlike(dataset, config.tasks):
        return unlike
    held_out = [dataset.splits[n].given for n in _SPLITS if n in dataset.splits]
    others = {name for given in held_out for name in given if name.startswith(LABEL)}
    learned = {task.column for task in config.tasks}
    others = {name.removeprefix(LABEL) for name in others}
    if others and not others & learned:
        return (
            f"{dataset.root} has no truth held out, and labels of "
            f"{', '.join(sorted(others))} alone; the model learned those of "
            f"{', '.join(sorted(learned))}, so no score can be had. kfer-audit "
            "compares a model with other annotators' labels"
        )
    return (
        f"{dataset.root} has no truth and no labels held out, so no score can be "
        "had: no accuracy, no confusion, no CCC; --holdout=0.1 of kfer-train keeps a "
        "tenth of the pictures back and tells how often the model agrees with their "
        "annotators"
    )


def elsewhere(
    dataset: Dataset, config: ExperimentConfig, first: Yardstick
) -> dict[str, Yardstick | None]:
    """What the targets are compared with that `first` has nothing of.

    Returns:
      Target -> the best that it has, by itself; None if it can't be scored at all.
    """
    found: dict[str, Yardstick | None] = {}
    for target in dict.fromkeys(task.target for task in config.tasks):
        own = of_target(config, target)
        if _has(dataset, own, first):
            continue
        try:
            found[target] = choose(dataset, own)
        except NothingToCompareError:
            found[target] = None
    return found


def of_target(config: ExperimentConfig, target: str) -> ExperimentConfig:
    """The config with the tasks of one target."""
    own = tuple(task for task in config.tasks if task.target == target)
    return dataclasses.replace(config, tasks=own)


def _has(dataset: Dataset, config: ExperimentConfig, wanted: Yardstick) -> bool:
    from kfer.data import labels

    if wanted.split not in dataset.splits:
        return False
    given = dataset.splits[wanted.split].given
    feature = labels.feature_of if wanted.against == LABELS else _truth_feature
    return any(given.get(feature(task)) for task in config.tasks)


def _truth_feature(task: LabelTask) -> str:
    return CLEAN + task.target
