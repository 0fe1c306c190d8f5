"""Streaming concordance correlation: moments accumulate, CCC follows from them."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.losses import concordance


@keras.utils.register_keras_serializable("kfer")
class ConcordanceCorrelation(keras.metrics.Metric):
    """CCC pooled over all examples seen, whatever the batches and replicas.

    Equals `kfer.metrics.continuous.ccc` of everything at once. 0 where the denominator
    is 0 (neither side varies and the means agree) and before the first example. NaN
    only if a prediction that counts was. State and result are float64.

    Args:
      num_dimensions: D, values per example.
      dimension: the index whose CCC is the result; None is the mean over all.
      name: of the metric.
    """

    def __init__(
        self,
        num_dimensions: int = 2,
        dimension: int | None = None,
        name: str = "ccc",
        dtype: Any = tf.float64,
    ):
        super().__init__(name=name, dtype=dtype)
        self.num_dimensions, self.dimension = num_dimensions, dimension
        self.moments = self.add_weight(
            name="moments", shape=(6, num_dimensions), initializer="zeros", dtype=dtype
        )

    def update_state(
        self,
        y_true: tf.Tensor,
        y_pred: tf.Tensor,
        sample_weight: tf.Tensor | None = None,
    ) -> None:
        """Adds a batch.

        Args:
          y_true: [B, D], anything where masked.
          y_pred: [B, D].
          sample_weight: mask [B], 0 leaves an example out; all count if None.
        """
        true, pred = tf.cast(y_true, self.dtype), tf.cast(y_pred, self.dtype)
        if sample_weight is None:
            sample_weight = tf.ones_like(true[:, 0])
        mask = tf.cast(sample_weight, self.dtype)
        # 0 times NaN is NaN: what is masked must not enter the sums.
        given = mask[:, None] > 0
        true, pred = (tf.where(given, x, tf.zeros_like(x)) for x in (true, pred))
        self.moments.assign_add(concordance.moments(true, pred, mask))

    def reset_state(self) -> None:
        """Forgets all examples."""
        self.moments.assign(tf.zeros_like(self.moments))

    def result_by_dimension(self) -> tf.Tensor:
        """[D] in [-1, 1]."""
        return concordance.ccc(tf.convert_to_tensor(self.moments))

    def result(self) -> tf.Tensor:
        """The CCC of `dimension`, or the mean over all."""
        found = self.result_by_dimension()
        return (
            tf.reduce_mean(found) if self.dimension is None else found[self.dimension]
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_dimensions": self.num_dimensions,
            "dimension": self.dimension,
        }
