"""Answers for one face over time, averaged so that they don't flicker."""

from collections.abc import Iterable, Sequence
from typing import Any

from kfer.serving import predict


class Smoother:
    """Exponential averages of each face's answers.

    An answer that is t seconds old weighs 0.5 ** (t / half_life) of what it did, so the
    result doesn't depend on how many frames are looked at. Averages of probabilities
    sum to 1; the class is that of the averages.

    Args:
      targets: of the predictor.
      half_life: in seconds; 0 leaves answers as they are.
    """

    def __init__(self, targets: Sequence[dict[str, Any]], half_life: float):
        self._targets = targets
        self._half_life = half_life
        self._last: dict[int, tuple[float, dict[str, Any]]] = {}

    def add(self, face: int, seconds: float, answer: dict[str, Any]) -> dict[str, Any]:
        """The smoothed answer.

        Args:
          face: its id.
          seconds: of the frame. Where a film's clock jumps back, what was stays as it
            is for that frame.
          answer: of predict.Predictor for it.
        """
        if not self._half_life:
            return answer
        if face in self._last:
            before, old = self._last[face]
            kept = 0.5 ** (max(0.0, seconds - before) / self._half_life)
            answer = {
                t["name"]: _mixed(t, old[t["name"]], answer[t["name"]], kept)
                for t in self._targets
            }
        self._last[face] = (seconds, answer)
        return answer

    def keep(self, faces: Iterable[int]) -> None:
        """Forgets all other faces."""
        self._last = {f: self._last[f] for f in faces if f in self._last}


def _mixed(target: dict[str, Any], old: Any, new: Any, kept: float) -> dict[str, Any]:
    if target["classes"]:
        old, new = old["probabilities"], new["probabilities"]
    values = [kept * old[name] + (1.0 - kept) * new[name] for name in new]
    if target["classes"]:
        return predict.class_answer(target["classes"], values)
    return dict(zip(target["dimensions"], values, strict=True))
