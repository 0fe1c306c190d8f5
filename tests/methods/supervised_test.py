import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def shared(tiny_config, make_method, snapshot):
    method = make_method(tiny_config(method="vgg_all"))
    return method, snapshot(method)


@pytest.fixture
def method(shared):
    shared[1].restore()
    for metric in shared[0].metrics:
        metric.reset_state()
    return shared[0]


def tensors(batch):
    return tf.nest.map_structure(tf.convert_to_tensor, batch)


def step(shared, batch):
    """One step from the start: the logged values and every variable after it."""
    method, state = shared
    state.restore()
    for metric in method.metrics:
        metric.reset_state()
    logs = {k: float(v) for k, v in method.train_step(tensors(batch)).items()}
    return logs, state.values()


def assert_same(first, second):
    assert first[0] == second[0]
    for ref, value in first[1].items():
        np.testing.assert_array_equal(value, second[1][ref])


def test_trains_all_but_the_heads_of_y0(shared, make_batch):
    method, state = shared
    logs, _ = step(shared, make_batch(method.config))
    encoder = method.encoder
    y0 = (
        encoder.mean_layer.trainable_variables
        + encoder.logvar_layer.trainable_variables
    )
    everything = {v.ref() for v in encoder.trainable_variables}
    assert state.changed() == everything - {v.ref() for v in y0}
    parts = logs["annotator_1/cross_entropy"] + logs["valence_arousal/ccc"]
    assert logs["loss"] == pytest.approx(parts, rel=1e-6)
    assert method.generator_optimizer.iterations.numpy() == 1


def test_a_step_is_a_function_of_state_and_batch(shared, make_batch):
    batch = make_batch(shared[0].config)
    assert_same(step(shared, batch), step(shared, batch))


def test_dropout_comes_from_the_batch(shared, make_batch):
    batch = make_batch(shared[0].config)
    other = batch._replace(
        noise=batch.noise._replace(dropout=batch.noise.dropout[::-1].copy())
    )
    assert step(shared, batch)[0]["loss"] != step(shared, other)[0]["loss"]


def test_masked_labels_say_nothing(shared, make_batch):
    missing = {"annotator_1": (1, 4, 5), "valence_arousal": (0, 4)}
    batch = make_batch(shared[0].config, missing=missing)
    labels = {name: value.copy() for name, value in batch.labels.items()}
    labels["annotator_1"][[1, 4, 5]] = 2
    labels["valence_arousal"][[0, 4]] = 0.7
    assert_same(step(shared, batch), step(shared, batch._replace(labels=labels)))


def test_given_labels_do_say_something(shared, make_batch):
    batch = make_batch(shared[0].config)
    labels = {**batch.labels, "annotator_1": (batch.labels["annotator_1"] + 1) % 3}
    other = batch._replace(labels=labels)
    assert step(shared, batch)[0] != step(shared, other)[0]


@pytest.mark.parametrize("task, head", [("annotator_1", 0), ("valence_arousal", 1)])
def test_a_batch_without_labels_of_one_task(shared, make_batch, task, head):
    method, state = shared
    logs, values = step(shared, make_batch(method.config, missing={task: range(8)}))
    assert all(map(np.isfinite, logs.values()))
    assert all(np.all(np.isfinite(value)) for value in values.values())
    untouched = {v.ref() for v in method.encoder.heads[head].trainable_variables}
    assert not untouched & state.changed()
    assert state.changed()


def test_a_batch_without_any_label_changes_nothing(shared, make_batch):
    method, state = shared
    missing = {"annotator_1": range(8), "valence_arousal": range(8)}
    logs, _ = step(shared, make_batch(method.config, missing=missing))
    assert logs["loss"] == 1.0  # of the undefined CCC
    assert not state.changed()


def test_a_batch_of_one(shared, make_batch):
    logs, values = step(shared, make_batch(shared[0].config, 1))
    assert all(map(np.isfinite, logs.values()))
    assert all(np.all(np.isfinite(value)) for value in values.values())
    assert logs["valence_arousal/ccc"] == 1.0


def test_a_graph_gives_the_eager_step(shared, make_batch):
    method, state = shared
    batch = make_batch(method.config)
    logs, values = step(shared, batch)
    state.restore()
    for metric in method.metrics:
        metric.reset_state()
    graph = tf.function(method.train_step)(tensors(batch))
    for name, value in graph.items():
        assert float(value) == pytest.approx(logs[name], rel=1e-5)
    for ref, value in state.values().items():
        np.testing.assert_allclose(value, values[ref], rtol=1e-3, atol=3e-5)


def test_a_net_of_this_size_learns_a_batch_by_heart(method, make_batch):
    method.generator_optimizer.learning_rate.assign(3e-3)
    batch = tensors(make_batch(method.config))
    train = tf.function(method.train_step)
    first = float(train(batch)["loss"])
    for _ in range(40):
        for metric in method.metrics:
            metric.reset_state()
        logs = train(batch)
    assert float(logs["loss"]) < 0.5 * first
