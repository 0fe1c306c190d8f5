"""What makes a model of annotators doubtful, in one line each.

Lines come by what they are about, so that each is said once a run.
"""

from collections.abc import Sequence

import numpy as np

# Below it a matrix counts as singular. The identity's smallest singular value is 1,
# that of labels which take two classes for each other in 40 % of the cases 0.2.
_SINGULAR = 0.02
# More of the answers in one class than this, where labels have less than that.
_COLLAPSED, _LABELLED = 0.95, 0.8


def of_matrices(
    name: str, classes: Sequence[str], matrices: np.ndarray, single: bool = False
) -> dict[str, str]:
    """A line if annotators' labels don't tell two classes apart.

    Args:
      name: of the target, or of the label set.
      classes: their names.
      matrices: [A, K, K] T[true, given], rows sum to 1.
      single: the label set of one annotator, who needs no number.
    """
    least = np.linalg.svd(matrices, compute_uv=False)[:, -1]
    found = np.flatnonzero(least < _SINGULAR)
    if not len(found):
        return {}
    worst = int(found[np.argmin(least[found])])
    one, other = _nearest(matrices[worst])
    who = "its annotator" if single else f"annotator {worst + 1}"
    more = f"; {len(found)} of {len(matrices)} annotators are so" if not single else ""
    line = (
        f"{name}: the matrix of {who} is singular (smallest singular value "
        f"{least[worst]:.3f}), their labels don't tell {classes[one]!r} from "
        f"{classes[other]!r}{more}"
    )
    return {f"{name}/matrices": line}


def _nearest(matrix: np.ndarray) -> tuple[int, int]:
    """The two classes whose rows differ least."""
    apart = np.abs(matrix[:, None] - matrix[None]).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    one, other = np.unravel_index(np.argmin(apart), apart.shape)
    return int(one), int(other)


def of_answers(
    name: str, classes: Sequence[str], answers: np.ndarray, prior: np.ndarray
) -> dict[str, str]:
    """A line if nearly all answers are one class and the labels aren't.

    Args:
      name: of the target.
      classes: their names.
      answers: [N, K], an example each, of any positive sum; rows of zeros don't count.
      prior: [K], how frequent annotators make the classes.
    """
    given = answers[answers.sum(axis=1) > 0.0]
    if not len(given):
        return {}
    shares = np.bincount(given.argmax(axis=1), minlength=len(classes)) / len(given)
    first = int(shares.argmax())
    if shares[first] <= _COLLAPSED or prior[first] >= _LABELLED:
        return {}
    line = (
        f"{name}: the answers have collapsed, {shares[first]:.0%} of them are "
        f"{classes[first]!r}, which annotators make {prior[first]:.0%}; what is "
        "learned follows them. Lower --learning_rate or --set=em_power, or raise "
        "--set=em_start_epoch"
    )
    return {f"{name}/answers": line}
