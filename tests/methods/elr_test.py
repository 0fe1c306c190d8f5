import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from tests.methods import overfit, toys


@pytest.fixture
def toy(monkeypatch):
    features, truth = toys.clusters(12)
    labels = {f"annotator_{i}": truth for i in (1, 2)}
    return toys.Toy(
        monkeypatch, "elr", features, labels, toys.class_tasks(2), elr_momentum=0.75
    )


class TestTargets:
    def test_a_row_for_each_example_of_each_label_set(self, toy):
        shapes = {name: tuple(t.shape) for name, t in toy.method.targets.items()}
        assert shapes == {"annotator_1": (12, 4), "annotator_2": (12, 4)}

    def test_a_running_mean_by_hand(self, toy):
        method, task = toy.method, toy.method.config.tasks[0]
        first, second = [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]
        index = tf.constant([7], tf.int64)
        method.update_targets(task, index, tf.constant([first]))
        found = method.update_targets(task, index, tf.constant([second]))
        expected = 0.75 * 0.25 * np.array(first) + 0.25 * np.array(second)
        np.testing.assert_allclose(found, [expected], rtol=1e-5)
        table = method.targets[task.name].numpy()
        np.testing.assert_allclose(table[7], expected, rtol=1e-5)
        assert not np.delete(table, 7, axis=0).any()
        assert not method.targets["annotator_2"].numpy().any()

    def test_an_example_that_does_not_exist(self, toy):
        index = tf.constant([12], tf.int64)
        with pytest.raises(tf.errors.InvalidArgumentError):
            toy.method.update_targets(
                toy.method.config.tasks[0], index, tf.fill([1, 4], 0.25)
            )


def test_the_size_of_the_split_must_be_known(tiny_config, make_method, make_batch):
    method = make_method(tiny_config(method="elr"))
    batch = tf.nest.map_structure(tf.constant, make_batch(method.config))
    with pytest.raises(UserError, match="elr needs num_examples"):
        method.train_step(batch)


def test_the_first_step_adds_log_of_one_minus_the_own_share(toy):
    logs = toy.train(1)
    # t = p / 4 after the first update; the penalty is 3 log(1 - |p|^2 / 4) < 0
    plain = logs["annotator_1/cross_entropy"] + logs["annotator_2/cross_entropy"]
    least, most = 2 * 3 * np.log(1 - 1 / 4), 2 * 3 * np.log(1 - 1 / 16)
    assert plain + least < logs["loss"] < plain + most


def test_beats_cross_entropy_where_labels_are_learned_by_heart(monkeypatch):
    plain, _ = overfit.of_cross_entropy()
    found, logs = overfit.clean_accuracy(monkeypatch, "elr")
    print(f"clean accuracy {found:.3f}, cross entropy's {plain:.3f}")
    assert found > plain + 0.1
    assert logs["annotator_1/accuracy"] < 0.8
