"""Adam and SGD as PyTorch computes them, in TensorFlow's fused kernels."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras


@dataclasses.dataclass(frozen=True)
class Rule:
    """How a variable is updated.

    Attributes:
      rate: factor of the learning rate.
      decay: coefficient of what pulls it towards 0; see Optimization.decay_form.
      decoupled: whether the decay goes past the gradient.
      until: steps after which the variable stays; 0 is never.
    """

    rate: float = 1.0
    decay: float = 0.0
    decoupled: bool = False
    until: int = 0


PLAIN = Rule()


class _ByRule:
    """Rules by variable, a schedule and an average of the weights.

    Attributes:
      schedule: step -> factor of the learning rate; see kfer.training.schedules.
      average: see kfer.training.averaging.
    """

    schedule: Callable[[tf.Tensor], tf.Tensor] | None = None
    average: Any = None

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """One rule for each variable, in the order of `build`."""
        self._keep("_rules", tuple(rules))

    def _keep(self, name: str, value: Any) -> None:
        # Keras would track what is assigned, and look for it in old checkpoints.
        object.__setattr__(self, name, value)

    def _rule(self, index: int) -> Rule:
        rules = getattr(self, "_rules", ())
        return rules[index] if rules else PLAIN

    def _rate(self) -> tf.Tensor:
        """The learning rate of this step."""
        rate = tf.cast(self.learning_rate, tf.float32)
        return rate if self.schedule is None else rate * self.schedule(self.iterations)

    def _index(self, variable: tf.Variable) -> int:
        return self._index_dict[self._var_key(variable)]

    def _decayed(
        self, gradient: tf.Tensor, variable: tf.Variable, rate: tf.Tensor
    ) -> tf.Tensor:
        """The gradient with the decay in it, or the variable decayed beside it."""
        rule = self._rule(self._index(variable))
        if not rule.decay:
            return gradient
        if not rule.decoupled:
            return gradient + rule.decay * variable
        variable.assign_sub(rate * rule.decay * variable)
        return gradient

    def _distributed_apply_gradients_fn(
        self, distribution: tf.distribute.Strategy, grads_and_vars: list, **kwargs: Any
    ) -> Any:
        # Compiling would bake this step's numbers in; the kernels are fused.
        self.jit_compile = False
        # Computed here, outside the updates, once for all replicas.
        self._prepare([self._index(variable) for _, variable in grads_and_vars])
        result = super()._distributed_apply_gradients_fn(
            distribution, grads_and_vars, **kwargs
        )
        if self.average is not None:
            self.average.update(distribution, self.iterations)
        return result

    def _prepare(self, indices: Sequence[int]) -> None:
        """Notes what the updates of these variables need at this step."""
        rate = self._rate()
        self._keep("_rates", {i: self._rate_by(self._rule(i), rate) for i in indices})

    def _rate_by(self, rule: Rule, rate: tf.Tensor) -> tf.Tensor:
        """The rate of a variable at this step."""
        if rule.rate != 1.0:
            rate = rate * rule.rate
        if rule.until:
            rate = rate * tf.cast(self.iterations < rule.until, rate.dtype)
        return rate


class Adam(_ByRule, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2014) as PyTorch counts and rounds.

    Keras adds epsilon before the bias correction, which at the first step weighs it 31
    times more. Keras corrects every variable by the optimizer's step, though one whose
    first gradient comes late has moments that are as far from full as at step 1: it
    would move several times the rate. And Keras builds the update of many small ops;
    the fused kernel reads and writes each variable once, which matters at 60 million
    parameters.
    """

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        if not getattr(self, "_built", False):
            counts = tf.Variable(
                tf.zeros([len(var_list)], tf.int64),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                name="update_counts",
            )
            # kfer.training.checkpoints saves it by a key of its own, as checkpoints of
            # earlier versions have none.
            self._keep("update_counts", counts)
        super().build(var_list)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state, the counts too: the optimizer's step comes first."""
        first, *others = super().variables
        own = [self.update_counts] if hasattr(self, "update_counts") else []
        return [first, *own, *others]

    def _prepare(self, indices: Sequence[int]) -> None:
        super()._prepare(indices)
        counts = tf.unstack(tf.cast(self.update_counts + 1, tf.float32))
        self._keep("_scalars", {i: self._scalars_at(counts[i]) for i in indices})
        stepped = tf.one_hot(indices, len(counts), dtype=tf.int64)
        self.update_counts.assign_add(tf.reduce_sum(stepped, axis=0))

    def _scalars_at(self, step: tf.Tensor) -> dict[str, Any]:
        """What the kernel takes beside tensors and rate; steps count from 1."""
        power_1, power_2 = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        return {
            "beta1_power": power_1,
            "beta2_power": power_2,
            "beta1": self.beta_1,
            "beta2": self.beta_2,
            "epsilon": self.epsilon * tf.sqrt(1.0 - power_2),
        }

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        index = self._index(variable)
        rate = self._rates[index]
        tf.raw_ops.ResourceApplyAdam(
            grad=self._decayed(gradient, variable, rate),
            var=variable.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            lr=rate,
            **self._scalars[index],
        )


class SGD(_ByRule, keras.optimizers.SGD):
    """Nesterov's momentum as PyTorch has it: b <- m b + g, w <- w - rate (g + m b).

    Keras keeps the rate inside the momentum, which at a changing rate is another
    method.
    """

    def __init__(self, learning_rate: float, momentum: float, **kwargs: Any):
        super().__init__(learning_rate, momentum, nesterov=True, **kwargs)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        index = self._index(variable)
        rate = self._rates[index]
        gradient = self._decayed(gradient, variable, rate)
        if not self.momentum:
            variable.assign_sub(rate * gradient)
            return
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=self.momentums[index].handle,
            lr=rate,
            grad=gradient,
            momentum=self.momentum,
            use_nesterov=True,
        )
