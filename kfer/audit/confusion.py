"""One label set against a reference: the truth, or the annotators' consensus."""

from typing import Any

import numpy as np

from kfer.metrics import classification
from kfer.noise import flips


def against(
    labels: np.ndarray, reference: np.ndarray, num_classes: int
) -> dict[str, Any]:
    """How a label set differs from a reference.

    Args:
      labels: integers [n], below 0 where missing.
      reference: integers [n], below 0 where unknown.
      num_classes: K.

    Returns:
      'given' labels by class [K]; 'compared' pictures; of these 'noise', the share that
      differs, 'kappa' (Cohen), 'confusion' counts [K, K] with the reference by row, and
      'kept', the share of each reference class that is labelled alike. None where
      nothing can be compared: a class without pictures is unknown, not guessed.

    Raises:
      UserError: a label out of range, or the two differ in length.
    """
    noise = flips.noise_rate(labels, reference)
    labels, truth = (flips.check_labels(x, num_classes) for x in (labels, reference))
    known = (labels >= 0) & (truth >= 0)
    counts = classification.confusion_matrix(truth[known], labels[known], num_classes)
    return {
        "given": np.bincount(labels[labels >= 0], minlength=num_classes).tolist(),
        "compared": int(known.sum()),
        "noise": noise,
        "kappa": classification.cohen_kappa(counts),
        "confusion": counts.tolist(),
        "kept": classification.recalls(counts),
    }
