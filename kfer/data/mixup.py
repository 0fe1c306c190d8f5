"""Pictures mixed in pairs, with their labels (mixup, Zhang et al., ICLR 2018)."""

from collections.abc import Iterable

import tensorflow as tf

from kfer.losses import categorical
from kfer.structures import Batch, CrowdLabels
from kfer.tasks import LabelTask


def mixed(batch: Batch, share: tf.Tensor, tasks: Iterable[LabelTask]) -> Batch:
    """Each picture x as s x + (1 - s) x' with its neighbour x', and labels alike.

    Rows 0 and 1, 2 and 3, .. are each other's neighbours, so that pairs stay whole
    however a batch is cut into even parts; the order of a batch is random already.
    Where one of the two has no label of a task, the other's counts by its share alone:
    the loss is s times one's plus 1 - s times the other's, over the labels there are.
    Of a crowd's labels, those of both are kept at their shares. Noise and index stay
    the first picture's.

    Args:
      batch: of an even number B of rows; class labels hard or soft.
      share: [B] s, in [0, 1].
      tasks: of the labels.

    Returns:
      The batch; class labels are probabilities [B, K], masks weights in [0, 1].
    """
    sizes = {task.name: task.size for task in tasks if task.is_categorical}
    labels, mask = {}, {}
    for name, value in batch.labels.items():
        if name in sizes:
            value = categorical.soft(value, sizes[name])
        own = share * batch.mask[name]
        other = (1.0 - share) * _neighbours(batch.mask[name])
        mask[name] = own + other
        total = own[:, None] * value + other[:, None] * _neighbours(value)
        labels[name] = tf.math.divide_no_nan(total, mask[name][:, None])
    by_picture = share[:, None, None, None]
    return batch._replace(
        image=by_picture * batch.image + (1.0 - by_picture) * _neighbours(batch.image),
        labels=labels,
        mask=mask,
        crowd={name: _both(said, share) for name, said in batch.crowd.items()},
    )


def _both(said: CrowdLabels, share: tf.Tensor) -> CrowdLabels:
    """The labels of both pictures, [B, 2R], each at its picture's share."""
    other = CrowdLabels(*map(_neighbours, said))
    weights = [share[:, None] * said.mask, (1.0 - share[:, None]) * other.mask]
    return CrowdLabels(
        annotator=tf.concat([said.annotator, other.annotator], axis=1),
        label=tf.concat([said.label, other.label], axis=1),
        mask=tf.concat(weights, axis=1),
    )


def _neighbours(values: tf.Tensor) -> tf.Tensor:
    """Rows 1, 0, 3, 2, .. of [B, ...]."""
    shape = tf.shape(values)
    pairs = tf.reshape(values, tf.concat([[shape[0] // 2, 2], shape[1:]], axis=0))
    swapped = tf.reshape(tf.reverse(pairs, axis=[1]), shape)
    return tf.ensure_shape(swapped, values.shape)
