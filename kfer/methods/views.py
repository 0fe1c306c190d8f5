"""What a network says of a picture, averaged over views of it."""

from collections.abc import Callable

import tensorflow as tf

NONE, FLIP, FLIP_SHIFT = "none", "flip", "flip_shift"

Outputs = dict[str, tf.Tensor]


def averaged(
    network: Callable[[tf.Tensor], Outputs], image: tf.Tensor, kind: str
) -> Outputs:
    """The network's outputs, averaged before they become answers.

    FLIP is the mean m(x) over the picture and its mirror image. FLIP_SHIFT is
    1/2 m(x) + 1/4 m(x up left) + 1/4 m(x down right), shifted by one pixel with the
    picture reflected at its border (K. Jordan, arXiv 2404.00498, sec. 3.5). A view is a
    pass of its own, 2 or 6 in all, so that no more memory is needed than for one.

    Args:
      network: [B, S, S, 3] -> name -> [B, size].
      image: [B, S, S, 3].
      kind: one of Optimization's test_averaging.
    """
    if kind == NONE:
        return network(image)
    if kind == FLIP:
        return _mirror_mean(network, image)
    padded = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    shifted = [padded[:, :-2, :-2], padded[:, 2:, 2:]]
    plain, first, second = (_mirror_mean(network, v) for v in (image, *shifted))
    return {
        name: 0.5 * value + 0.25 * (first[name] + second[name])
        for name, value in plain.items()
    }


def _mirror_mean(network: Callable[[tf.Tensor], Outputs], image: tf.Tensor) -> Outputs:
    mirrored = network(tf.reverse(image, axis=[2]))
    return {
        name: 0.5 * (value + mirrored[name]) for name, value in network(image).items()
    }
