"""What EM holds of a hidden class: its annotators' matrices and its prior."""

import numpy as np
import tensorflow as tf

from kfer.crowd import dawid_skene
from kfer.crowd.triples import Triples
from kfer.methods import annotated, doubts
from kfer.noise import transition
from kfer.structures import Batch
from kfer.tasks import LabelTask

TINY = 1e-7
_MOST = 1e9


def kept(name: str, *shape: int) -> tf.Variable:
    """A variable of zeros that no optimizer moves."""
    return tf.Variable(tf.zeros(shape), trainable=False, name=name)


class ClassTruth:
    """What is held of one target with K classes and A annotators.

    Attributes:
      target: its name.
      tasks: its label sets.
      counts_of: annotators of each.
      log_matrices: log T [A, K, K], T[true, given].
      log_prior: of the classes, [K].
      strength: of the matrices' shrinkage, in labels.
    """

    def __init__(self, target: str, tasks: tuple[LabelTask, ...], counts: tuple):
        self.target, self.tasks, self.counts_of = target, tasks, counts
        classes, annotators = tasks[0].size, sum(counts)
        self.log_matrices = kept(f"log_matrices_{target}", annotators, classes, classes)
        self.log_prior = kept(f"log_prior_{target}", classes)
        self.strength = kept(f"strength_{target}")

    def begin(self, triples: Triples, diagonal: float) -> None:
        """Starts from Dawid and Skene's fit, or from `diagonal` where none can be."""
        if np.max(triples.of_item(), initial=0) > 1:
            found = dawid_skene.fit_held_out(triples)
            matrices, prior, strength = found.confusions, found.prior, found.strength
        else:
            votes = triples.votes().sum(axis=0)
            if not votes.any():
                votes = np.ones(triples.num_classes)  # nobody said anything of it
            prior, strength = votes / votes.sum(), dawid_skene.STRENGTHS[0]
            matrices = transition.symmetric(triples.num_classes, 1.0 - diagonal)
            matrices = np.broadcast_to(matrices, self.log_matrices.shape)
        self.log_matrices.assign(np.log(np.maximum(matrices, TINY)))
        self.log_prior.assign(np.log(np.maximum(prior, TINY)))
        # Infinity leaves one number an annotator; so does this, in float32.
        self.strength.assign(min(strength, _MOST))

    def posterior(self, batch: Batch, log_prior: tf.Tensor) -> tf.Tensor:
        """q [B, K], proportional to the prior times what each annotator's T makes of
        their label."""
        said = annotated.log_likelihood(
            batch, self.tasks, self.counts_of, self.log_matrices
        )
        return tf.nn.softmax(log_prior + said)

    def doubts(self) -> dict[str, str]:
        """See kfer.methods.doubts.of_matrices."""
        matrices = np.exp(self.log_matrices)
        return doubts.of_matrices(self.target, self.tasks[0].classes, matrices)

    def doubts_of_answers(self, answers: np.ndarray) -> dict[str, str]:
        """See kfer.methods.doubts.of_answers; `answers` [N, K] are the network's."""
        prior = np.exp(self.log_prior)
        return doubts.of_answers(self.target, self.tasks[0].classes, answers, prior)
