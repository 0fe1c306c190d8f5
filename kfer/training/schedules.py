"""The learning rate over a run, as a factor of the config's."""

import math
from collections.abc import Callable

import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.optimization import Optimization


def factor(optimization: Optimization) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Step, counted from 0 -> factor of the learning rate; None where it is always 1.

    With T = total_steps and W = int(warmup_share T) it is start_factor at step 0, 1 at
    W and final_factor from T on. Before W it is linear; after it 'one_cycle' is linear
    and 'cosine' final + (1 - final) (1 + cos(pi (t - W) / (T - W))) / 2 (Loshchilov and
    Hutter, ICLR 2017).

    Raises:
      UserError: the config doesn't say how many steps there are.
    """
    if optimization.schedule == "constant":
        return None
    total, final = optimization.total_steps, optimization.final_factor
    if not total:
        raise UserError(f"Schedule {optimization.schedule!r} needs total_steps")
    warmup = int(optimization.warmup_share * total)

    def at(step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rising = optimization.start_factor + (1.0 - optimization.start_factor) * (
            step / max(warmup, 1)
        )
        done = tf.clip_by_value((step - warmup) / max(total - warmup, 1), 0.0, 1.0)
        if optimization.schedule == "cosine":
            done = 0.5 - 0.5 * tf.cos(math.pi * done)
        return tf.where(step < warmup, rising, 1.0 - (1.0 - final) * done)

    return at
