import numpy as np
import pytest
import tensorflow as tf

from kfer.models import spectral
from kfer.models.spectral import (
    SpectralConv2D,
    SpectralConv2DTranspose,
    SpectralDense,
    SpectralDenseStack,
)


def flat(kernel):
    return kernel.reshape(1, -1, 6)


def layers():
    """Layer, its input shape and how its kernel is viewed as [K, rest, out]."""
    image = (2, 4, 4, 5)
    return {
        "dense": (SpectralDense(6), (4, 9), flat),
        "dense_to_1": (SpectralDense(1), (4, 9), lambda k: k[None]),
        "stack": (SpectralDenseStack(5, 3), (4, 7), lambda k: k),
        "conv3": (SpectralConv2D(6, 3), image, flat),
        "conv3_pool": (SpectralConv2D(6, 3, pool=True), image, flat),
        "conv1_pool": (SpectralConv2D(6, 1, pool=True, use_bias=False), image, flat),
        # kernel [4, 4, out, in]: normalised over out, the third axis
        "transposed": (
            SpectralConv2DTranspose(6),
            (2, 2, 2, 5),
            lambda k: flat(k.transpose(0, 1, 3, 2)),
        ),
    }


NAMES = tuple(layers())


def built(name, seed=0):
    tf.keras.utils.set_random_seed(seed)
    layer, shape, view = layers()[name]
    inputs = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    layer(inputs)
    return layer, tf.constant(inputs), view


def turn(layer, passes=300):
    """Lets the power iteration converge."""
    step = tf.function(lambda: layer.normalized_kernel(training=True))
    for _ in range(passes):
        step()


def true_sigmas(layer, view):
    return np.linalg.svd(view(layer.kernel.numpy()), compute_uv=False)[:, 0]


def used_sigmas(layer, view):
    """kernel / (what call uses), one for each kernel of a stack."""
    used = view(layer.normalized_kernel(training=False).numpy())
    kernel = view(layer.kernel.numpy())
    return np.linalg.norm(kernel, axis=(1, 2)) / np.linalg.norm(used, axis=(1, 2))


@pytest.mark.parametrize("name", NAMES)
def test_sigma_is_the_largest_singular_value(name):
    layer, _, view = built(name)
    turn(layer)
    np.testing.assert_allclose(
        used_sigmas(layer, view), true_sigmas(layer, view), rtol=1e-4
    )


def test_a_transposed_convolution_over_its_in_channels_would_differ():
    layer, _, view = built("transposed")
    over_in = np.linalg.norm(layer.kernel.numpy().reshape(-1, 5), 2)
    assert abs(over_in / true_sigmas(layer, view)[0] - 1) > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_one_power_iteration_by_hand(name):
    layer, inputs, view = built(name)
    kernel, u = (
        view(layer.kernel.numpy()),
        layer.u.numpy().reshape(-1, 1, layer.filters),
    )
    layer(inputs, training=True)
    for k in range(len(kernel)):
        v = kernel[k] @ u[k, 0]
        v /= np.linalg.norm(v)
        product = kernel[k].T @ v
        moved = layer.u.numpy().reshape(-1, layer.filters)[k]
        np.testing.assert_allclose(
            moved, product / np.linalg.norm(product), rtol=1e-4, atol=1e-6
        )
        assert np.linalg.norm(moved) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_training_never_overwrites_the_kernel(name):
    layer, inputs, _ = built(name)
    kernel, u = layer.kernel.numpy(), layer.u.numpy()
    layer(inputs, training=True)
    np.testing.assert_array_equal(layer.kernel, kernel)
    if layer.filters > 1:  # the one direction of one output can't turn
        assert not np.array_equal(layer.u, u)


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_leaves_u_alone_and_repeats(name):
    layer, inputs, _ = built(name)
    u = layer.u.numpy()
    first, second = layer(inputs), layer(inputs)
    np.testing.assert_array_equal(layer.u, u)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_two_groups_share_one_iteration(name):
    layer, inputs, _ = built(name)
    u = layer.u.numpy()
    alone = layer(inputs, training=True)
    after_one = layer.u.numpy()
    layer.u.assign(u)
    first, _ = layer((inputs, inputs * 2), training=True)
    np.testing.assert_array_equal(layer.u, after_one)
    np.testing.assert_array_equal(first, alone)


def plain_sigma_kernel(layer, u):
    """kernel / sigma in plain differentiable ops, u and v constants, from a given u."""
    matrix = layer._matrix(layer.kernel)
    v = tf.matmul(matrix, u, transpose_b=True)
    v = tf.stop_gradient(v / tf.norm(v, axis=-2, keepdims=True))
    u = tf.matmul(v, matrix, transpose_a=True)
    u = tf.stop_gradient(u / tf.norm(u, axis=-1, keepdims=True))
    sigma = tf.matmul(tf.matmul(v, matrix, transpose_a=True), u, transpose_b=True)
    return layer._kernel(matrix / sigma)


def constant_sigma(layer, u):
    """The sigma that the next pass uses, as a number, broadcast to the kernel."""
    return tf.stop_gradient(layer.kernel / plain_sigma_kernel(layer, u))


def gradients(layer, kernel_of):
    with tf.GradientTape() as tape:
        kernel = kernel_of()
        random = np.random.default_rng(1).normal(size=kernel.shape)
        # Not linear in the kernel, so the upstream gradient depends on it.
        loss = tf.reduce_sum(tf.constant(random, tf.float32) * kernel**2)
    return loss.numpy(), tape.gradient(loss, layer.kernel).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_flows_through_sigma(name):
    layer, _, _ = built(name)
    u = layer.u.numpy()
    expected = gradients(layer, lambda: plain_sigma_kernel(layer, u))
    actual = gradients(layer, lambda: layer.normalized_kernel(training=True))
    assert actual[0] == pytest.approx(expected[0], rel=1e-5)
    size = np.abs(expected[1]).max()
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-4, atol=1e-5 * size)
    sigma = constant_sigma(layer, u)
    dropped = gradients(layer, lambda: layer.kernel / sigma)[1]
    assert np.abs(dropped - expected[1]).max() > 0.01 * size


def test_gradient_equals_finite_differences_at_the_leading_direction():
    """There u and v are stationary: sigma's whole change is what the formula sees."""
    layer, _, _ = built("dense")
    turn(layer)
    random = np.random.default_rng(2)
    upstream = random.normal(size=layer.kernel.shape)
    kernel = layer.kernel.numpy().astype(np.float64)

    def loss(matrix):
        return (upstream * matrix / np.linalg.norm(matrix, 2)).sum()

    with tf.GradientTape() as tape:
        value = tf.reduce_sum(
            tf.constant(upstream, tf.float32) * layer.normalized_kernel(True)
        )
    gradient = tape.gradient(value, layer.kernel).numpy()
    for index in [(0, 0), (3, 2), (8, 5)]:
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        difference = (loss(kernel + step) - loss(kernel - step)) / 2e-6
        assert gradient[index] == pytest.approx(difference, rel=1e-3, abs=1e-4)


def test_scaling_the_kernel_changes_nothing():
    layer, inputs, _ = built("dense")
    before = layer(inputs).numpy()
    layer.kernel.assign(layer.kernel * 7.0)
    np.testing.assert_allclose(layer(inputs), before, rtol=1e-5, atol=1e-6)
    # so the gradient has no part along the kernel
    _, gradient = gradients(layer, lambda: layer.normalized_kernel(True))
    along = (gradient * layer.kernel.numpy()).sum()
    assert abs(along) < 1e-4 * np.abs(gradient).sum()


def test_a_zero_kernel_stays_finite():
    layer, inputs, _ = built("dense")
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    assert np.all(np.isfinite(layer(inputs, training=True)))
    assert np.all(
        np.isfinite(gradients(layer, lambda: layer.normalized_kernel(True))[1])
    )


def test_dense_applies_the_normalised_kernel_and_bias():
    layer, inputs, _ = built("dense")
    kernel = layer.normalized_kernel(False).numpy()
    expected = inputs.numpy() @ kernel + layer.bias.numpy()
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_a_stack_is_its_layers_side_by_side():
    layer, inputs, _ = built("stack")
    outputs = layer(inputs)
    assert outputs.shape == (3, 4, 5)
    for k in range(3):
        one = SpectralDense(5)
        one(inputs)
        for name in ("kernel", "bias", "u"):
            getattr(one, name).assign(getattr(layer, name)[k])
        np.testing.assert_allclose(outputs[k], one(inputs), rtol=1e-5, atol=1e-6)
    # and its second layer takes each branch's own input
    second = SpectralDenseStack(2, 3)
    twice = second(outputs)
    alone = tf.matmul(outputs[1], second.normalized_kernel(False)[1])
    np.testing.assert_allclose(twice[1], alone + second.bias[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size, pool", [(1, False), (1, True), (3, False), (3, True)])
def test_convolutions_equal_the_plain_form(size, pool):
    tf.keras.utils.set_random_seed(0)
    layer = SpectralConv2D(6, size, pool=pool)
    inputs = tf.random.stateless_normal([2, 8, 8, 3], [1, 2])
    outputs = layer(inputs)
    plain = tf.nn.conv2d(inputs, layer.normalized_kernel(False), 1, "SAME") + layer.bias
    if pool:
        plain = tf.nn.avg_pool2d(plain, 2, 2, "VALID")
    np.testing.assert_allclose(outputs, plain, rtol=1e-4, atol=1e-5)


def test_transposed_convolution_is_the_gradient_of_a_convolution():
    """PyTorch's kernel 4, stride 2, padding 1: every input pixel paints a 4x4 patch
    whose corner lies one above and left of twice its place."""
    layer, inputs, _ = built("transposed")
    kernel = layer.normalized_kernel(False).numpy()
    canvas = np.zeros((2, 6, 6, 6), np.float64)
    for row in range(2):
        for column in range(2):
            patch = np.einsum("bc,hwdc->bhwd", inputs.numpy()[:, row, column], kernel)
            canvas[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += patch
    expected = canvas[:, 1:5, 1:5] + layer.bias.numpy()
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_starting_ranges():
    layer, _, _ = built("conv3")
    limit = 1 / np.sqrt(9 * 5)
    for variable in (layer.kernel, layer.bias):
        assert np.abs(variable.numpy()).max() <= limit
    assert np.abs(layer.kernel.numpy()).max() > 0.9 * limit
    layer, _, _ = built("transposed")  # PyTorch's fan-in there counts the out channels
    assert np.abs(layer.kernel.numpy()).max() <= 1 / np.sqrt(16 * 6)
    layer, _, _ = built("stack")
    assert np.abs(layer.kernel.numpy()).max() <= 1 / np.sqrt(7)


@pytest.mark.parametrize("name", NAMES)
def test_u_starts_with_length_one_and_is_not_trained(name):
    layer, _, _ = built(name)
    np.testing.assert_allclose(np.linalg.norm(layer.u, axis=-1), 1.0, rtol=1e-5)
    trained = {v.ref() for v in layer.trainable_variables}
    assert layer.u.ref() not in trained and layer.kernel.ref() in trained
    assert len(trained) == 1 + layer.use_bias


@pytest.mark.parametrize("name", NAMES)
def test_config_round_trip(name):
    layer, inputs, _ = built(name)
    twin = type(layer).from_config(layer.get_config())
    twin(inputs)
    assert [v.shape for v in twin.variables] == [v.shape for v in layer.variables]
    assert twin.get_config() == layer.get_config()


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="size must be 1 or 3, got 5"):
        SpectralConv2D(4, 5)


def test_channels_of_shapes_and_tuples():
    assert spectral.channels_of((None, 7)) == 7
    assert spectral.channels_of(((None, 4, 4, 5), (None, 4, 4, 5))) == 5
    assert spectral.channels_of([tf.TensorShape([2, 3]), tf.TensorShape([2, 3])]) == 3
