"""How TensorFlow runs the step, which does not change what is learned."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.settings.config import PRECISIONS

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def configure() -> None:
    """Process-wide settings; to be called before the first step."""
    # Its fused kernels may round otherwise than those of all runs so far.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    _one_heap()


def _one_heap() -> None:
    """Lets all threads share a heap: each keeping its own holds on to freed tensors."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        # Other C libraries than glibc have no mallopt.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """What layers built inside multiply in; variables stay float32.

    Args:
      name: one of config.PRECISIONS.

    Raises:
      UserError: another name, or this processor's kernels can't multiply in bfloat16.
    """
    if name not in PRECISIONS:
        raise UserError(f"mixed_precision {name!r} is none of {', '.join(PRECISIONS)}")
    if name == "bfloat16":
        _check_bfloat16()
    before = keras.mixed_precision.global_policy()
    policy = name if name == "float32" else f"mixed_{name}"
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def _check_bfloat16() -> None:
    """oneDNN's convolutions in bfloat16 want AVX-512."""
    picture = tf.zeros([1, 8, 8, 3], tf.bfloat16)
    try:
        tf.nn.conv2d(picture, tf.zeros([3, 3, 3, 8], tf.bfloat16), 1, "SAME")
    except tf.errors.OpError as error:
        raise UserError(
            "This processor's kernels don't multiply in bfloat16 (oneDNN wants "
            "AVX-512); leave --mixed_precision out"
        ) from error


def loss_scaled(optimizer: keras.optimizers.Optimizer, name: str) -> Any:
    """The optimizer, in float16 with a loss scale that adapts itself."""
    if name != "float16":
        return optimizer
    return keras.mixed_precision.LossScaleOptimizer(optimizer)
