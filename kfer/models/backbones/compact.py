"""Small convolutional networks that learn CIFAR-10 in minutes.

By the description of K. Jordan, "94 % on CIFAR-10 in 3.29 seconds on a single GPU",
arXiv 2404.00498: whitened patches, three groups of two convolutions, batch norm without
scale, GELU, logits x 1/9.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from kfer.models.backbones.base import Backbone
from kfer.models.backbones.norm import BatchNorm
from kfer.models.layout import COMPACT_GROUPS, PATCH, WHITENED
from kfer.settings.config import ExperimentConfig

# Added to the eigenvalues of the patches, which are of unit variance or so.
_EIGENVALUE_FLOOR = 5e-4


class Whitening(keras.layers.Layer):
    """The first convolution, 2x2: each filter an eigenvector of the data's patches.

    Filters are eigenvectors / sqrt(eigenvalue + 5e-4) and their negatives; they and the
    pictures' mean and deviation by channel are set once and never learned, the bias is.
    """

    def build(self, input_shape: Any) -> None:
        def fixed(name: str, shape: tuple[int, ...], start: str) -> tf.Variable:
            return self.add_weight(
                name=name, shape=shape, initializer=start, trainable=False
            )

        self.center = fixed("center", (3,), "zeros")
        self.deviation = fixed("deviation", (3,), "ones")
        self.kernel = fixed("kernel", (PATCH, PATCH, 3, WHITENED), "orthogonal")
        self.bias = self.add_weight(name="bias", shape=(WHITENED,), initializer="zeros")
        super().build(input_shape)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        normal = (image - self.center) / self.deviation
        maps = tf.nn.conv2d(normal, self.kernel, 1, "VALID")
        return tf.nn.bias_add(maps, self.bias)

    def start(self, images: np.ndarray) -> None:
        """Sets filters, mean and deviation from pictures [N, S, S, 3] float."""
        center = images.mean(axis=(0, 1, 2))
        # A channel that is the same everywhere is left as it is.
        deviation = np.maximum(images.std(axis=(0, 1, 2)), 1e-3)
        self.center.assign(center)
        self.deviation.assign(deviation)
        self.kernel.assign(whitening_filters((images - center) / deviation))


def whitening_filters(images: np.ndarray) -> np.ndarray:
    """[N, S, S, 3] -> kernels [2, 2, 3, 24] that decorrelate 2x2 patches."""
    side = images.shape[1] - PATCH + 1
    size = PATCH * PATCH * 3
    shifts = [
        images[:, i : i + side, j : j + side]
        for i in range(PATCH)
        for j in range(PATCH)
    ]
    patches = np.concatenate(shifts, axis=-1).reshape(-1, size).astype(np.float64)
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    filters = vectors / np.sqrt(np.maximum(values, 0.0) + _EIGENVALUE_FLOOR)
    filters = filters[:, ::-1]  # the largest eigenvalue first
    both = np.concatenate([filters, -filters], axis=1)
    return both.reshape(PATCH, PATCH, 3, WHITENED).astype(np.float32)


class IdentityStart(keras.initializers.Initializer):
    """Kernels whose first filters hand an input on; the rest start as PyTorch's."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> tf.Tensor:
        height, width, channels, filters = shape
        limit = 1.0 / math.sqrt(height * width * channels)
        drawn = keras.initializers.RandomUniform(-limit, limit)(shape, dtype)
        same = min(channels, filters)
        identity = np.zeros((height, width, channels, same))
        identity[height // 2, width // 2, range(same), range(same)] = 1.0
        return tf.concat([tf.cast(identity, drawn.dtype), drawn[..., same:]], axis=-1)


class IdentityConvolution(keras.layers.Layer):
    """A 3x3 convolution without bias that at first hands its inputs on.

    Args:
      filters: number of output channels.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape: Any) -> None:
        channels = int(input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, channels, self.filters),
            initializer=IdentityStart(),
        )
        super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}

    def call(self, image: tf.Tensor) -> tf.Tensor:
        return self._convolve(image, self.kernel)

    def normalised(self, image: tf.Tensor, norm: BatchNorm) -> tf.Tensor:
        """The convolution with the moving batch norm behind it folded in."""
        scale, shift = norm.scale_and_shift()
        maps = self._convolve(image, tf.cast(self.kernel, scale.dtype) * scale)
        return tf.nn.bias_add(maps, tf.cast(shift, maps.dtype))

    def _convolve(self, image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        image = tf.cast(image, self.compute_dtype)
        return tf.nn.conv2d(image, tf.cast(kernel, image.dtype), 1, "SAME")


class Compact(Backbone):
    """`compact`, `compact_s` or `compact_xs`; see kfer.models.layout.COMPACT_GROUPS."""

    head_bias = False
    head_scale = 1.0 / 9.0
    start_images = 5000

    def __init__(self, config: ExperimentConfig):
        super().__init__(config)
        widths = [config.channels(width) for width in COMPACT_GROUPS[config.backbone]]
        self.size = widths[-1]
        # In float32 always: the smallest eigenvalues' filters multiply rounding by 40.
        self.whitening = Whitening(name="whitening", dtype="float32")
        self.groups = [
            [
                part
                for index in (1, 2)
                for part in (
                    IdentityConvolution(width, name=f"conv{group}_{index}"),
                    BatchNorm(name=f"norm{group}_{index}"),
                )
            ]
            for group, width in enumerate(widths, 1)
        ]

    def parts(self) -> dict[str, Any]:
        return {"whitening": self.whitening, "groups": self.groups}

    def __call__(
        self, image: tf.Tensor, dropout: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        maps = tf.nn.gelu(self.whitening(image))
        # The first call builds the layers, so it takes the plain way.
        folded = not training and self.groups[-1][-1].built
        for conv1, norm1, conv2, norm2 in self.groups:
            if folded:
                # A positive scale commutes with the largest of a pool.
                maps = tf.nn.gelu(_halved(conv1.normalised(maps, norm1)))
                maps = tf.nn.gelu(conv2.normalised(maps, norm2))
            else:
                maps = norm1(_halved(conv1(maps)), training=training)
                maps = norm2(conv2(tf.nn.gelu(maps)), training=training)
                maps = tf.nn.gelu(maps)
        return tf.reduce_max(maps, axis=[1, 2])

    def start(self, images: tf.Tensor) -> None:
        self.whitening.start(np.asarray(images))


def _halved(maps: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(maps, 2, 2, "VALID")
