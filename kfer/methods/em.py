"""EM over the hidden truth: Dawid-Skene's posteriors as targets, then the network's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.crowd.triples import Triples
from kfer.errors import UserError
from kfer.losses import reduction
from kfer.methods import annotated, by_example
from kfer.methods.em_classes import TINY, ClassTruth, kept
from kfer.methods.em_values import ValueTruth
from kfer.methods.gaussian import Annotators
from kfer.methods.supervised import Supervised
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import CATEGORICAL, CONTINUOUS, LabelTask


class DawidSkene(Supervised):
    """Learns the posteriors q(y | labels) of Dawid and Skene (1979) as soft labels.

    Annotators' matrices are fitted before training, shrunk towards the crowd's by a
    strength that held-out labels choose (kfer.crowd.dawid_skene). One head for each
    target answers; its label sets share it. Values and votes are learned as in vgg_all.

    Args:
      config: options.num_examples and num_annotators are filled in by training.
    """

    shared_kind = CATEGORICAL
    has_matrices = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        counts = config.options.num_annotators or (1,) * len(self.class_tasks)
        if len(counts) != len(self.class_tasks):
            raise UserError(
                f"num_annotators has {len(counts)} entries for "
                f"{len(self.class_tasks)} class label sets; leave it out"
            )
        by_task = {t: n for t, n in zip(self.class_tasks, counts, strict=True) if n}
        truths = {}
        for target in dict.fromkeys(task.target for task in by_task):
            tasks = tuple(task for task in by_task if task.target == target)
            numbers = tuple(by_task[task] for task in tasks)
            truths[target] = ClassTruth(target, tasks, numbers)
        self.truths = truths
        # Keras finds, saves and copies what it sees assigned, whole dicts at a time.
        self.log_matrices = {name: t.log_matrices for name, t in truths.items()}
        self.log_prior = {name: t.log_prior for name, t in truths.items()}
        self.strength = {name: t.strength for name, t in truths.items()}

    @property
    def said_tasks(self) -> tuple[LabelTask, ...]:
        return tuple(task for truth in self.truths.values() for task in truth.tasks)

    @property
    def saw_labels(self) -> bool:
        # Logarithms of all zeros are no matrix's.
        return any(np.any(truth.log_matrices) for truth in self.truths.values())

    def begin(self, said: Mapping[str, Triples]) -> None:
        """Fits the annotators before the first step; see Method.begin."""
        for target, truth in self.truths.items():
            truth.begin(said[target], self.config.options.diagonal)

    def label_matrices(self) -> dict[str, tf.Tensor]:
        found = {}
        for truth in self.truths.values():
            first = 0
            for task, count in zip(truth.tasks, truth.counts_of, strict=True):
                if count > 1 and task.stream:
                    raise UserError(
                        f"Labels of {task.name!r} are of {count} annotators, so they "
                        "can't pass one matrix; set labels_through_annotators to false"
                    )
                found[task.name] = tf.exp(truth.log_matrices[first])
                first += count
        return found

    def transitions(self) -> dict[str, np.ndarray]:
        """Target -> [A, K, K] T[true, given] of each annotator; rows sum to 1."""
        return {name: np.exp(t.log_matrices) for name, t in self.truths.items()}

    def doubts(self) -> dict[str, str]:
        return {k: v for t in self.truths.values() for k, v in t.doubts().items()}

    def prior_of(self, truth: ClassTruth, batch: Batch) -> tf.Tensor:
        """What q starts from, [K] or [B, K]."""
        return truth.log_prior

    def posteriors(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Target -> q [B, K], without gradient."""
        return {
            name: tf.stop_gradient(truth.posterior(batch, self.prior_of(truth, batch)))
            for name, truth in self.truths.items()
        }

    def softened(self, batch: Batch) -> Batch:
        """The batch with q in the place of the class labels, smoothed."""
        q, labels, mask = self.posteriors(batch), dict(batch.labels), dict(batch.mask)
        for target, truth in self.truths.items():
            for task in truth.tasks:
                labels[task.name] = q[target]
                mask[task.name] = annotated.has_label(batch, truth.tasks)
        return super().softened(batch._replace(labels=labels, mask=mask))


class ExpectationMaximisation(DawidSkene):
    """Targets q(y | x, labels), proportional to p(y | x)^power prod_a T_a[y, label_a].

    p is the running mean of the network's answers for an example at its visits. From
    epoch em_start_epoch on it takes the classes' prior's place, and at every epoch's
    end the annotators' matrices are counted anew from that epoch's q. So the network
    and its annotators' noise are fitted as one EM (Raykar et al., JMLR 2010; Rodrigues
    and Pereira, AAAI 2018), at the cost of no further pass.

    Of values with several annotators it finds each one's bias, scale and spread, from
    kfer.crowd.values's fit on: the targets are the precision-weighted mean of their
    corrected values and of the network's running answer, whose precision is counted
    too; see kfer.methods.em_values. Others are learned as in vgg_all.

    The answers are a variable [N, K] for each target: 4 N K bytes.
    """

    unmixed_because = by_example.UNMIXED
    counts_epochs = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        count = config.options.num_examples
        self.value_truths = self._value_truths(config)
        if self.value_truths:
            self.values = {n: t.variables for n, t in self.value_truths.items()}
        self.opinions = {
            name: kept(f"opinions_{name}", count, truth.tasks[0].size)
            for name, truth in self.truths.items()
        }
        self.said = {
            name: kept(f"said_{name}", *truth.log_matrices.shape)
            for name, truth in self.truths.items()
        }

    def _value_truths(self, config: ExperimentConfig) -> dict[str, ValueTruth]:
        counts = config.options.num_value_annotators
        if counts and len(counts) != len(self.value_tasks):
            raise UserError(
                f"num_value_annotators has {len(counts)} entries for "
                f"{len(self.value_tasks)} value label sets; leave it out"
            )
        by_target: dict[str, dict[LabelTask, int]] = {}
        for task, number in zip(self.value_tasks, counts, strict=False):
            by_target.setdefault(task.target, {})[task] = number
        return {
            target: ValueTruth(target, tuple(of), tuple(of.values()), config.options)
            for target, of in by_target.items()
            if sum(of.values()) > 1
        }

    def shared_kinds(self, config: ExperimentConfig) -> tuple[str, ...]:
        several = config.options.num_value_annotators
        return (CATEGORICAL, CONTINUOUS) if several else (CATEGORICAL,)

    @property
    def said_tasks(self) -> tuple[LabelTask, ...]:
        values = (task for t in self.value_truths.values() for task in t.tasks)
        return (*super().said_tasks, *values)

    @property
    def saw_labels(self) -> bool:
        values = self.value_truths.values()
        return super().saw_labels or any(t.variables["overlap"] > 0.0 for t in values)

    def begin(self, said: Mapping[str, Any]) -> None:
        super().begin(said)
        for target, truth in self.value_truths.items():
            truth.begin(said[target])

    def value_annotators(self) -> dict[str, Annotators]:
        """Target -> bias, scale and spread [A, D] of each annotator, in the values'
        unit; they say middle + bias + scale (truth - middle) + N(0, spread^2)."""
        return {name: t.in_units() for name, t in self.value_truths.items()}

    def softened(self, batch: Batch) -> Batch:
        found = super().softened(batch)
        labels, mask = dict(found.labels), dict(found.mask)
        for truth in self.value_truths.values():
            expected = truth.expected(batch, self._has_begun())
            value, known = truth.targets(batch, expected)
            labels, mask = labels | value, mask | known
        return found._replace(labels=labels, mask=mask)

    def doubts(self) -> dict[str, str]:
        found = super().doubts()
        for name, truth in self.truths.items() if self._has_begun() else ():
            found |= truth.doubts_of_answers(self.opinions[name].numpy())
        return found

    def _has_begun(self) -> tf.Tensor:
        steps = by_example.steps_per_epoch(self.config)
        first = self.config.options.em_start_epoch * steps
        return self.generator_optimizer.iterations >= first

    def prior_of(self, truth: ClassTruth, batch: Batch) -> tf.Tensor:
        if not self.config.options.em_power:
            return truth.log_prior
        rows = tf.gather(self.opinions[truth.target], batch.index)
        total = tf.reduce_sum(rows, axis=1, keepdims=True)
        answers = tf.math.log(tf.math.divide_no_nan(rows, total) + TINY)
        # Without an answer yet only the annotators count.
        use = tf.logical_and(self._has_begun(), total > 0.0)
        return tf.where(use, self.config.options.em_power * answers, truth.log_prior)

    def label_loss(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        loss = super().label_loss(batch, output)
        self.take_in(batch, output)
        return loss

    def take_in(self, batch: Batch, output: EncoderOutput) -> None:
        """Annotators' counts and running means take the batch in, after its loss."""
        q = self.posteriors(batch)
        for name, truth in self.truths.items():
            self._hear(truth, batch, q[name])
            self._remember(name, batch.index, output)
        ends, counted = self._epoch_ends()
        for name, held in self.value_truths.items():
            held.hear(batch, held.expected(batch, self._has_begun()), ends, counted)
            held.remember(batch.index, output.labels[name])

    def _epoch_ends(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Whether an epoch ends with this step, and whether it is one that counts."""
        steps = by_example.steps_per_epoch(self.config)
        step = self.generator_optimizer.iterations + 1
        counted = step > self.config.options.em_start_epoch * steps
        return tf.equal(step % steps, 0), counted

    def _remember(self, name: str, index: tf.Tensor, output: EncoderOutput) -> None:
        """Moves the running means of the batch's answers, on every replica."""
        answers = tf.stop_gradient(tf.nn.softmax(output.labels[name]))
        momentum = self.config.options.em_momentum
        by_example.move_means(self.opinions[name], index, answers, momentum)

    def _hear(self, truth: ClassTruth, batch: Batch, q: tf.Tensor) -> None:
        """Counts what was said; at an epoch's end the matrices follow."""
        counts = annotated.confusion_counts(batch, truth.tasks, truth.counts_of, q)
        held = self.said[truth.target]
        said = held + reduction.global_sum(counts)
        over, counted = self._epoch_ends()
        ends = tf.logical_and(over, counted)
        matrices = annotated.shrunk_matrices(said, truth.strength)
        fresh = tf.math.log(tf.maximum(matrices, TINY))
        truth.log_matrices.assign(tf.where(ends, fresh, truth.log_matrices))
        held.assign(tf.where(over, tf.zeros_like(said), said))
