"""S_joint of real pictures with the labels they were given.

In training the discriminator's joint score is pushed above 1 on (picture, its y0, the
encoder's labels) and below -1 on (drawn picture, normal y0, given labels). Of a real
picture with its own y0 and given labels it may tell whether the labels go with the
picture and with each other; audits measure whether it does (docs/guide/audit.md).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.audit.label_sets import LabelSets, given
from kfer.data import record
from kfer.models.discriminator import IMAGE, Y0
from kfer.tasks import LabelTask

# Key of the score with every label as given; the others are stream tasks.
GIVEN = "given"


def available(method: Any) -> bool:
    """Whether a method has S_joint."""
    discriminator = getattr(method, "discriminator", None)
    return discriminator is not None and discriminator.joint is not None


def inputs(tasks: tuple[LabelTask, ...], sets: LabelSets) -> dict[str, np.ndarray]:
    """What the joint score reads of each stream task's labels.

    Returns:
      Task -> float32 [n, size], one-hot classes or values, zeros where missing, as in
      training; so is a task whose column these labels don't have.

    Raises:
      UserError: a column means something else than its task.
    """
    found = {}
    for task in tasks:
        if task.column not in sets.columns:
            found[task.name] = np.zeros((len(sets.ids), task.size), np.float32)
            continue
        column = record.column_of(task, sets.columns, task.column)
        labels = sets.labels[column.name]
        if task.is_categorical:
            # The last row is that of the missing label, -1.
            rows = np.eye(task.size + 1, task.size, dtype=np.float32)[labels]
        else:
            rows = np.where(given(labels)[:, None], labels, 0).astype(np.float32)
        found[task.name] = rows
    return found


def scorer(method: Any) -> Callable[[Any, Mapping[str, Any]], dict[str, Any]]:
    """The joint scores of pictures and their labels, as one graph.

    y0 is the encoder's mean, so nothing is drawn.

    Returns:
      (images [B, S, S, 3], labels of `inputs` [B, size]) -> GIVEN: [B]; stream task of
      classes: [B, K], its label replaced by each class; of values: [B, 1], replaced by
      the encoder's own.
    """
    config, discriminator = method.config, method.discriminator
    side = config.image_size
    streams = config.stream_tasks

    def scores(features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        together = tf.concat(list(features.values()), axis=1)
        return discriminator.score_joint(discriminator.joint(together))[:, 0]

    def replaced(
        task: LabelTask, features: Mapping[str, tf.Tensor], predicted: tf.Tensor
    ) -> tf.Tensor:
        embed = discriminator.embeddings[task.name]
        if not task.is_categorical:
            return scores({**features, task.name: embed(predicted)})[:, None]
        others = {n: tf.repeat(part, task.size, axis=0) for n, part in features.items()}
        each = tf.tile(embed(tf.eye(task.size)), [tf.shape(predicted)[0], 1])
        found = scores({**others, task.name: each})
        return tf.reshape(found, [-1, task.size])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, side, side, 3], tf.float32),
            {t.name: tf.TensorSpec([None, t.size], tf.float32) for t in streams},
        ],
        autograph=False,
    )
    def score(image: tf.Tensor, labels: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        output = method.encoder(image)
        read = {IMAGE: image, Y0: output.mean, **labels}
        features = {n: e(read[n]) for n, e in discriminator.embeddings.items()}
        found = {GIVEN: scores(features)}
        for task in streams:
            found[task.name] = replaced(task, features, output.labels[task.name])
        return found

    return score


def drops(
    scores: Mapping[str, np.ndarray], task: LabelTask, labels: np.ndarray
) -> np.ndarray:
    """How much S_joint gains by the best other label, [n]: high points at this label.

    Args:
      scores: of `scorer`, over n pictures.
      task: a stream task.
      labels: of its column, classes [n] or values [n, D].

    Returns:
      NaN where the label is missing; below 0 where the given one scores best.
    """
    others = scores[task.name].astype(np.float64)
    known = given(labels)
    if task.is_categorical:
        others[np.flatnonzero(known), labels[known]] = -np.inf
    return np.where(known, others.max(axis=1) - scores[GIVEN], np.nan)
