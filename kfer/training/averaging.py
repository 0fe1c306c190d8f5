"""Averages of the weights over training, which answer in place of the last weights.

Ours rather than tfa.optimizers.MovingAverage and Lookahead: those average what has a
gradient alone, so that averaged weights would answer with the last steps' batch norm
statistics; Lookahead has one step size for the whole run; MovingAverage's swap adds and
subtracts, so that a run does not go on with the same bits after an evaluation.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.optimization import Optimization


class Average(tf.Module):
    """Slow copies of variables, moved after each step of the optimizer.

    'ema': slow <- d slow + (1 - d) fast with d = min(ema_decay, (1 + t) / (10 + t)), t
    the steps done. 'lookahead' (Zhang et al., NeurIPS 2019): every n steps slow <- d
    slow + (1 - d) fast and fast <- slow, with d = b^n (t / T)^3, so that little is held
    back early and more at the end (K. Jordan, arXiv 2404.00498, listing 4).

    Each replica's copy is averaged by itself, so the copies stay the same.

    Args:
      variables: the fast ones, float; to be called in their strategy's scope.
      optimization: see Optimization.

    Raises:
      UserError: 'lookahead' without total_steps.
    """

    def __init__(self, variables: Sequence[tf.Variable], optimization: Optimization):
        super().__init__(name="average")
        if optimization.averaging == "lookahead" and not optimization.total_steps:
            raise UserError("Averaging 'lookahead' needs total_steps")
        self.optimization = optimization
        # Untracked: a checkpoint would name the networks' variables after this place.
        object.__setattr__(self, "fast", tuple(variables))
        self.slow = tuple(
            tf.Variable(v, trainable=False, name=f"slow{i}")
            for i, v in enumerate(variables)
        )

    def start(self) -> None:
        """Begins at the variables as they are."""
        for fast, slow in zip(self.fast, self.slow, strict=True):
            for one, other in zip(_copies(fast), _copies(slow), strict=True):
                other.assign(one)

    def decay(self, steps: tf.Tensor) -> tf.Tensor:
        """d after that many steps; see the class."""
        steps, chosen = tf.cast(steps, tf.float32), self.optimization
        if chosen.averaging == "ema":
            return tf.minimum(chosen.ema_decay, (1.0 + steps) / (10.0 + steps))
        largest = chosen.lookahead_decay**chosen.lookahead_every
        return largest * tf.minimum(steps / chosen.total_steps, 1.0) ** 3

    def update(self, strategy: tf.distribute.Strategy, steps: tf.Tensor) -> None:
        """Moves the averages.

        Args:
          strategy: of the optimizer's update, where it is in cross-replica context.
          steps: done, int scalar.
        """
        decay = self.decay(steps)
        if self.optimization.averaging == "ema":
            self._each(strategy, _move, decay)
            return
        now = tf.equal(tf.cast(steps, tf.int64) % self.optimization.lookahead_every, 0)

        def sync(
            fast: tf.Variable, slow: tf.Variable, decay: tf.Tensor, now: tf.Tensor
        ) -> None:
            def both() -> tf.Tensor:
                _move(fast, slow, decay)
                fast.assign(slow)
                return now

            tf.cond(now, both, lambda: now)

        self._each(strategy, sync, decay, now)

    def _each(
        self, strategy: tf.distribute.Strategy, function: Any, *args: Any
    ) -> None:
        for fast, slow in zip(self.fast, self.slow, strict=True):
            strategy.extended.update(fast, function, args=(slow, *args), group=False)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """The variables hold the averages inside, and their own values afterwards."""
        pairs = [
            pair
            for fast, slow in zip(self.fast, self.slow, strict=True)
            for pair in zip(_copies(fast), _copies(slow), strict=True)
        ]
        before = [tf.identity(fast) for fast, _ in pairs]
        try:
            for fast, slow in pairs:
                fast.assign(slow)
            yield
        finally:
            for (fast, _), value in zip(pairs, before, strict=True):
                fast.assign(value)

    def load(self) -> None:
        """Puts the averages in the variables' place for good."""
        for fast, slow in zip(self.fast, self.slow, strict=True):
            for one, other in zip(_copies(fast), _copies(slow), strict=True):
                one.assign(other)


def _move(fast: tf.Variable, slow: tf.Variable, decay: tf.Tensor) -> None:
    slow.assign(decay * slow + (1.0 - decay) * fast)


def _copies(variable: tf.Variable) -> tuple[tf.Variable, ...]:
    """This worker's replicas' own variables behind a distributed one."""
    return tf.distribute.get_strategy().experimental_local_results(variable)


def of(method: Any) -> Average | None:
    """The method's average, if it has one."""
    optimizer = getattr(method, "generator_optimizer", None)
    return getattr(getattr(optimizer, "inner_optimizer", optimizer), "average", None)


def answering(method: Any) -> contextlib.AbstractContextManager[None]:
    """The method answers with its averages inside, if it has any."""
    average = of(method)
    return average.answering() if average else contextlib.nullcontext()
