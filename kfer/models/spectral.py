"""Spectral normalisation with the semantics of Miyato et al. (2018).

Kernels are never overwritten: a layer uses kernel / sigma(kernel), the gradient flows
through sigma, and the only state is u, moved by one power iteration in each training
pass. (The layers in Keras 2.15 and tensorflow-addons overwrite the kernel and drop the
gradient of sigma.) A layer called on a tuple of tensors computes sigma once for all.
"""

import math
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.models import convolution

_EPSILON = 1e-12


@tf.custom_gradient
def normalize(kernel: tf.Tensor, u: tf.Tensor) -> Any:
    """kernel / sigma after one power iteration, in few operations.

    With v = unit(K u) and u' = unit(K^T v), sigma = u'^T K^T v is the length of K^T v.
    u' and v are constants to the gradient, which is therefore
    d_kernel = (g - <g, kernel / sigma> v u'^T) / sigma.

    Args:
      kernel: [..., N, M] float32, the output dimension last.
      u: [..., 1, M] float32 of length 1.

    Returns:
      kernel / sigma [..., N, M] and u' [..., 1, M].
    """
    v = _unit(tf.matmul(u, kernel, transpose_b=True))
    product = tf.matmul(v, kernel)
    inverse = _inverse_length(product)
    u_next = product * inverse
    normalized = kernel * inverse

    def gradient(upstream: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, None]:
        along = tf.reduce_sum(upstream * normalized, [-2, -1], keepdims=True)
        outer = tf.matmul(v, along * u_next, transpose_a=True)
        return (upstream - outer) * inverse, None

    return (normalized, u_next), gradient


def normalize_fixed(kernel: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """kernel / sigma for the stored u, which stays; shapes as in normalize."""
    return kernel * _inverse_length(tf.matmul(u, kernel, transpose_b=True))


def _unit(row: tf.Tensor) -> tf.Tensor:
    return row * _inverse_length(row)


def _inverse_length(row: tf.Tensor) -> tf.Tensor:
    """[..., 1, N] -> [..., 1, 1]."""
    square = tf.matmul(row, row, transpose_b=True)
    return tf.math.rsqrt(tf.maximum(square, _EPSILON**2))


def torch_uniform(fan_in: int) -> keras.initializers.Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)): where the 2021 code's linear layers start."""
    limit = 1.0 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-limit, limit)


def channels_of(input_shape: Any) -> int:
    """The last dimension of a shape, or of the first of a tuple of shapes."""
    while not isinstance(input_shape[-1], int):
        input_shape = input_shape[0]
    return input_shape[-1]


class SpectralLayer(keras.layers.Layer):
    """A kernel of spectral norm 1 and a bias; subclasses say how they are applied.

    Args:
      filters: number of output channels.
      use_bias: whether to add a bias.
    """

    # Leading dimensions of a stack of kernels, each with a norm of its own.
    stack: tuple[int, ...] = ()

    def __init__(self, filters: int, use_bias: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.use_bias = use_bias

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "use_bias": self.use_bias}
        return {**super().get_config(), **own}

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """The kernel's shape for inputs of that many channels."""
        raise NotImplementedError

    def fan_in(self, channels: int) -> int:
        """Number of inputs that the starting range is scaled by."""
        return math.prod(self.kernel_shape(channels)[:-1])

    def apply(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """The layer's product, without bias."""
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        channels = channels_of(input_shape)
        fan_in = self.fan_in(channels)
        self.kernel = self.add_weight(
            name="kernel",
            shape=self.kernel_shape(channels),
            initializer=torch_uniform(fan_in),
            # Its norm is computed in float32, whatever the layer multiplies in.
            experimental_autocast=False,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(*self.stack, self.filters),
                initializer=torch_uniform(fan_in),
            )
        # A function of the kernel alone, so the first replica's copy is right for all.
        self.u = self.add_weight(
            name="u",
            shape=(*self.stack, 1, self.filters),
            initializer=_UnitNormal(),
            trainable=False,
            dtype="float32",
            experimental_autocast=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        super().build(input_shape)

    def normalized_kernel(self, training: bool) -> tf.Tensor:
        """kernel / sigma; a training pass moves u by one power iteration."""
        matrix = self._matrix(tf.cast(self.kernel, tf.float32))
        if training:
            matrix, u = normalize(matrix, tf.convert_to_tensor(self.u))
            self.u.assign(u)
        else:
            matrix = normalize_fixed(matrix, tf.convert_to_tensor(self.u))
        return tf.cast(self._kernel(matrix), self.compute_dtype)

    def add_bias(self, outputs: tf.Tensor) -> tf.Tensor:
        """The bias on the last dimension."""
        return tf.nn.bias_add(outputs, tf.cast(self.bias, outputs.dtype))

    def _matrix(self, kernel: tf.Tensor) -> tf.Tensor:
        """The kernel as [all else, out channels]."""
        return tf.reshape(kernel, [-1, self.filters])

    def _kernel(self, matrix: tf.Tensor) -> tf.Tensor:
        """Inverse of _matrix."""
        return tf.reshape(matrix, self.kernel.shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        kernel = self.normalized_kernel(training)

        def one(tensor: tf.Tensor) -> tf.Tensor:
            outputs = self.apply(tensor, kernel)
            return self.add_bias(outputs) if self.use_bias else outputs

        return tf.nest.map_structure(one, inputs)


class SpectralDense(SpectralLayer):
    """[B, C] -> [B, filters]."""

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (channels, self.filters)

    def _matrix(self, kernel: tf.Tensor) -> tf.Tensor:
        return kernel

    def _kernel(self, matrix: tf.Tensor) -> tf.Tensor:
        return matrix

    def apply(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return tf.matmul(inputs, kernel)


class SpectralDenseStack(SpectralDense):
    """Parallel linear layers: [B, C] or [K, B, C] -> [K, B, filters].

    Args:
      filters: number of output channels of each.
      count: number K of layers.
    """

    def __init__(self, filters: int, count: int, **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.count = count
        self.stack = (count,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (self.count, channels, self.filters)

    def fan_in(self, channels: int) -> int:
        return channels

    def add_bias(self, outputs: tf.Tensor) -> tf.Tensor:
        return outputs + tf.cast(self.bias, outputs.dtype)[:, None]


class SpectralConv2D(SpectralLayer):
    """[B, H, W, C] -> [B, H, W, filters], or half the side with pooling.

    Args:
      filters: number of output channels.
      size: side of the kernel, 1 or 3.
      pool: whether 2x2 average pooling follows, folded into the convolution.
      use_bias: whether to add a bias.
    """

    def __init__(self, filters: int, size: int, pool: bool = False, **kwargs: Any):
        super().__init__(filters, **kwargs)
        if size not in (1, 3):
            raise ValueError(f"size must be 1 or 3, got {size}")
        self.size = size
        self.pool = pool

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "pool": self.pool}

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (self.size, self.size, channels, self.filters)

    def apply(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if self.size == 1:
            # Pooling commutes with a 1x1 convolution and is cheaper before it.
            image = convolution.average_pool(inputs) if self.pool else inputs
            return tf.nn.conv2d(image, kernel, 1, "VALID")
        conv = convolution.conv3x3_pool if self.pool else convolution.conv3x3
        return conv(inputs, kernel)


class SpectralConv2DTranspose(SpectralLayer):
    """[B, H, W, C] -> [B, 2H, 2W, filters]: kernel 4, stride 2, padding 1.

    Normalised over its out channels, as the 2021 code does.
    """

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (4, 4, self.filters, channels)

    def _matrix(self, kernel: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.transpose(kernel, [0, 1, 3, 2]), [-1, self.filters])

    def _kernel(self, matrix: tf.Tensor) -> tf.Tensor:
        height, width, filters, channels = self.kernel.shape
        cube = tf.reshape(matrix, [height, width, channels, filters])
        return tf.transpose(cube, [0, 1, 3, 2])

    def fan_in(self, channels: int) -> int:
        return 16 * self.filters

    def apply(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(inputs)[0]
        height, width = inputs.shape[1:3]
        shape = [batch, 2 * height, 2 * width, self.filters]
        outputs = tf.nn.conv2d_transpose(inputs, kernel, shape, 2, "SAME")
        return tf.ensure_shape(outputs, [None, *shape[1:]])


class _UnitNormal(keras.initializers.Initializer):
    """A random direction."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> tf.Tensor:
        return _unit(keras.initializers.RandomNormal()(shape, dtype=dtype))
