"""How far annotators agree: pairs, Cohen's and Fleiss' kappa; pure NumPy.

tfa.metrics.CohenKappa streams one pair at a time through TensorFlow and has no Fleiss;
the confusion matrix of a pair holds all that Cohen's needs, so kfer.metrics has it.
Labels are integers [k, n] of k annotators, below 0 where missing.
"""

from typing import Any

import numpy as np

from kfer.metrics import classification
from kfer.noise import flips


def check(label_sets: np.ndarray, num_classes: int) -> np.ndarray:
    """The labels as int64 [k, n]; see flips.check_labels for what is refused."""
    sets = np.asarray(label_sets)
    return flips.check_labels(sets.reshape(len(sets), -1), num_classes)


def pairwise(label_sets: np.ndarray, num_classes: int) -> dict[str, Any]:
    """Agreement of every two annotators over the pictures both labelled.

    Args:
      label_sets: [k, n].
      num_classes: K.

    Returns:
      Three [k, k] lists of lists: 'both' pictures compared, the share 'agreement' and
      Cohen's 'kappa' (1 full agreement, 0 as good as chance). None where the two have
      no picture in common; kappa also where both only ever say one same class.
    """
    sets = check(label_sets, num_classes)
    found: dict[str, Any] = {"both": [], "agreement": [], "kappa": []}
    for first in sets:
        counts = []
        for second in sets:
            both = (first >= 0) & (second >= 0)
            counts.append(
                classification.confusion_matrix(first[both], second[both], num_classes)
            )
        found["both"].append([int(table.sum()) for table in counts])
        found["agreement"].append([classification.accuracy(table) for table in counts])
        found["kappa"].append([classification.cohen_kappa(table) for table in counts])
    return found


def votes(label_sets: np.ndarray, num_classes: int) -> np.ndarray:
    """How many annotators give each class, int64 [n, K]."""
    sets = check(label_sets, num_classes)
    counts = np.zeros((sets.shape[1], num_classes), np.int64)
    for labels in sets:
        rows = np.flatnonzero(labels >= 0)
        counts[rows, labels[rows]] += 1
    return counts


def fleiss_kappa(counts: np.ndarray) -> float | None:
    """Agreement of all annotators beyond chance (Fleiss 1971), missing labels allowed.

    Observed is the mean over pictures of the share of their pairs of labels that agree;
    chance is the sum over classes of p_c^2, p_c being the mean over the same pictures
    of the class's share of their labels. Every picture of two labels or more counts
    once, however many it has (after Gwet 2014); others can't agree and are left out.
    With as many labels for each picture this is Fleiss' own.

    Args:
      counts: labels by class [n, K], of `votes`.

    Returns:
      1 is full agreement, 0 as good as chance; None if no picture has two labels, or
      all labels are of one class.
    """
    counts = np.asarray(counts, np.float64)
    totals = counts.sum(axis=1)
    counts, totals = counts[totals >= 2], totals[totals >= 2]
    if not len(counts):
        return None
    pairs = np.sum(counts * (counts - 1), axis=1) / (totals * (totals - 1))
    observed = pairs.mean()
    chance = float(np.sum(np.mean(counts / totals[:, None], axis=0) ** 2))
    return float((observed - chance) / (1.0 - chance)) if chance < 1.0 else None


def unanimity(counts: np.ndarray) -> dict[str, Any]:
    """How many pictures all their annotators label alike.

    Args:
      counts: labels by class [n, K], of `votes`.

    Returns:
      'labels' -> pictures by number of labels (0, 1, ..); 'compared', pictures of two
      labels or more; of these the shares 'all_agree', all labels alike, and
      'no_majority', no class has more labels than every other. None if compared is 0.
    """
    totals = counts.sum(axis=1)
    several = counts[totals >= 2]
    ordered = np.sort(several, axis=1)
    agree = ordered[:, -1] == several.sum(axis=1)
    tied = ordered[:, -1] == ordered[:, -2]
    return {
        "labels": np.bincount(totals).tolist(),
        "compared": len(several),
        "all_agree": float(agree.mean()) if len(several) else None,
        "no_majority": float(tied.mean()) if len(several) else None,
    }
