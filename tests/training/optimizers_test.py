import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer.training.optimizers import SGD, Adam, Rule

RATE, BETA_1, BETA_2, EPSILON = 0.01, 0.9, 0.999, 1e-8
START = np.array([1.0, -2.0, 0.5, 3.0])
# From far above epsilon to far below it, where only epsilon decides the step.
GRADIENTS = np.array(
    [
        [1.0, -3e-3, 2e-8, 1e-10],
        [-0.5, 2e-3, -1e-8, 3e-10],
        [0.3, 4e-3, 5e-8, -2e-10],
    ]
)


def torch_adam(start, gradients, rate=RATE, epsilon=EPSILON):
    """PyTorch's: p -= rate / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)."""
    value, m, v, values = start.copy(), 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        m = BETA_1 * m + (1 - BETA_1) * g
        v = BETA_2 * v + (1 - BETA_2) * g**2
        root = np.sqrt(v) / np.sqrt(1 - BETA_2**t) + epsilon
        value = value - rate / (1 - BETA_1**t) * m / root
        values.append(value)
    return values


def run(optimizer, gradients=GRADIENTS):
    """The change of the variable after each step, which rounding at 1 would hide."""
    variable = tf.Variable(np.zeros_like(START), dtype=tf.float32)
    values = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
        values.append(variable.numpy())
    return values


def adam(**fields):
    return Adam(RATE, BETA_1, BETA_2, EPSILON, **fields)


def test_equals_pytorch_s_adam():
    expected = torch_adam(np.zeros_like(START), GRADIENTS)
    np.testing.assert_allclose(run(adam()), expected, rtol=2e-4)


def test_first_step_by_hand():
    # m / (1 - b1) = g and v / (1 - b2) = g^2, so the step is rate g / (|g| + epsilon)
    first = run(adam())[0]
    assert first[:2] == pytest.approx([-0.01, 0.01], rel=1e-4)
    assert first[2] == pytest.approx(-0.01 * 2 / 3, rel=1e-4)
    assert first[3] == pytest.approx(-0.01 * 1e-10 / 1.01e-8, rel=1e-4)


def test_keras_adam_differs_where_epsilon_matters():
    # Keras: rate g / (|g| + epsilon / sqrt(1 - b2)); 1 / sqrt(0.001) = 31.6
    keras_first = run(keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON))[0]
    assert keras_first[2] == pytest.approx(-0.01 * 2 / (2 + 31.62), rel=1e-3)
    ours = run(adam())[0]
    assert ours[2] / keras_first[2] == pytest.approx(33.62 / 3, rel=1e-3)
    np.testing.assert_allclose(ours[:1], keras_first[:1], rtol=1e-5)


def test_a_step_in_a_graph_equals_an_eager_one():
    variable = tf.Variable(np.zeros_like(START), dtype=tf.float32)
    optimizer = adam()
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply_gradients([(gradient, variable)])

    for gradient in GRADIENTS:
        step(tf.constant(gradient, tf.float32))
    np.testing.assert_array_equal(variable, run(adam())[-1])


@pytest.mark.parametrize("graph", (False, True), ids=("eager", "graph"))
def test_keras_compiled_update_is_the_same(graph):
    """Keras turns jit_compile on by itself where there is a GPU.

    Two updates of one variable in a step, as two discriminator steps make: each has its
    own bias correction.
    """
    gradients = np.concatenate([GRADIENTS[:2], GRADIENTS[:2]])
    optimizer = adam()
    optimizer.jit_compile = True
    variable = tf.Variable(np.zeros_like(START), dtype=tf.float32)
    optimizer.build([variable])

    def step():
        for gradient in GRADIENTS[:2]:
            optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])

    step = tf.function(step) if graph else step
    step()
    step()
    expected = torch_adam(np.zeros_like(START), gradients)[-1]
    np.testing.assert_allclose(variable, expected, rtol=1e-3)


def test_learning_rate_may_change_between_steps():
    optimizer = adam()
    variable = tf.Variable([0.0])
    optimizer.apply_gradients([(tf.constant([1.0]), variable)])
    optimizer.learning_rate.assign(0.0)
    before = variable.numpy()
    optimizer.apply_gradients([(tf.constant([1.0]), variable)])
    np.testing.assert_array_equal(variable, before)
    assert optimizer.iterations.numpy() == 2


def test_slots_are_first_and_second_moments():
    optimizer = adam()
    variable = tf.Variable([0.0, 0.0])
    for gradient in ([1.0, 2.0], [3.0, -2.0]):
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
    # 0.9 * 0.1 * 1 + 0.1 * 3; 0.999 * 0.001 * 1 + 0.001 * 9
    first, second = (slot.numpy() for slot in optimizer.variables[-2:])
    assert first == pytest.approx([0.39, -0.02], rel=1e-5)
    assert second == pytest.approx([0.009999, 0.007996], rel=1e-4)


def test_two_replicas_sum_their_gradients(two_replicas):
    with two_replicas.scope():
        variable = tf.Variable(np.zeros_like(START), dtype=tf.float32)
        optimizer = adam()
        optimizer.build([variable])
    for gradient in GRADIENTS:
        halves = two_replicas.experimental_distribute_values_from_function(
            lambda context, g=gradient: tf.constant(
                g * (0.25, 0.75)[context.replica_id_in_sync_group], tf.float32
            )
        )
        two_replicas.run(
            lambda g: optimizer.apply_gradients([(g, variable)]), args=(halves,)
        )
    np.testing.assert_allclose(variable.numpy(), run(adam())[-1], rtol=1e-5)
    assert optimizer.iterations.numpy() == 3


class TestLateVariables:
    """A variable's moments are corrected by its own steps, as PyTorch's are."""

    def test_each_step_is_the_rate_whenever_the_first_comes(self):
        early, late = tf.Variable([0.0]), tf.Variable([0.0])
        optimizer = adam()
        optimizer.build([early, late])
        one = tf.constant([1.0])

        @tf.function
        def step(*variables):
            optimizer.apply_gradients([(one, variable) for variable in variables])

        for _ in range(1000):
            step(early)
        assert late.numpy() == [0.0]
        for _ in range(30):
            step(early, late)
        # The moments over their corrections are 1, so each step is the rate. Corrected
        # by the optimizer's step, the last alone would be 4.5 times as far:
        # (1 - 0.9^30) / sqrt((1 - 0.999^30) / (1 - 0.999^1030)) = 0.958 / 0.215
        assert late.numpy() == pytest.approx([-30 * RATE], rel=1e-3)
        assert optimizer.update_counts.numpy().tolist() == [1030, 30]
        assert optimizer.iterations.numpy() == 1030

    def test_late_steps_equal_pytorch_s_from_there_on(self):
        early = tf.Variable(np.zeros_like(START), dtype=tf.float32)
        late = tf.Variable(np.zeros_like(START), dtype=tf.float32)
        optimizer = adam()
        optimizer.build([early, late])
        for _ in range(7):
            optimizer.apply_gradients([(tf.ones(4), early)])
        for gradient in GRADIENTS:
            gradient = tf.constant(gradient, tf.float32)
            optimizer.apply_gradients([(gradient, late), (gradient, early)])
        expected = torch_adam(np.zeros_like(START), GRADIENTS)[-1]
        np.testing.assert_allclose(late, expected, rtol=2e-4)

    def test_two_replicas_count_once(self, two_replicas):
        with two_replicas.scope():
            first, second = tf.Variable([0.0]), tf.Variable([0.0])
            optimizer = adam()
            optimizer.build([first, second])

        @tf.function
        def step():
            two_replicas.run(
                lambda: optimizer.apply_gradients([(tf.constant([0.5]), second)])
            )

        step()
        step()
        assert optimizer.update_counts.numpy().tolist() == [0, 2]
        assert second.numpy() == pytest.approx([-2 * RATE], rel=1e-4)


def torch_sgd(gradients, rates, momentum=0.85, decay=0.0, start=1.0):
    """PyTorch's SGD with nesterov=True and weight_decay, in float64."""
    value, buffer, values = np.float64(start), 0.0, []
    for gradient, rate in zip(gradients, rates):
        gradient = gradient + decay * value
        buffer = momentum * buffer + gradient
        value = value - rate * (gradient + momentum * buffer)
        values.append(value)
    return values


def steps_of(optimizer, gradients, start=1.0):
    variable = tf.Variable([start])
    optimizer.build([variable])
    values = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant([gradient]), variable)])
        values.append(float(variable.numpy()[0]))
    return values


class TestNesterov:
    GRADIENTS = (1.0, -0.5, 0.25, 2.0)

    def test_first_steps_by_hand(self):
        # b = 1, w = 1 - 0.1 (1 + 0.85); b = 0.85 - 0.5, w -= 0.1 (-0.5 + 0.85 b)
        found = steps_of(SGD(0.1, 0.85), self.GRADIENTS[:2])
        assert found == pytest.approx([0.815, 0.815 - 0.1 * (-0.5 + 0.85 * 0.35)])

    def test_equals_pytorch_s_at_a_changing_rate(self):
        optimizer = SGD(0.2, 0.85)
        optimizer.schedule = lambda step: 1.0 / (1.0 + tf.cast(step, tf.float32))
        expected = torch_sgd(self.GRADIENTS, [0.2, 0.1, 0.2 / 3, 0.05])
        assert steps_of(optimizer, self.GRADIENTS) == pytest.approx(expected)

    def test_l2_decay_equals_pytorch_s(self):
        optimizer = SGD(0.1, 0.85)
        optimizer.set_rules([Rule(decay=0.3)])
        expected = torch_sgd(self.GRADIENTS, [0.1] * 4, decay=0.3)
        assert steps_of(optimizer, self.GRADIENTS) == pytest.approx(expected)

    def test_without_momentum(self):
        assert steps_of(SGD(0.1, 0.0), (1.0, 2.0)) == pytest.approx([0.9, 0.7])


class TestRules:
    @pytest.mark.parametrize("make", (adam, lambda: SGD(0.1, 0.0)))
    def test_each_variable_has_its_rate(self, make):
        first, second = tf.Variable([0.0]), tf.Variable([0.0])
        optimizer = make()
        optimizer.build([first, second])
        optimizer.set_rules([Rule(), Rule(rate=64.0)])
        one = tf.constant([1.0])
        optimizer.apply_gradients([(one, first), (one, second)])
        assert second.numpy() == pytest.approx(64 * first.numpy(), rel=1e-4)
        assert first.numpy() < 0

    def test_decoupled_decay_goes_past_the_gradient(self):
        # Adam's first step is the rate, 0.01, whatever the gradient; before it the
        # weight loses 0.01 * 0.5 of itself.
        optimizer = adam()
        optimizer.set_rules([Rule(decay=0.5, decoupled=True)])
        found = steps_of(optimizer, (3.0,), start=2.0)
        assert found == pytest.approx([2.0 * (1 - 0.005) - 0.01], rel=1e-5)

    def test_l2_decay_is_part_of_adam_s_moments(self):
        optimizer = adam()
        optimizer.set_rules([Rule(decay=0.5)])
        found = steps_of(optimizer, (-3.0,), start=2.0)
        assert found == pytest.approx([2.0 + 0.01], rel=1e-5)
        # 0.1 (-3 + 0.5 * 2)
        assert optimizer._momentums[0].numpy() == pytest.approx([-0.2])

    def test_plain_rules_change_no_bit(self):
        optimizer = adam()
        optimizer.set_rules([Rule()])
        np.testing.assert_array_equal(run(optimizer), run(adam()))

    def test_a_schedule_in_a_graph(self):
        optimizer = SGD(1.0, 0.0)
        optimizer.schedule = lambda step: tf.cast(step + 1, tf.float32)
        variable = tf.Variable([0.0])
        optimizer.build([variable])
        step = tf.function(
            lambda: optimizer.apply_gradients([(tf.constant([1.0]), variable)])
        )
        step()
        step()
        assert variable.numpy() == [-3.0]
