"""A method on one device and on several, stepped side by side and compared."""

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.training.optimizers import Adam
from tests.conftest import NUM_DEVICES

# Rows without a label, step by step, for class tasks and for values. With halves (0-3,
# 4-7), first the one replica has no class and the other no values; then all have some.
_MISSING = (
    ((0, 1, 2, 3, 5), (4, 5, 6, 7)),
    ((6,), (0, 1, 2)),
)

# With the shipped epsilon of 1e-8 Adam's first steps are signs, also of gradients that
# are 0 but for rounding (a bias before a batch norm has none, say). This one is above
# the rounding, so that equality can be asked of every variable; the gradients' size
# shows in Adam's moments.
EPSILON = 1e-2
RATE = 1e-3


def even(size):
    """Sizes of the replicas' batches that share `size` rows evenly."""
    return [size // NUM_DEVICES] * NUM_DEVICES


def uneven(size):
    """The last but one replica has a row more, the last one less."""
    return [*even(size)[:-2], size // NUM_DEVICES + 1, size // NUM_DEVICES - 1]


def missing(run, step):
    """Task -> rows whose label is masked at that step."""
    classes, values = _MISSING[step % 2]
    return {t.name: classes if t.is_categorical else values for t in run.tasks}


class Runner:
    """A method under a strategy, stepped from given values."""

    def __init__(self, run, strategy, epsilon):
        self.strategy = strategy
        tf.keras.utils.set_random_seed(0)
        with strategy.scope():
            self.method = methods.build(run)
            make = [lambda: Adam(run.learning_rate, epsilon=epsilon)] * 2
            self.method.compile(*(create() for create in make))
            self.method.build_all()
        metrics = {v.ref() for m in self.method.metrics for v in m.variables}
        self.variables = {
            f"{index} {v.name}": v
            for index, v in enumerate(self.method.variables)
            if v.ref() not in metrics
        }
        optimizers = (
            self.method.generator_optimizer,
            self.method.discriminator_optimizer,
        )
        for index, optimizer in enumerate(optimizers):
            for number, slot in enumerate(optimizer.variables):
                self.variables[f"optimizer{index}/{slot.name} {number}"] = slot

    def values(self):
        """Name -> value of every variable but the metrics'."""
        return {name: v.numpy() for name, v in self.variables.items()}

    def assign(self, values):
        """Puts every variable to what `values` gave."""
        for name, variable in self.variables.items():
            variable.assign(values[name])

    def distribute(self, batch, sizes):
        """The batch's rows, `sizes` of them for each replica."""
        ends = np.cumsum(sizes)
        parts = [
            tf.nest.map_structure(lambda a, i=i, n=n: tf.constant(a[i - n : i]), batch)
            for i, n in zip(ends, sizes)
        ]
        if len(parts) == 1:
            return parts[0]
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def step(self, batch, sizes, graph=False):
        """One training step; the logged values."""
        for metric in self.method.metrics:
            metric.reset_state()

        def step(part):
            return self.strategy.run(self.method.train_step, args=(part,))

        (tf.function(step) if graph else step)(self.distribute(batch, sizes))
        return {name: float(v) for name, v in self.method.results().items()}

    def copies_differ(self):
        """Names of variables of which a replica's copy differs from the first's."""
        return [
            name
            for name, variable in self.variables.items()
            for copy in self.strategy.experimental_local_results(variable)[1:]
            if not np.array_equal(
                copy, self.strategy.experimental_local_results(variable)[0]
            )
        ]


def runner_pair(run, strategy, epsilon=EPSILON):
    """A method on one device and the same on the replicas."""
    one = Runner(run, tf.distribute.get_strategy(), epsilon)
    many = Runner(run, strategy, epsilon)
    assert one.values().keys() == many.values().keys()
    return one, many


def _family(name):
    """'optimizer0/m', 'optimizer1/v', .. of a slot; 'weight' of what the nets hold."""
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("optimizer") else "weight"


def worst(one, many):
    """(largest difference over largest value, name) of the variable that differs most.

    Small variables count as larger than they are: a bias that starts at 0 is as small
    as its first step, and a moment of a gradient that is 0 is rounding alone, which
    goes by the size of the other gradients.
    """
    sizes = {name: np.abs(value).max() for name, value in one.items()}
    floors = {}
    for name, size in sizes.items():
        floors[_family(name)] = max(floors.get(_family(name), 0.0), 1e-3 * size)
    floors["weight"] = RATE
    found = []
    for name, value in one.items():
        gap = np.abs(np.float64(value) - many[name]).max()
        assert np.isfinite(gap), name
        scale = max(sizes[name], floors[_family(name)])
        found.append((gap / scale if gap else 0.0, name))
    return max(found)


def weights_of(values):
    """The part that the nets hold."""
    return {name: v for name, v in values.items() if _family(name) == "weight"}


def assert_equal_steps(pair, make_batch, plan, tolerance=1e-5):
    """Steps both runners; every logged value and variable must agree after each step.

    Each step starts both from the same values: a hinge or a ReLU that rounding moves
    across its kink would make the next step's gradients differ by more than rounding.

    Args:
      pair: from runner_pair.
      make_batch: the fixture.
      plan: for each step the sizes of the replicas' batches.
      tolerance: relative, of logged values and variables.
    """
    one, many = pair
    run = one.method.config
    for index, sizes in enumerate(plan):
        batch = make_batch(run, sum(sizes), index, missing(run, index))
        before = one.values()
        many.assign(before)
        logs = one.step(batch, [sum(sizes)])
        for name, value in many.step(batch, sizes).items():
            assert value == pytest.approx(logs[name], rel=tolerance, abs=1e-6), name
        after = one.values()
        found = worst(after, many.values())
        print(f"step {index + 1} with {sizes}: {found[0]:.1e} of {found[1]}")
        assert found[0] <= tolerance, found
        assert worst(weights_of(before), weights_of(after))[0] > 1e-3  # it did step
        assert not many.copies_differ()
