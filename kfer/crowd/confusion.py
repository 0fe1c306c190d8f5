"""Confusion matrices of annotators: the two steps of EM, and shrinkage.

The model is that of Dawid and Skene (1979): given the truth i, annotator a says j with
probability T_a[i, j], independently of the others.
"""

import numpy as np

from kfer.crowd.triples import Triples

SKILL_LABELS = 2.0  # at the crowd's rate, beside an annotator's own labels


def posterior(
    log_prior: np.ndarray, log_matrices: np.ndarray, triples: Triples
) -> tuple[np.ndarray, np.ndarray]:
    """E-step: the probability of each class of each item, given what was said.

    In logarithms: many annotators multiply to less than the smallest double. A log of 0
    is -inf, which adds up rightly as long as every item keeps a class that is possible.

    Args:
      log_prior: of the classes, [K], or each item's own [N, K] (a net's answers).
      log_matrices: log T_a [A, K, K], truth by row.
      triples: L labels of N items by A annotators.

    Returns:
      q float64 [N, K], rows that sum to 1 (the prior where an item has no label), and
      the log probability of what was said of each item, [N].
    """
    annotators, classes, _ = log_matrices.shape
    by_label = log_matrices.transpose(0, 2, 1).reshape(annotators * classes, classes)
    joint = log_prior + triples.says @ by_label
    top = joint.max(axis=1, keepdims=True)
    q = np.exp(joint - top)
    total = q.sum(axis=1, keepdims=True)
    return q / total, (top + np.log(total))[:, 0]


def confusion_counts(q: np.ndarray, triples: Triples) -> np.ndarray:
    """The counting half of the M-step: how often each annotator said j of truth i.

    Args:
      q: probability of each class [N, K], or that times a weight of the item.
      triples: L labels of N items by A annotators.

    Returns:
      Expected counts float64 [A, K, K], truth by row.
    """
    classes = q.shape[1]
    counts = triples.heard @ q  # [A * K, K], label by row
    return counts.reshape(-1, classes, classes).transpose(0, 2, 1)


def normalised(rows: np.ndarray) -> np.ndarray:
    """Rows [.., K] that sum to 1; a row of 0 stays."""
    totals = rows.sum(axis=-1, keepdims=True)
    return np.divide(rows, totals, np.zeros_like(rows), where=totals > 0)


def shrunk_matrices(counts: np.ndarray, strength: float) -> np.ndarray:
    """The other half of the M-step: matrices where a crowd fills the gaps.

    An annotator of forty labels has no matrix of 7 x 7 of their own. Each row is drawn
    towards the crowd's, as if the annotator had given `strength` more labels of that
    class: right at their own rate (one-coin), wrong as the pooled matrix is wrong.
    Towards the pooled matrix alone, rates and all, a guesser would count as much as
    anybody until the rows fill.

    Args:
      counts: expected counts [A, K, K] of `confusion_counts`.
      strength: in labels, 0 to infinity. 0 is maximum likelihood, and a row without
        labels stays 0; infinity leaves one number an annotator.

    Returns:
      T float64 [A, K, K], truth by row, rows that sum to 1.
    """
    if strength == 0:
        return normalised(counts)
    target = _towards(counts)
    return target if np.isinf(strength) else normalised(counts + strength * target)


def one_coin_matrices(counts: np.ndarray, strength: float = 0.0) -> np.ndarray:
    """One number an annotator: right with p_a, and else any other class alike.

    Args:
      counts: expected counts [A, K, K].
      strength: labels at the crowd's rate that each annotator is given, beside
        SKILL_LABELS, which keep anybody from being always right.

    Returns:
      T float64 [A, K, K], all above 0.
    """
    classes = counts.shape[-1]
    same = np.eye(classes)
    right = rates(counts, strength + SKILL_LABELS)[:, None, None]
    return right * same + (1.0 - right) * (1.0 - same) / max(classes - 1, 1)


def rates(counts: np.ndarray, labels: float = SKILL_LABELS) -> np.ndarray:
    """The share of right labels of each annotator, [A], above 0 and below 1.

    Args:
      counts: expected counts [A, K, K].
      labels: that many at the crowd's rate are added to an annotator's own; the crowd
        itself is given one right and one wrong.
    """
    right = np.trace(counts, axis1=1, axis2=2)
    said = counts.sum(axis=(1, 2))
    crowd = (right.sum() + 1.0) / (said.sum() + 2.0)
    return (right + labels * crowd) / (said + labels)


def _towards(counts: np.ndarray) -> np.ndarray:
    """What `shrunk_matrices` shrinks to, [A, K, K]: own rate, the crowd's errors."""
    same = np.eye(counts.shape[-1])
    # One label more of each error keeps every class possible.
    wrong = normalised((counts.sum(axis=0) + 1.0) * (1.0 - same))
    right = rates(counts)[:, None, None]
    return right * same + (1.0 - right) * wrong
