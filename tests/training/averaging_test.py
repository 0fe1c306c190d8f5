import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.optimization import Optimization
from kfer.training import averaging
from kfer.training.optimizers import SGD


class Toy:
    """A weight that falls by 1 a step beside a statistic without gradient."""

    def __init__(self, **fields):
        self.weight = tf.Variable([10.0])
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.statistic = tf.Variable([4.0], trainable=False, aggregation=first)
        self.generator_optimizer = SGD(1.0, 0.0)
        self.generator_optimizer.build([self.weight])
        self.average = averaging.Average(
            [self.weight, self.statistic], Optimization(**fields)
        )
        self.generator_optimizer.average = self.average

    def step(self, gradient=1.0):
        self.statistic.assign_add(tf.constant([2.0]))
        pair = (tf.constant([gradient]), self.weight)
        self.generator_optimizer.apply_gradients([pair])

    def slow(self):
        return [float(v.numpy()[0]) for v in self.average.slow]


def test_ema_by_hand():
    toy = Toy(averaging="ema", ema_decay=0.25)
    toy.step()
    # d = min(0.25, 2 / 11): the weight is 9, the statistic 6
    d = 2 / 11
    one = [d * 10 + (1 - d) * 9, d * 4 + (1 - d) * 6]
    assert toy.slow() == pytest.approx(one)
    toy.step()
    assert toy.slow() == pytest.approx(
        [0.25 * one[0] + 0.75 * 8, 0.25 * one[1] + 0.75 * 8]
    )
    assert toy.weight.numpy() == [8.0]


def lookahead():
    return Toy(
        averaging="lookahead", lookahead_every=2, lookahead_decay=0.5, total_steps=4
    )


def test_lookahead_by_hand():
    toy = lookahead()
    toy.step()
    assert toy.slow() == [10.0, 4.0] and toy.weight.numpy() == [9.0]
    toy.step()
    # d = 0.5^2 (2 / 4)^3 = 1 / 32; the weight was 8, the statistic 8
    weight, statistic = 10 / 32 + 8 * 31 / 32, 4 / 32 + 8 * 31 / 32
    assert toy.slow() == pytest.approx([weight, statistic])
    assert toy.weight.numpy() == pytest.approx([weight])
    assert toy.statistic.numpy() == pytest.approx([statistic])
    toy.step()
    toy.step()
    # d = 0.5^2
    last = [0.25 * weight + 0.75 * (weight - 2)]
    assert toy.slow()[:1] == pytest.approx(last)


@pytest.mark.parametrize("make", (lookahead, lambda: Toy(averaging="ema")))
def test_a_graph_does_the_same(make):
    eager, graph = make(), make()
    step = tf.function(graph.step)
    for _ in range(4):
        eager.step()
        step()
    assert graph.slow() == eager.slow()
    assert graph.weight.numpy() == eager.weight.numpy()


class TestAnswering:
    def test_the_averages_answer_and_the_weights_come_back(self):
        toy = Toy(averaging="ema")
        # a sum and a difference of these would lose the last digits
        toy.weight.assign([1e-7])
        toy.average.slow[0].assign([1e7])
        with averaging.answering(toy):
            assert toy.weight.numpy() == [1e7] and toy.statistic.numpy() == [4.0]
        np.testing.assert_array_equal(toy.weight, np.float32([1e-7]))

    def test_after_an_error_too(self):
        toy = Toy(averaging="ema")
        toy.average.slow[0].assign([3.0])
        with pytest.raises(RuntimeError), averaging.answering(toy):
            raise RuntimeError
        assert toy.weight.numpy() == [10.0]

    def test_for_good(self):
        toy = Toy(averaging="ema")
        toy.average.slow[1].assign([3.0])
        toy.average.load()
        assert toy.statistic.numpy() == [3.0]

    def test_without_an_average(self):
        with averaging.answering(object()):
            pass
        assert averaging.of(object()) is None


def test_it_starts_where_the_variables_are():
    toy = lookahead()
    toy.weight.assign([5.0])
    toy.average.start()
    assert toy.slow() == [5.0, 4.0]


def test_lookahead_needs_the_number_of_steps():
    with pytest.raises(UserError, match="needs total_steps"):
        averaging.Average([], Optimization(averaging="lookahead"))


@pytest.mark.parametrize("make", (lookahead, lambda: Toy(averaging="ema")))
def test_two_replicas_average_as_one(two_replicas, make):
    one = make()
    with two_replicas.scope():
        many = make()

    @tf.function
    def step():
        two_replicas.run(many.step, args=(0.5,))

    for _ in range(4):
        one.step()
        step()
    for variable in (*many.average.slow, many.weight):
        copies = two_replicas.experimental_local_results(variable)
        np.testing.assert_array_equal(*copies)
    assert many.slow() == pytest.approx(one.slow())
    with two_replicas.scope(), many.average.answering():
        assert many.weight.numpy() == pytest.approx(one.slow()[:1])
