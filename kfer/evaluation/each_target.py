"""The scores of every target, each against what it has: one number for one thing.

Training, kfer-evaluate, the blessing and Model.evaluate compare a target with the same
split and the same truth or labels, see yardstick.elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kfer.data.dataset import Dataset
from kfer.evaluation import scoring, yardstick
from kfer.evaluation.yardstick import Yardstick
from kfer.settings.config import ExperimentConfig


def scorer(
    method: Any, dataset: Dataset, config: ExperimentConfig, compared: Yardstick
) -> Callable[[], dict[str, Any]]:
    """The scores of every target, for use many times in a run.

    Args:
      method, dataset, config: see scoring.evaluate.
      compared: what most targets are compared with, see yardstick.choose.

    Returns:
      What gives target -> its kfer.metrics.suite.evaluate_task; with 'split' and
      'against' those that `compared` has nothing of, see yardstick.elsewhere.
    """
    answers = scoring.traced(method, config)
    others = {
        target: own
        for target, own in yardstick.elsewhere(dataset, config, compared).items()
        if own
    }

    def score() -> dict[str, Any]:
        split, against = compared
        rows = scoring.collect(answers, dataset, config, split, against=against)
        found = scoring.scores(config, rows)
        for target, own in others.items():
            found[target] = scoring.alone(answers, dataset, config, target, own)
            found[target] |= own.as_dict()
        return found

    return score


def of_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of scoring.evaluate_run's result, with those of 'elsewhere'."""
    found = dict(result["scores"])
    for target, own in result.get("elsewhere", {}).items():
        if own:
            found[target] = own["scores"] | Yardstick.noted(own).as_dict()
    return found
