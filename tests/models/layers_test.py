import numpy as np
import pytest
import tensorflow as tf

from kfer.models import layers
from kfer.models.layers import ResidualBlock, ResidualMLP, SelfAttention


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def built(layer, *shape):
    tf.keras.utils.set_random_seed(0)
    inputs = normal(*shape)
    layer(inputs)
    return layer, inputs


def conv(layer, image):
    kernel = layer.normalized_kernel(False)
    outputs = tf.nn.conv2d(image, kernel, 1, "SAME")
    return outputs + layer.bias if layer.use_bias else outputs


def dense(layer, rows):
    return tf.matmul(rows, layer.normalized_kernel(False)) + layer.bias


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activate_first", (False, True))
def test_a_downsampling_block_in_plain_form(activate_first):
    block, image = built(ResidualBlock(6, activate_first, True), 2, 8, 8, 3)
    hidden = tf.nn.relu(image) if activate_first else image
    hidden = conv(block.conv2, tf.nn.relu(conv(block.conv1, hidden)))
    # the shortcut takes the input as it is, convolves, then pools
    expected = tf.nn.avg_pool2d(hidden + conv(block.conv_sc, image), 2, 2, "VALID")
    assert_close(block(image), expected)


def test_a_block_without_downsampling_has_an_identity_shortcut():
    block, image = built(ResidualBlock(3, True, False), 2, 4, 4, 3)
    hidden = conv(block.conv2, tf.nn.relu(conv(block.conv1, tf.nn.relu(image))))
    assert_close(block(image), hidden + image)
    assert not hasattr(block, "conv_sc")
    assert len(block.trainable_variables) == 4


def numpy_attention(layer, image):
    theta, phi, g = (
        conv(part, image).numpy() for part in (layer.theta, layer.phi, layer.g)
    )
    batch, height, width, _ = theta.shape

    def pooled(values):
        cells = values.reshape(batch, height // 2, 2, width // 2, 2, -1)
        return cells.max((2, 4)).reshape(batch, height * width // 4, -1)

    queries = theta.reshape(batch, height * width, -1)
    scores = queries @ pooled(phi).transpose(0, 2, 1)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    mixed = (weights @ pooled(g)).reshape(batch, height, width, -1)
    attended = conv(layer.o, tf.constant(mixed, tf.float32)).numpy()
    return layer.gamma.numpy() * attended + image.numpy()


def test_attention_numpy_twin():
    layer, image = built(SelfAttention(), 2, 4, 6, 16)
    layer.gamma.assign(0.7)
    assert_close(layer(image), numpy_attention(layer, image))


def test_attention_starts_as_the_identity_but_can_learn():
    layer, image = built(SelfAttention(), 2, 4, 4, 8)
    np.testing.assert_array_equal(layer(image), image)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(image, training=True) ** 2)
    assert abs(float(tape.gradient(loss, layer.gamma))) > 1e-3


def test_attention_channels():
    layer, _ = built(SelfAttention(), 2, 4, 4, 16)
    filters = [part.filters for part in (layer.theta, layer.phi, layer.g, layer.o)]
    assert filters == [2, 2, 8, 16]
    assert not any(p.use_bias for p in (layer.theta, layer.phi, layer.g, layer.o))


def test_residual_mlp_in_plain_form():
    mlp, rows = built(ResidualMLP(6), 5, 3)
    x = dense(mlp.linear, rows)
    first, second = (
        (s.normalized_kernel(False), s.bias) for s in (mlp.first, mlp.second)
    )
    expected = x
    for i in range(4):
        hidden = tf.nn.relu(tf.matmul(tf.nn.relu(x), first[0][i]) + first[1][i])
        expected += tf.matmul(hidden, second[0][i]) + second[1][i]
    assert_close(mlp(rows), expected)
    # linear 3 -> 6 and eight layers 6 -> 6, with biases
    count = sum(int(tf.size(v)) for v in mlp.trainable_variables)
    assert count == (3 * 6 + 6) + 8 * (6 * 6 + 6)


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: ResidualBlock(6, True, True), (2, 4, 4, 3)),
        (SelfAttention, (2, 4, 4, 8)),
        (lambda: ResidualMLP(6), (3, 5)),
    ],
    ids=("block", "attention", "mlp"),
)
class TestEveryLayer:
    def test_groups_are_treated_alike(self, make, shape):
        layer, inputs = built(make(), *shape)
        other = normal(*shape, seed=1)
        first, second = layer((inputs, other))
        np.testing.assert_array_equal(first, layer(inputs))
        np.testing.assert_array_equal(second, layer(other))

    def test_a_pair_moves_every_u_once(self, make, shape):
        layer, inputs = built(make(), *shape)
        us = [v for v in layer.non_trainable_variables]
        start = [u.numpy() for u in us]
        layer(inputs, training=True)
        once = [u.numpy() for u in us]
        for u, value in zip(us, start):
            u.assign(value)
        layer((inputs, normal(*shape, seed=1)), training=True)
        for u, value in zip(us, once):
            np.testing.assert_array_equal(u, value)

    def test_config_round_trip(self, make, shape):
        layer, inputs = built(make(), *shape)
        twin = type(layer).from_config(layer.get_config())
        twin(inputs)
        assert [v.shape for v in twin.variables] == [v.shape for v in layer.variables]

    def test_a_graph_gives_the_eager_values(self, make, shape):
        layer, inputs = built(make(), *shape)
        assert_close(tf.function(layer)(inputs), layer(inputs))


def test_each_maps_groups():
    assert layers.each(lambda a, b: a + b, (1, 2), (10, 20)) == (11, 22)
    assert layers.each(lambda a: -a, 3) == -3
