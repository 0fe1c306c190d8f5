"""The compact trunks: whitened patches, identity starts, sizes."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.models import trunk_flops
from kfer.models.backbones import compact
from kfer.models.encoder import Encoder
from kfer.training import execution


def correlated_pictures(count=200, side=8):
    """Smooth pictures whose neighbours and channels go together."""
    rng = np.random.default_rng(0)
    small = rng.normal(size=(count, side // 2, side // 2, 3))
    smooth = small.repeat(2, axis=1).repeat(2, axis=2)
    mixed = smooth @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    return mixed + 0.3 * rng.normal(size=mixed.shape)


def test_whitened_patches_are_uncorrelated_with_variance_1():
    images = correlated_pictures()
    kernel = compact.whitening_filters(images)
    maps = tf.nn.conv2d(tf.constant(images, tf.float32), kernel, 1, "VALID").numpy()
    flat = maps.reshape(-1, 24)
    covariance = flat.T @ flat / len(flat)
    np.testing.assert_allclose(covariance[:12, :12], np.eye(12), atol=0.02)
    np.testing.assert_allclose(maps[..., 12:], -maps[..., :12], rtol=1e-5, atol=1e-6)


def test_filters_by_hand():
    # One patch direction with variance 4 and 11 with none: 1 / sqrt(4 + 5e-4), and
    # 1 / sqrt(5e-4) for the rest.
    images = np.zeros((2, 2, 2, 3))
    images[0, 0, 0, 0], images[1, 0, 0, 0] = 2.0, -2.0
    filters = compact.whitening_filters(images).reshape(12, 24)
    sizes = np.linalg.norm(filters[:, :12], axis=0)
    assert sizes[0] == pytest.approx(1 / np.sqrt(4.0005))
    np.testing.assert_allclose(sizes[1:], 1 / np.sqrt(0.0005), rtol=1e-5)


def test_the_first_filters_hand_their_inputs_on():
    layer = compact.IdentityConvolution(6)
    image = tf.random.stateless_normal([2, 5, 5, 4], seed=[0, 1])
    outputs = layer(image).numpy()
    np.testing.assert_allclose(outputs[..., :4], image, rtol=1e-6)
    rest = layer.kernel.numpy()[..., 4:]
    assert np.abs(rest).max() <= 1 / 6 and rest.std() > 0.05  # 1 / sqrt(9 x 4)


# 9 taps x (24 x 64 + 64 x 64 + 64 x W + 3 W x W)
@pytest.mark.parametrize(
    "name, weights", (("compact", 1_967_616), ("compact_s", 566_784))
)
def test_sizes(tiny_config, name, weights):
    encoder = Encoder(tiny_config(backbone=name, width=1.0))
    encoder(tf.zeros([1, 32, 32, 3]))
    kernels = [conv.kernel for row in encoder.groups for conv in row[::2]]
    assert sum(int(tf.size(kernel)) for kernel in kernels) == weights
    assert encoder.features(tf.zeros([2, 32, 32, 3]), None).shape == (
        2,
        encoder.trunk.size,
    )


def test_filters_are_never_learned_and_heads_have_no_bias(tiny_config):
    encoder = Encoder(tiny_config(backbone="compact_xs"))
    encoder(tf.zeros([1, 32, 32, 3]))
    trained = {v.ref() for v in encoder.trainable_variables}
    assert encoder.whitening.bias.ref() in trained
    assert encoder.whitening.kernel.ref() not in trained
    assert all(head.bias is None for head in encoder.heads)


def test_start_sets_the_whitening_alone(tiny_config):
    encoder = Encoder(tiny_config(backbone="compact_xs"))
    images = correlated_pictures(20, 32).astype(np.float32)
    encoder(images[:1])
    before = encoder.groups[0][0].kernel.numpy()
    encoder.trunk.start(tf.constant(images))
    np.testing.assert_allclose(
        encoder.whitening.center, images.mean((0, 1, 2)), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(encoder.whitening.deviation, images.std((0, 1, 2)), 1e-4)
    np.testing.assert_array_equal(encoder.groups[0][0].kernel, before)
    maps = encoder.whitening(tf.constant(images)).numpy().reshape(-1, 24)
    np.testing.assert_allclose(np.var(maps[:, :6], axis=0), 1.0, atol=0.05)


def test_a_head_gives_a_ninth(tiny_config):
    encoder = Encoder(tiny_config(backbone="compact_xs"))
    image = tf.random.stateless_normal([2, 32, 32, 3], seed=[3, 4])
    output = encoder(image)
    task = encoder.config.tasks[0]
    raw = encoder.features(image, None) @ encoder.heads[0].kernel
    np.testing.assert_allclose(output.labels[task.name], raw / 9.0, rtol=1e-5)


def products_of(encoder, size):
    """Multiplications of the convolutions of one picture, from the graph's shapes."""
    spec = tf.TensorSpec([1, size, size, 3])
    graph = tf.function(lambda x: encoder.features(x, None)).get_concrete_function(spec)
    found = 0
    for op in graph.graph.get_operations():
        if op.type == "Conv2D":
            height, width = op.outputs[0].shape[1:3]
            found += height * width * op.inputs[1].shape.num_elements()
    return found


# A valid 2x2 convolution, then three times half: the sides of the maps.
SIDES = {
    32: (31, 15, 7, 3),
    48: (47, 23, 11, 5),
    64: (63, 31, 15, 7),
    96: (95, 47, 23, 11),
    128: (127, 63, 31, 15),
}


@pytest.mark.parametrize("size", SIDES)
def test_every_size_follows_the_rule(tiny_config, size):
    run = tiny_config(backbone="compact_xs", width=1.0, image_size=size)
    encoder = Encoder(run)
    assert encoder.features(tf.zeros([2, size, size, 3]), None).shape == (2, 64)
    one, two, three, four = SIDES[size]
    by_hand = one**2 * (12 * 24 + 9 * 24 * 32)
    by_hand += two**2 * 9 * (32 * 32 + 32 * 64)
    by_hand += three**2 * 9 * 2 * 64 * 64 + four**2 * 9 * 64 * 64
    assert products_of(encoder, size) == by_hand
    assert sum(part.products for part in trunk_flops.parts(run)) == by_hand


def test_an_answer_folds_batch_norm_into_the_convolutions(tiny_config):
    encoder = Encoder(tiny_config(backbone="compact_xs", width=0.25))
    image = tf.random.stateless_uniform([3, 32, 32, 3], [0, 1], -1.0, 1.0)
    plain = encoder.features(image, None)  # the first call
    rng = np.random.default_rng(0)
    for _, norm1, _, norm2 in encoder.groups:
        for norm in (norm1, norm2):
            norm.beta.assign(rng.normal(size=norm.beta.shape))
            norm.mean.assign(rng.normal(size=norm.mean.shape))
            norm.variance.assign(rng.uniform(0.5, 2.0, norm.variance.shape))
    maps = tf.nn.gelu(encoder.trunk.whitening(image))
    for conv1, norm1, conv2, norm2 in encoder.groups:
        pooled = tf.nn.max_pool2d(conv1(maps), 2, 2, "VALID")
        maps = tf.nn.gelu(norm2(conv2(tf.nn.gelu(norm1(pooled)))))
    wanted = tf.reduce_max(maps, axis=[1, 2]).numpy()
    folded = encoder.features(image, None)
    np.testing.assert_allclose(folded, wanted, rtol=1e-4, atol=1e-5)
    assert np.abs(wanted - plain).max() > 0.1
    graph = tf.function(lambda x: encoder.features(x, None)).get_concrete_function(
        image
    )
    assert "FusedBatchNormV3" not in {op.type for op in graph.graph.get_operations()}


@pytest.mark.parametrize("name", ("bfloat16", "float16"))
def test_mixed_precision_is_near_float32(tiny_config, name):
    config = tiny_config(backbone="compact_xs", width=0.5)
    image = tf.random.stateless_uniform([16, 32, 32, 3], [0, 1], -1.0, 1.0)
    exact = Encoder(config)
    exact(image)
    exact.trunk.start(image)
    try:
        with execution.precision(name):
            mixed = Encoder(config)
            mixed(image)
    except UserError as error:
        assert name == "bfloat16"
        pytest.skip(str(error))
    mixed.set_weights(exact.get_weights())
    for training in (False, True):
        wanted = exact.features(image, None, training).numpy()
        found = mixed.features(image, None, training)
        assert found.dtype == name
        error = np.abs(tf.cast(found, tf.float32) - wanted).mean() / wanted.std()
        assert 1e-5 < error < 0.03
    assert {variable.dtype for variable in mixed.variables} == {tf.float32}
