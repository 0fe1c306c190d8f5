"""Whether a model is good enough to be published."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfer.errors import UserError
from kfer.metrics import suite
from kfer.tasks import LabelTask, task_of_target

Scores = Mapping[str, Mapping[str, Any]]


def objections(
    scores: Scores,
    minimum: Mapping[str, float],
    before: Scores | None = None,
    largest_drop: float = 0.0,
    unscored: Sequence[str] = (),
) -> list[str]:
    """Why a model is not blessed; empty if it is.

    Args:
      scores: target -> its kfer.metrics.suite.evaluate_task, of the model; empty where
        there was nothing to compare with, which meets no threshold.
      minimum: 'target/measure' -> the least value, such as
        {'expression/accuracy': 0.5}; the largest one for suite.LOWER_IS_BETTER.
      before: the scores of the last blessed model on the same examples.
      largest_drop: by how much the mean of accuracy and CCC (evaluation.score_of, over
        the targets of both) may fall below that model's.
      unscored: targets that there is nothing to compare with; they meet no threshold.

    Raises:
      UserError: a threshold names a target or measure that was not scored.
    """
    if not scores:
        return [f"{name} can't be had: nothing to compare with" for name in minimum]
    found = []
    for name, least in minimum.items():
        if name.partition("/")[0] in unscored:
            found.append(f"{name} can't be had: nothing to compare with")
            continue
        value = _value(scores, name)
        is_error = name.rpartition("/")[2] in suite.LOWER_IS_BETTER
        if value is None or (value > least if is_error else value < least):
            shown = "unknown" if value is None else f"{value:.4f}"
            bound = "at most" if is_error else "at least"
            found.append(f"{name} is {shown}, {bound} {least:g} is asked for")
    common = [target for target in scores if before and target in before]
    if before and common:
        now = suite.score_of({target: scores[target] for target in common})
        then = suite.score_of({target: before[target] for target in common})
        if now < then - largest_drop:
            found.append(
                f"its score {now:.4f} is below the last blessed model's {then:.4f}"
            )
    return found


def check(minimum: Iterable[str], tasks: Iterable[LabelTask]) -> None:
    """Raises UserError if a threshold names what evaluation won't score."""
    known = [
        f"{target}/{measure}"
        for target, task in task_of_target(tasks).items()
        for measure in suite.MEASURES[task.kind]
    ]
    for name in minimum:
        if name not in known:
            raise UserError(f"No score is called {name!r}; known: {', '.join(known)}")


def _value(scores: Scores, name: str) -> float | None:
    target, _, measure = name.partition("/")
    if measure not in scores.get(target, {}):
        known = [f"{t}/{m}" for t, row in scores.items() for m in row]
        raise UserError(f"No score is called {name!r}; known: {', '.join(known)}")
    return scores[target][measure]


def describe(reasons: Sequence[str]) -> str:
    """The verdict in one line."""
    return f"not blessed: {'; '.join(reasons)}" if reasons else "blessed"
