import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.models.decoder import Decoder, label_input
from kfer.models.layout import ladder
from kfer.settings import config


def inputs_of(run, size=4, seed=0):
    random = np.random.default_rng(seed)
    y0 = tf.constant(random.normal(size=(size, run.noise_size)), tf.float32)
    labels = {
        task.name: tf.constant(random.uniform(-1, 1, (size, task.size)), tf.float32)
        for task in run.stream_tasks
    }
    return y0, labels


def built(run):
    tf.keras.utils.set_random_seed(0)
    decoder = Decoder(run)
    decoder(*inputs_of(run))
    return decoder


@pytest.fixture(scope="module")
def tiny(tiny_config):
    return built(tiny_config())


@pytest.mark.parametrize(
    "name, expected", [("cifar10_multi", 11_087_491), ("raf_multi", 11_204_931)]
)
def test_parameter_counts_of_the_full_networks(name, expected):
    decoder = built(config.experiment_config(name))
    assert sum(int(tf.size(v)) for v in decoder.trainable_variables) == expected


@pytest.mark.parametrize(
    "size, base, channels",
    [
        (32, 1, (512, 512, 256, 128)),
        (48, 3, (512, 256, 128)),
        (64, 1, (512, 512, 256, 128, 64)),
        (96, 3, (512, 512, 256, 128)),
        (128, 1, (512, 512, 512, 256, 128, 64)),
        (256, 1, (512, 512, 512, 512, 256, 128, 64)),
    ],
)
def test_ladder(tiny_config, size, base, channels):
    assert ladder(size) == (base, channels)
    run = tiny_config(image_size=size)
    image = built(run)(*inputs_of(run, 2))
    assert image.shape == (2, size, size, 3)
    assert base * 2 ** (len(channels) + 1) == size


def test_images_are_within_the_range(tiny):
    image = tiny(*inputs_of(tiny.config, 8), training=True)
    assert image.dtype == tf.float32
    assert -1 <= np.min(image) < np.max(image) <= 1


def test_plain_form(tiny):
    y0, labels = inputs_of(tiny.config)
    # y0 first, then the labels in the order of the tasks
    hidden = tf.concat([y0, labels["annotator_1"], labels["valence_arousal"]], 1)
    hidden = tf.matmul(hidden, tiny.linear.normalized_kernel(False)) + tiny.linear.bias
    hidden = tf.reshape(tf.nn.relu(hidden), [4, 1, 1, 64])
    layers = [*tiny.deconvolutions, tiny.last]
    for index, layer in enumerate(layers):
        side = 2 ** (index + 1)
        hidden = tf.nn.conv2d_transpose(
            hidden,
            layer.normalized_kernel(False),
            [4, side, side, layer.filters],
            2,
        )
        hidden += layer.bias
        if index < len(tiny.norms):
            norm = tiny.norms[index]
            scale = norm.gamma / tf.sqrt(norm.moving_variance + 1e-5)
            hidden = tf.nn.relu((hidden - norm.moving_mean) * scale + norm.beta)
    expected = tf.tanh(hidden)
    np.testing.assert_allclose(tiny(y0, labels), expected, rtol=1e-4, atol=1e-5)


def test_training_uses_the_batch_s_statistics_and_moves_the_running_ones(tiny_config):
    decoder = built(tiny_config())
    y0, labels = inputs_of(decoder.config)
    norm = decoder.norms[0]
    norm.gamma.assign(tf.fill(norm.gamma.shape, 3.0))
    linear, deconvolution = decoder.linear, decoder.deconvolutions[0]
    us = linear.u.numpy(), deconvolution.u.numpy()
    decoder(y0, labels, training=True)
    # the input of the first norm, in a pass from the same u
    linear.u.assign(us[0])
    deconvolution.u.assign(us[1])
    hidden = tf.concat([y0, *labels.values()], 1)
    hidden = tf.nn.relu(linear(hidden, training=True))
    hidden = deconvolution(tf.reshape(hidden, [4, 1, 1, 64]), training=True)
    mean, variance = tf.nn.moments(hidden, [0, 1, 2])
    # momentum 0.9 from 0 and 1, the variance as Keras takes it (biased)
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        norm.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4, atol=1e-6
    )


def test_evaluation_changes_nothing(tiny):
    before = [v.numpy() for v in tiny.variables]
    first = tiny(*inputs_of(tiny.config))
    np.testing.assert_array_equal(first, tiny(*inputs_of(tiny.config)))
    for variable, value in zip(tiny.variables, before):
        np.testing.assert_array_equal(variable, value)


def test_each_row_is_drawn_by_itself_in_evaluation(tiny):
    y0, labels = inputs_of(tiny.config, 4)
    whole = tiny(y0, labels)
    one = tiny(y0[2:3], {name: value[2:3] for name, value in labels.items()})
    np.testing.assert_allclose(one, whole[2:3], rtol=1e-4, atol=1e-5)


def test_tasks_without_a_stream_do_not_enter(tiny_config):
    label_tasks = (
        *tasks.annotator_tasks(1, ("a", "b", "c"), "class"),
        tasks.valence_arousal_task(stream=False),
    )
    run = tiny_config(tasks=label_tasks)
    decoder = built(run)
    assert decoder.linear.kernel.shape[0] == 8 + 3


def test_label_input_of_classes():
    task = tasks.annotator_tasks(1, ("a", "b", "c"), "class")[0]
    values = label_input(task, tf.constant([2, 0, 1]), tf.constant([1.0, 1.0, 0.0]))
    assert values.numpy().tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_label_input_of_soft_classes_and_of_half_a_label():
    task = tasks.annotator_tasks(1, ("a", "b", "c"), "class")[0]
    rows = tf.constant([[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]])
    values = label_input(task, rows, tf.constant([0.3, 0.0]))
    # a label that is given in part is the stream's as it is
    assert values.numpy().tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]


def test_label_input_of_values():
    labels = tf.constant([[0.5, -0.5], [0.1, 0.2]])
    values = label_input(tasks.valence_arousal_task(), labels, tf.constant([1.0, 0.0]))
    assert values.numpy().tolist() == [[0.5, -0.5], [0.0, 0.0]]
