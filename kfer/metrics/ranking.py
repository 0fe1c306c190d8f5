"""How well a score ranks what is sought: pure NumPy."""

import numpy as np

from kfer.errors import UserError


def average_precision(sought: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the precision-recall curve, as average precision.

    The sum over distinct scores, highest first, of the precision among what scores at
    least that much times the recall it adds. No line is drawn between points, which
    would flatter, and equal scores count as one. A score that knows nothing has the
    share of what is sought.

    Args:
      sought: bool [n].
      scores: [n], higher for what is more likely sought.

    Returns:
      In (0, 1], 1 if everything sought comes first; None if nothing is sought.

    Raises:
      UserError: the two differ in length, or a score is NaN.
    """
    sought, scores = np.asarray(sought, bool), np.asarray(scores, np.float64)
    if sought.shape != scores.shape or sought.ndim != 1 or np.isnan(scores).any():
        raise UserError(
            f"{scores.shape} scores, {np.isnan(scores).sum()} of them NaN, can't rank "
            f"{sought.shape} examples; expected one number each"
        )
    if not sought.any():
        return None
    order = np.argsort(-scores, kind="stable")
    # The last place of each run of equal scores.
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(sought[order])[ends]
    precision = found / (ends + 1)
    return float(np.sum(precision * np.diff(found, prepend=0)) / sought.sum())
