"""Exact cheaper forms of the convolutions that the networks are made of.

Kernels are [3, 3, C, D] (or [1, 1, C, D]), images [B, H, W, C], padding zero ('SAME').
Each form computes the same function as the plain one, with fewer products with padding
or fewer products altogether; tests compare values and gradients with the plain form.
"""

import tensorflow as tf


def conv3x3(image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A 3x3 convolution, stride 1, padded with zeros.

    On a 1x1 map only the kernel's centre meets the image (9 times fewer products), on a
    2x2 map the convolution is a dense layer from 4C to 4D (2.25 times fewer).
    """
    height, width = image.shape[1:3]
    if (height, width) == (1, 1):
        return tf.nn.conv2d(image, kernel[1:2, 1:2], 1, "VALID")
    if (height, width) == (2, 2):
        return _conv3x3_on_2x2(image, kernel)
    return tf.nn.conv2d(image, kernel, 1, "SAME")


def conv3x3_pool(image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """conv3x3 followed by 2x2 average pooling, as one 4x4 convolution of stride 2.

    The average of four shifted 3x3 kernels is a 4x4 kernel: 16 products for an output
    instead of 4 * 9. On a 2x2 map its middle 2x2 alone meets the image. An odd side,
    where pooling drops the last row, keeps the plain form.
    """
    height, width = image.shape[1:3]
    if height % 2 or width % 2:
        return average_pool(conv3x3(image, kernel))
    wide = pooled_kernel(kernel)
    if (height, width) == (2, 2):
        return tf.nn.conv2d(image, wide[1:3, 1:3], 1, "VALID")
    return tf.nn.conv2d(image, wide, 2, "SAME")


def pooled_kernel(kernel: tf.Tensor) -> tf.Tensor:
    """[3, 3, C, D] -> [4, 4, C, D]: the mean of the kernel at its four shifts."""
    shifts = [
        tf.pad(kernel, [[i, 1 - i], [j, 1 - j], [0, 0], [0, 0]])
        for i in (0, 1)
        for j in (0, 1)
    ]
    return tf.add_n(shifts) * 0.25


def average_pool(image: tf.Tensor) -> tf.Tensor:
    """2x2 average pooling, stride 2; an odd last row or column is dropped."""
    return tf.nn.avg_pool2d(image, 2, 2, "VALID")


def _conv3x3_on_2x2(image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    channels, filters = kernel.shape[2:4]
    # Output pixel (i, j) sees the 2x2 window of the kernel that starts at (1-i, 1-j).
    windows = [kernel[1 - i : 3 - i, 1 - j : 3 - j] for i in (0, 1) for j in (0, 1)]
    columns = [tf.reshape(window, [4 * channels, filters]) for window in windows]
    dense = tf.concat(columns, axis=1)
    flat = tf.reshape(image, [-1, 4 * channels])
    return tf.reshape(tf.matmul(flat, dense), [-1, 2, 2, filters])
