import numpy as np
import pytest
import tensorflow as tf

from kfer.models import convolution

SIDES = (1, 2, 3, 4, 6, 8, 16)
CHANNELS, FILTERS = 3, 5


def plain(image, kernel):
    return tf.nn.conv2d(image, kernel, 1, "SAME")


def plain_pool(image, kernel):
    return tf.nn.avg_pool2d(plain(image, kernel), 2, 2, "VALID")


def value_and_gradients(function, shape, kernel_side=3):
    random = np.random.default_rng(shape[1])
    image = tf.constant(random.normal(size=shape), tf.float32)
    kernel = random.normal(size=(kernel_side, kernel_side, shape[-1], FILTERS))
    kernel = tf.constant(kernel, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch((image, kernel))
        output = function(image, kernel)
        upstream = tf.constant(random.normal(size=output.shape), tf.float32)
        loss = tf.reduce_sum(output * upstream)
    return [output, *tape.gradient(loss, (image, kernel))]


def assert_same_function(actual, expected, shape):
    results = value_and_gradients(actual, shape), value_and_gradients(expected, shape)
    for name, a, b in zip(("value", "image", "kernel"), *results, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("side", SIDES)
def test_conv3x3_is_the_plain_convolution(side):
    assert_same_function(convolution.conv3x3, plain, (4, side, side, CHANNELS))


@pytest.mark.parametrize("side", [side for side in SIDES if side > 1])
def test_conv3x3_pool_is_convolution_then_pooling(side):
    assert_same_function(
        convolution.conv3x3_pool, plain_pool, (4, side, side, CHANNELS)
    )


@pytest.mark.parametrize("shape", [(2, 1, 2, 3), (2, 2, 1, 3), (2, 2, 4, 3)])
def test_maps_that_are_not_square(shape):
    assert_same_function(convolution.conv3x3, plain, shape)
    if min(shape[1:3]) > 1:
        assert_same_function(convolution.conv3x3_pool, plain_pool, shape)


def test_pooling_a_1x1_map_leaves_nothing():
    image, kernel = tf.zeros([2, 1, 1, 3]), tf.zeros([3, 3, 3, 5])
    assert convolution.conv3x3_pool(image, kernel).shape == (2, 0, 0, 5)


def test_pooled_kernel_by_hand():
    # 1 in the centre: each of the four shifts puts a 1 on the middle 2x2, then / 4
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 1.0
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 0.25
    wide = convolution.pooled_kernel(tf.constant(kernel)).numpy()
    np.testing.assert_array_equal(wide[:, :, 0, 0], expected)


def test_pooled_kernel_keeps_the_sum():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype(np.float32)
    wide = convolution.pooled_kernel(tf.constant(kernel)).numpy()
    np.testing.assert_allclose(wide.sum((0, 1)), kernel.sum((0, 1)), rtol=1e-5)
    # a corner of the wide kernel is reached by one shift alone
    np.testing.assert_allclose(wide[0, 0], kernel[0, 0] / 4, rtol=1e-6)
    np.testing.assert_allclose(wide[3, 3], kernel[2, 2] / 4, rtol=1e-6)


def test_average_pool_drops_the_last_odd_row():
    image = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    # (0 + 1 + 3 + 4) / 4
    assert convolution.average_pool(image).numpy().ravel().tolist() == [2.0]


def test_batch_size_may_be_unknown():
    for side in (1, 2, 8):
        function = tf.function(convolution.conv3x3).get_concrete_function(
            tf.TensorSpec([None, side, side, 3]), tf.TensorSpec([3, 3, 3, 5])
        )
        assert function.output_shapes == tf.TensorShape([None, side, side, 5])
