import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import selection


def chosen(losses, share, given=None):
    given = np.ones(len(losses)) if given is None else given
    found = selection.small_loss(
        tf.constant(losses, tf.float32), tf.constant(given, tf.float32), share
    )
    return found.numpy().tolist()


class TestSmallLoss:
    def test_by_hand(self):
        assert chosen([0.4, 0.1, 0.3, 0.2], 0.5) == [0, 1, 0, 1]

    def test_all(self):
        assert chosen([0.4, 0.1, 0.3], 1.0) == [1, 1, 1]

    def test_a_whole_number_is_not_lost_to_rounding(self):
        # float32(0.8) 10 is above 8, float32(0.7) 10 below 7
        for share, count in ((0.8, 8), (0.7, 7), (0.29, 2)):
            assert sum(chosen(np.arange(10.0), tf.constant(share))) == count

    def test_at_least_one(self):
        assert chosen([0.4, 0.1, 0.3], 0.1) == [0, 1, 0]

    def test_examples_without_a_label_are_never_chosen(self):
        assert chosen([0.0, 0.5, 0.4, 0.3], 0.7, [0, 1, 1, 1]) == [0, 0, 1, 1]
        assert chosen([0.0, 0.0], 0.5, [0, 0]) == [0, 0]


@pytest.mark.parametrize("epoch, share", [(0, 1.0), (5, 0.9), (10, 0.8), (99, 0.8)])
def test_remember_share(epoch, share):
    found = selection.remember_share(tf.constant(float(epoch)), 0.2, 10)
    assert float(found) == pytest.approx(share)
