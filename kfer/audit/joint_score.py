"""S_joint of real pictures with the labels they were given.

In training the discriminator's joint score is pushed above 1 on (picture, its y0, the
encoder's labels) and below -1 on (drawn picture, normal y0, given labels). Of a real
picture with its own y0 and given labels it may tell whether the labels go with the
picture and with each other; audits measure whether it does (docs/guide/audit.md). A
projection (recipe.joint_score) learned to be low where they do, so its sign is turned.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.audit.label_sets import LabelSets, given
from kfer.data.labels import column_of
from kfer.tasks import IMAGE, Y0, LabelTask

# Key of the score with every label as given; the others are stream tasks.
GIVEN = "given"


def available(method: Any) -> bool:
    """Whether a method has S_joint."""
    discriminator = getattr(method, "discriminator", None)
    return discriminator is not None and discriminator.has_joint


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
        column = column_of(task, sets.columns, task.column)
        labels = sets.labels[column.name]
        if task.is_categorical:
            # The last row is that of the missing label, -1.
            rows = np.eye(task.size + 1, task.size, dtype=np.float32)[labels]
        else:
            rows = np.where(given(labels)[:, None], labels, 0).astype(np.float32)
        found[task.name] = rows
    return found


class _JointScore:
    """S_joint of pictures and labels, label by label."""

    def __init__(self, method: Any):
        self.method, self.streams = method, method.config.stream_tasks
        self.mlp = method.discriminator.joint
        self.fit = method.discriminator.label_fit

    def embed(self, read: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What S_joint's perceptron sees of streams; nothing where it has none."""
        layers = self.method.discriminator.embeddings if self.mlp is not None else {}
        return {name: layers[name](part) for name, part in read.items() if layers}

    def scores(
        self, embedded: Mapping[str, tf.Tensor], labels: Mapping[str, Any], seen: Any
    ) -> tf.Tensor:
        """[B]; `seen` are the encoder's features where S_joint projects on them."""
        total = tf.constant(0.0)
        if self.mlp is not None:
            names = (IMAGE, Y0, *(task.name for task in self.streams))
            hidden = self.mlp(tf.concat([embedded[name] for name in names], axis=1))
            total = self.method.discriminator.score_joint(hidden)[:, 0]
        # A projection has learned to be low where labels fit.
        return total if self.fit is None else -(total + self.fit(seen, labels))

    def replaced(
        self,
        task: LabelTask,
        predicted: tf.Tensor,
        embedded: Mapping[str, tf.Tensor],
        labels: Mapping[str, Any],
        seen: Any,
    ) -> tf.Tensor:
        """[B, K] with each class in a label's place, or [B, 1] with `predicted`."""
        if not task.is_categorical:
            own = {task.name: predicted}
            parts = {**embedded, **self.embed(own)}, {**labels, **own}
            return self.scores(*parts, seen)[:, None]
        count, every = tf.shape(predicted)[0], {task.name: tf.eye(task.size)}
        rows, labels, seen = tf.nest.map_structure(
            lambda part: tf.repeat(part, task.size, axis=0), (embedded, labels, seen)
        )
        mine, given = tf.nest.map_structure(
            lambda part: tf.tile(part, [count, 1]), (self.embed(every), every)
        )
        found = self.scores({**rows, **mine}, {**labels, **given}, seen)
        return tf.reshape(found, [-1, task.size])

    def __call__(
        self, image: tf.Tensor, labels: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        encoder = self.method.encoder
        output = encoder(image)
        seen = encoder.features(image, None) if self.fit is not None else ()
        embedded = self.embed({IMAGE: image, Y0: output.mean, **labels})
        found = {GIVEN: self.scores(embedded, labels, seen)}
        for task in self.streams:
            predicted = output.labels[self.method.head_of(task)]
            found[task.name] = self.replaced(task, predicted, embedded, labels, seen)
        return found


def scorer(method: Any) -> Callable[[Any, Mapping[str, Any]], dict[str, Any]]:
    """The joint scores of pictures and their labels, as one graph.

    y0 is the encoder's mean, so nothing is drawn.

    Returns:
      (images [B, S, S, 3], labels of `inputs` [B, size]) -> GIVEN: [B]; stream task of
      classes: [B, K], its label replaced by each class; of values: [B, 1], replaced by
      the encoder's own.
    """
    side, streams = method.config.image_size, method.config.stream_tasks
    return tf.function(
        _JointScore(method),
        input_signature=[
            tf.TensorSpec([None, side, side, 3], tf.float32),
            {t.name: tf.TensorSpec([None, t.size], tf.float32) for t in streams},
        ],
        autograph=False,
    )


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
