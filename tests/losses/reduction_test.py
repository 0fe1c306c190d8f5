import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import reduction


def test_masked_mean_by_hand():
    values = tf.constant([1.0, 5.0, 100.0, 3.0])
    mask = tf.constant([1.0, 1.0, 0.0, 1.0])
    assert reduction.masked_mean(values, mask).numpy() == pytest.approx(3.0)


def test_masked_mean_of_nothing_is_zero_without_gradient():
    values = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        mean = reduction.masked_mean(values, tf.zeros(2))
    assert mean.numpy() == 0.0
    assert tape.gradient(mean, values).numpy().tolist() == [0.0, 0.0]


def test_gradient_is_the_mask_over_its_count():
    values = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        mean = reduction.masked_mean(values, tf.constant([1.0, 0.0, 1.0]))
    assert tape.gradient(mean, values).numpy() == pytest.approx([0.5, 0.0, 0.5])


def test_one_replica_sums_alone():
    assert reduction.replicas() == 1
    assert reduction.global_sum(tf.constant([2.0, 3.0])).numpy().tolist() == [2.0, 3.0]


def per_replica(two_replicas, *parts):
    return two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    )


def local(two_replicas, values):
    return [v.numpy() for v in two_replicas.experimental_local_results(values)]


def test_global_sum_over_two_replicas(two_replicas):
    values = per_replica(two_replicas, [1.0, 2.0], [10.0, 20.0])
    sums = two_replicas.run(reduction.global_sum, args=(values,))
    np.testing.assert_array_equal(local(two_replicas, sums), [[11.0, 22.0]] * 2)
    counts = two_replicas.run(lambda: tf.constant(reduction.replicas()))
    assert local(two_replicas, counts) == [2, 2]


def test_shares_of_the_mean_add_up(two_replicas):
    # 3 of 4 count on the first replica, 1 of 2 on the second: (1 + 2 + 3 + 6) / 4
    values = per_replica(two_replicas, [1.0, 2.0, 3.0, 50.0], [6.0, 60.0])
    mask = per_replica(two_replicas, [1.0, 1.0, 1.0, 0.0], [1.0, 0.0])
    shares = two_replicas.run(reduction.masked_mean, args=(values, mask))
    assert local(two_replicas, shares) == pytest.approx([1.5, 1.5])


def test_a_replica_without_labels_adds_nothing(two_replicas):
    values = per_replica(two_replicas, [1.0, 3.0], [7.0, 9.0])
    mask = per_replica(two_replicas, [1.0, 1.0], [0.0, 0.0])
    shares = two_replicas.run(reduction.masked_mean, args=(values, mask))
    assert local(two_replicas, shares) == [2.0, 0.0]


def test_gradient_of_a_global_sum_counts_every_replica_s_loss(two_replicas):
    """The loss is sum(x)^2 / replicas on each, so d/dx = 2 sum(x) as on one device."""
    values = per_replica(two_replicas, [1.0], [3.0])

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = reduction.global_sum(x)
            loss = tf.reduce_sum(total**2) / reduction.replicas()
        return tape.gradient(loss, x)

    gradients = two_replicas.run(gradient, args=(values,))
    assert local(two_replicas, gradients) == [[8.0], [8.0]]


@pytest.mark.parametrize("graph", (False, True))
def test_gather_takes_the_rows_of_all_replicas(two_replicas, graph):
    values = per_replica(two_replicas, [1.0, 2.0, 3.0], [4.0])

    def run():
        return two_replicas.run(reduction.gather, args=(values,))

    found = (tf.function(run) if graph else run)()
    assert [v.tolist() for v in local(two_replicas, found)] == [[1, 2, 3, 4]] * 2


def test_gather_on_one_replica_has_no_gradient():
    values = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        found = reduction.gather(values)
    assert found.numpy().tolist() == [1.0, 2.0]
    assert tape.gradient(found, values) is None


@pytest.mark.parametrize("graph", (False, True))
def test_rolled_goes_over_replicas(two_replicas, graph):
    values = per_replica(two_replicas, [1.0, 2.0, 3.0], [4.0])

    def run():
        return two_replicas.run(reduction.rolled, args=(values,))

    found = (tf.function(run) if graph else run)()
    assert [v.tolist() for v in local(two_replicas, found)] == [[4, 1, 2], [3]]


def test_rolled_on_one_replica():
    found = reduction.rolled(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    assert found.numpy().tolist() == [[3.0, 4.0], [1.0, 2.0]]
