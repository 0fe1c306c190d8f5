"""Gaussian annotators of values, in tensors: kfer.crowd.values batch by batch.

Annotator a says bias_a + scale_a y + N(0, variance_a) of a truth y, by dimension. What
is added up over an epoch is enough to fit them anew; `fitted` then equals one M-step of
kfer.crowd.values on the same truth.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from kfer.structures import Batch, CrowdLabels
from kfer.tasks import LabelTask

# Least variances; values are in halves of their range.
_TINY = 1e-6


class Annotators(NamedTuple):
    """Of A annotators, by dimension; values in halves of the range about its middle."""

    bias: tf.Tensor  # [A, D]
    scale: tf.Tensor  # [A, D]
    variance: tf.Tensor  # [A, D]


class Truth(NamedTuple):
    """What is known of a batch's truth, by dimension, in the same unit."""

    mean: tf.Tensor  # [B, D]
    variance: tf.Tensor  # [B, D]


def said(
    batch: Batch, tasks: Sequence[LabelTask], counts: Sequence[int]
) -> CrowdLabels:
    """Who gave which value, whatever label sets it stands in, in halves of the range.

    Args:
      batch: see Batch.
      tasks: value label sets of one target.
      counts: annotators of each, numbered from task to task.
    """
    found, first = [], 0
    middle, half = middle_and_half(tasks[0])
    for task, count in zip(tasks, counts, strict=True):
        if task.name in batch.crowd:
            crowd = batch.crowd[task.name]
            who = tf.maximum(crowd.annotator, 0) + first
            found.append(crowd._replace(annotator=who))
        else:
            mask = batch.mask[task.name][:, tf.newaxis]
            who = tf.fill(tf.shape(mask), tf.constant(first, tf.int64))
            found.append(CrowdLabels(who, batch.labels[task.name][:, None], mask))
        first += count
    who, label, mask = (tf.concat(part, axis=1) for part in zip(*found, strict=True))
    return CrowdLabels(who, (label - middle) / half, mask)


def middle_and_half(task: LabelTask) -> tuple[float, float]:
    """The middle of a task's range and half its length."""
    return (task.low + task.high) / 2.0, (task.high - task.low) / 2.0


def expected(
    given: CrowdLabels, annotators: Annotators, mean: tf.Tensor, precision: tf.Tensor
) -> Truth:
    """E-step: the truth of each example given its values and what is known before.

    The precision-weighted mean of (value - bias) / scale, whose precision is scale^2 /
    variance, and of `mean`.

    Args:
      given: see `said`.
      annotators: see Annotators.
      mean, precision: of the truth before any value, [B, D] or [D].
    """
    scale = tf.gather(annotators.scale, given.annotator)
    variance = tf.gather(annotators.variance, given.annotator)
    weight = given.mask[:, :, tf.newaxis] * scale / variance
    corrected = given.label - tf.gather(annotators.bias, given.annotator)
    total = precision + tf.reduce_sum(weight * scale, axis=1)
    centre = mean * precision + tf.reduce_sum(weight * corrected, axis=1)
    return Truth(centre / total, tf.ones_like(centre) / total)


def sums_by_annotator(given: CrowdLabels, truth: Truth, count: int) -> tf.Tensor:
    """[6, A, D]: values, sums of y, E y^2, x, x y, x^2 of truths y and values x."""
    y = tf.broadcast_to(truth.mean[:, tf.newaxis], tf.shape(given.label))
    x, doubt = given.label, truth.variance[:, tf.newaxis]
    terms = tf.stack([tf.ones_like(y), y, y * y + doubt, x, x * y, x * x])
    terms *= given.mask[:, :, tf.newaxis]
    size = given.label.shape[2]
    return tf.stack(
        [
            tf.math.unsorted_segment_sum(
                tf.reshape(term, [-1, size]), tf.reshape(given.annotator, [-1]), count
            )
            for term in tf.unstack(terms)
        ]
    )


def sums_of_truth(truth: Truth, mask: tf.Tensor) -> tf.Tensor:
    """[3, D]: examples with a value, sums of y and E y^2.

    Args:
      truth: see Truth.
      mask: [B], 1 where an example has a value.
    """
    mean = truth.mean
    terms = tf.stack([tf.ones_like(mean), mean, mean**2 + truth.variance])
    return tf.reduce_sum(terms * mask[:, tf.newaxis], axis=1)


def fitted(
    by_annotator: tf.Tensor, of_truth: tf.Tensor, strength: tf.Tensor
) -> tuple[Annotators, tf.Tensor]:
    """M-step: a line through each annotator's values over the truth.

    Each is given `strength` more values on the crowd's line (bias 0, scale 1), spread
    as the truths are, with the crowd's variance about it. What the values leave open, a
    shift and a stretch of the truth, is settled by the crowd: its mean level is 0 at
    the mean truth, its mean scale 1. See kfer.crowd.values.

    Args:
      by_annotator: [6, A, D], see sums_by_annotator.
      of_truth: [3, D], see sums_of_truth.
      strength: [D], above 0.

    Returns:
      The annotators, and the truths' mean and variance [2, D].
    """
    count = tf.maximum(of_truth[0], 1.0)
    centre = of_truth[1] / count
    spread = tf.maximum(of_truth[2] / count - centre**2, _TINY)
    said_, y, yy, x, xy, xx = tf.unstack(by_annotator)
    # Sums about the mean truth.
    yy += centre * (said_ * centre - 2.0 * y)
    xy += centre * (said_ * centre - x - y)
    xx += centre * (said_ * centre - 2.0 * x)
    y, x = y - said_ * centre, x - said_ * centre
    n = said_ + strength
    more = strength * spread
    scale = (n * (xy + more) - x * y) / tf.maximum(n * (yy + more) - y * y, 1e-12)
    level = (x - scale * y) / n
    squares = xx - 2.0 * (level * x + scale * xy) + 2.0 * level * scale * y
    squares += said_ * level**2 + scale**2 * yy
    everyone = tf.maximum(tf.reduce_sum(said_, axis=0), 1.0)
    crowd = tf.reduce_sum(squares, axis=0) / everyone
    variance = tf.maximum((squares + strength * crowd) / n, _TINY)
    offset = tf.reduce_sum(level * said_, axis=0) / everyone
    stretch = tf.reduce_sum(scale * said_, axis=0) / everyone
    # Where nobody follows anybody there is nothing to settle it by.
    stretch = tf.where(stretch < 0.1, 1.0, stretch)
    centre, spread = centre + offset, spread * stretch**2
    scale /= stretch
    bias = level - offset + centre * (1.0 - scale)
    return Annotators(bias, scale, variance), tf.stack([centre, spread])
