"""Whether a model is good enough to be published."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
        the targets of both on the same examples) may fall below that model's.
      unscored: targets that there is nothing to compare with; they meet no threshold.

    Raises:
      UserError: a threshold names a target or measure that was not scored.
    """
    found = [
        row.objection for row in thresholds(scores, minimum, unscored) if not row.is_met
    ]
    now, then = ranks(scores, before or {})
    if now is not None and then is not None and now < then - largest_drop:
        found.append(
            f"its score {now:.4f} is below the last blessed model's {then:.4f}"
        )
    return found


class Threshold(NamedTuple):
    """A score beside what is asked of it, in words.

    Attributes:
      name: 'target/measure'.
      shown: the score; '' where there was nothing to compare with.
      bound: 'at least 0.5', or 'at most 0.1' of suite.LOWER_IS_BETTER.
      is_met: whether the score is so.
    """

    name: str
    shown: str
    bound: str
    is_met: bool

    @property
    def objection(self) -> str:
        """What to say where it is not met."""
        if not self.shown:
            return f"{self.name} can't be had: nothing to compare with"
        return f"{self.name} is {self.shown}, {self.bound} is asked for"


def thresholds(
    scores: Scores, minimum: Mapping[str, float], unscored: Sequence[str] = ()
) -> list[Threshold]:
    """What is asked of a model's scores, and whether they are so; see `objections`."""
    return [
        _threshold(scores, name, least, unscored) for name, least in minimum.items()
    ]


def _threshold(
    scores: Scores, name: str, least: float, unscored: Sequence[str]
) -> Threshold:
    is_error = name.rpartition("/")[2] in suite.LOWER_IS_BETTER
    bound = f"{'at most' if is_error else 'at least'} {least:g}"
    if not scores or name.partition("/")[0] in unscored:
        return Threshold(name, "", bound, False)
    value = _value(scores, name)
    if value is None:
        return Threshold(name, "unknown", bound, False)
    is_met = value <= least if is_error else value >= least
    return Threshold(name, f"{value:.4f}", bound, is_met)


def ranks(scores: Scores, before: Scores) -> tuple[float | None, float | None]:
    """The scores that rank two models, over the targets that both were compared with
    the same in; None without any."""
    common = [t for t in scores if t in before and _on(scores[t]) == _on(before[t])]
    if not common:
        return None, None
    # Each against its like, so it doesn't matter that targets differ in what that is.
    now, then = (
        suite.score_of({t: _without(rows[t], _YARDSTICK) for t in common})
        for rows in (scores, before)
    )
    return now, then


_YARDSTICK = ("split", "against")


def _on(row: Mapping[str, Any]) -> list[Any]:
    return [row.get(key) for key in _YARDSTICK]


def _without(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


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
