"""The consensus of label sets in columns, by `kfer.crowd.dawid_skene`.

Pictures labelled alike share a posterior: with few annotators, a few patterns of labels
stand for any number of pictures.
"""

import numpy as np

from kfer.audit import agreement
from kfer.crowd import dawid_skene
from kfer.crowd.dawid_skene import Consensus
from kfer.crowd.triples import Triples
from kfer.errors import UserError

# Annotators at most whose matrices stand on their own; the more there are, the fewer
# labels has each, and a crowd's are shrunk.
FEW = 10
TOLERANCE = 1e-9
MAX_ITERATIONS = 2000


def fit(
    label_sets: np.ndarray,
    num_classes: int,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
    keys: np.ndarray | None = None,
) -> Consensus:
    """Fits the model by EM: the maximum of the likelihood, and of more than FEW
    annotators the shrinkage that foretells held-out labels best.

    Args:
      label_sets: integers [k, n], below 0 where missing.
      num_classes: K.
      tolerance: EM has converged when a step changes the log likelihood by less than
        this a labelled picture.
      max_iterations: it stops there, converged or not.
      keys: of the pictures, see kfer.crowd.triples.keys_of.

    Raises:
      UserError: no label at all, or one out of range.
    """
    sets = agreement.check(label_sets, num_classes)
    if not (sets >= 0).any():
        raise UserError(f"None of the {len(sets)} label sets has a label; no consensus")
    if len(sets) > FEW:
        return dawid_skene.consensus(Triples.of_sets(sets, num_classes, keys))
    patterns, place, counts = np.unique(
        sets, axis=1, return_inverse=True, return_counts=True
    )
    found = dawid_skene.fit(
        Triples.of_sets(patterns, num_classes),
        weights=counts,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    return found._replace(posterior=found.posterior[place.reshape(-1)])
