"""The Gaussian twin of EM in the loop: values of annotators who are each off."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kfer.crowd import values as values_lib
from kfer.crowd.triples import Values
from kfer.losses import reduction
from kfer.methods import annotated, by_example, gaussian
from kfer.methods.gaussian import Annotators, Truth
from kfer.settings.annotator_options import EMOptions
from kfer.structures import Batch
from kfer.tasks import LabelTask

_PARTS = Annotators._fields
# Until the crowd has been fitted; what is no number would stay for good.
_ONES = ("scale", "variance", "items", "strength", "doubt")


class ValueTruth:
    """What is held of one target of D values, by A annotators, of N examples.

    All is in halves of the values' range about its middle.

    Attributes:
      target: its name.
      tasks: its label sets.
      counts_of: annotators of each.
      variables: name -> variable, all that a checkpoint holds of it.
    """

    def __init__(
        self,
        target: str,
        tasks: tuple[LabelTask, ...],
        counts: tuple,
        options: EMOptions,
    ):
        self.target, self.tasks, self.counts_of = target, tasks, counts
        self.options = options
        size, people, rows = tasks[0].size, sum(counts), options.num_examples
        shapes = {part: (people, size) for part in _PARTS} | {
            "items": (2, size),
            "strength": (size,),
            "overlap": (),
            "doubt": (size,),
            "answers": (rows, size + 1),
            "by_annotator": (6, people, size),
            "of_truth": (3, size),
            "of_doubt": (2, size),
        }
        self.variables = {
            name: tf.Variable(
                (tf.ones if name in _ONES else tf.zeros)(shape),
                trainable=False,
                name=f"{name}_{target}",
            )
            for name, shape in shapes.items()
        }

    def begin(self, dimensions: Sequence[Values]) -> None:
        """Starts from the crowd's consensus, where two annotators share an example."""
        counts = dimensions[0].by_item(np.ones(len(dimensions[0].item)))
        if not np.max(counts, initial=0) > 1:
            return
        middle, half = gaussian.middle_and_half(self.tasks[0])
        found = [
            values_lib.fit_held_out(one.scaled(middle, half)) for one in dimensions
        ]

        def put(name: str, columns: Sequence[np.ndarray]) -> None:
            self.variables[name].assign(np.stack(columns, axis=-1))

        put("bias", [one.bias for one in found])
        put("scale", [one.scale for one in found])
        put("variance", [one.spread**2 for one in found])
        put("items", [np.array([one.items[0], one.items[1] ** 2]) for one in found])
        put("doubt", [np.array(one.items[1] ** 2) for one in found])
        put("strength", [np.array(one.strength) for one in found])
        self.variables["overlap"].assign(1.0)

    @property
    def annotators(self) -> Annotators:
        """As fitted so far."""
        return Annotators(*(tf.convert_to_tensor(self.variables[p]) for p in _PARTS))

    def in_units(self) -> Annotators:
        """bias, scale and spread in the values' unit, as arrays; `variance` holds the
        spread."""
        _, half = gaussian.middle_and_half(self.tasks[0])
        bias, scale, variance = (part.numpy() for part in self.annotators)
        return Annotators(half * bias, scale, half * np.sqrt(variance))

    def expected(self, batch: Batch, begun: tf.Tensor) -> Truth:
        """The truth of a batch's examples given all that was said and answered.

        Args:
          batch: see Batch.
          begun: whether the network's answers count.
        """
        answer, known = self._answer(batch.index)
        power = self.options.em_power
        # Without a say of the network, values have the crowd's prior, not none.
        use = tf.logical_and(begun, known) if power else tf.zeros_like(known)
        centre, spread = tf.unstack(self.variables["items"])
        trust = power / self._doubt()
        given = gaussian.said(batch, self.tasks, self.counts_of)
        mean = tf.where(use, answer, centre)
        precision = tf.where(use, trust, 1.0 / spread)
        truth = gaussian.expected(given, self.annotators, mean, precision)
        return Truth(*map(tf.stop_gradient, truth))

    def targets(self, batch: Batch, truth: Truth) -> tuple[dict, dict]:
        """Label set -> what it learns [B, D], in its unit; and -> its mask [B].

        Where no two annotators share an example, its own values.
        """
        task, labels, masks = self.tasks[0], {}, {}
        middle, half = gaussian.middle_and_half(task)
        value = tf.clip_by_value(middle + half * truth.mean, task.low, task.high)
        overlap, mask = self.variables["overlap"] > 0.0, self._mask(batch)
        for own in self.tasks:
            labels[own.name] = tf.where(overlap, value, batch.labels[own.name])
            masks[own.name] = tf.where(overlap, mask, batch.mask[own.name])
        return labels, masks

    def hear(self, batch: Batch, truth: Truth, ends: tf.Tensor, counted: tf.Tensor):
        """Adds a batch; at an epoch's end the annotators follow, if `counted`.

        The doubt of the network's answers, their mean squared distance to the truth,
        follows at every epoch's end.
        """
        held, mask = self.variables, self._mask(batch)
        given = gaussian.said(batch, self.tasks, self.counts_of)
        people = sum(self.counts_of)
        answer, known = self._answer(batch.index)
        off = (truth.mean - answer) ** 2 + truth.variance
        heard = mask[:, tf.newaxis] * tf.cast(known, tf.float32)
        fresh = {
            "by_annotator": gaussian.sums_by_annotator(given, truth, people),
            "of_truth": gaussian.sums_of_truth(truth, mask),
            "of_doubt": tf.reduce_sum(
                tf.stack([heard * tf.ones_like(off), heard * off]), axis=1
            ),
        }
        sums = {n: held[n] + reduction.global_sum(part) for n, part in fresh.items()}
        annotators, items = gaussian.fitted(
            sums["by_annotator"], sums["of_truth"], held["strength"]
        )
        follow = ends & counted & (held["overlap"] > 0.0)
        for name, value in zip((*_PARTS, "items"), (*annotators, items), strict=True):
            held[name].assign(tf.where(follow, value, held[name]))
        count, total = tf.unstack(sums["of_doubt"])
        doubt = tf.where(
            count > 0.0, tf.math.divide_no_nan(total, count), held["doubt"]
        )
        held["doubt"].assign(tf.where(ends, doubt, held["doubt"]))
        for name, value in sums.items():
            held[name].assign(tf.where(ends, tf.zeros_like(value), value))

    def remember(self, index: tf.Tensor, answers: tf.Tensor) -> None:
        """Moves the running means of the batch's answers, on every replica.

        Args:
          index: [B].
          answers: [B, D], in the values' unit.
        """
        middle, half = gaussian.middle_and_half(self.tasks[0])
        mine = tf.clip_by_value((tf.stop_gradient(answers) - middle) / half, -1.0, 1.0)
        row = tf.concat([mine, tf.ones_like(mine[:, :1])], axis=1)
        table, momentum = self.variables["answers"], self.options.em_momentum
        by_example.move_means(table, index, row, momentum)

    def _answer(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The network's mean answers so far [B, D], and whether there is any."""
        rows = tf.gather(self.variables["answers"], index)
        total = rows[:, -1:]
        return tf.math.divide_no_nan(rows[:, :-1], total), total > 0.0

    def _doubt(self) -> tf.Tensor:
        return tf.maximum(self.variables["doubt"], 1e-6)

    def _mask(self, batch: Batch) -> tf.Tensor:
        return annotated.has_label(batch, self.tasks)
