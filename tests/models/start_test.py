import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.errors import UserError
from kfer.models import start
from kfer.models.encoder import Encoder
from kfer.training import execution


@pytest.fixture(scope="module")
def images():
    values = np.random.default_rng(0).uniform(-1, 1, (64, 32, 32, 3))
    return tf.constant(values, tf.float32)


def hidden_units(encoder, images):
    """What goes into each ReLU of the dense layers, [64, E] each."""
    first = encoder.embedding[0](encoder.trunk.flat_maps(images))
    return first.numpy(), encoder.embedding[1](tf.nn.relu(first)).numpy()


@pytest.mark.parametrize("kind", ("he", "authors_2021"))
def test_units_have_mean_0_and_variance_1(tiny_config, images, kind):
    encoder = Encoder(tiny_config(encoder_start=kind, width=0.25))
    encoder(images[:1])
    kernels = [layer.kernel.numpy() for row in encoder.convolutions for layer in row]
    start.standardize(encoder.trunk.flat_maps(images), encoder.embedding)
    for units in hidden_units(encoder, images):
        np.testing.assert_allclose(units.mean(0), 0.0, atol=1e-3)
        varied = units.std(0) > 0.5  # below the floor a unit is all but constant
        if kind == "he":
            assert varied.all()
            np.testing.assert_allclose(units.std(0), 1.0, atol=0.02)
    for layer, kernel in zip(
        [layer for row in encoder.convolutions for layer in row], kernels
    ):
        np.testing.assert_array_equal(layer.kernel, kernel)


@pytest.mark.parametrize("name", ("bfloat16", "float16"))
def test_mixed_precision_starts_as_float32_does(tiny_config, images, name):
    exact = started(tiny_config, images, "float32")
    try:
        mixed = started(tiny_config, images, name)
    except UserError as error:
        assert name == "bfloat16"
        pytest.skip(str(error))
    for ours, wanted in zip(mixed, exact, strict=True):
        assert ours.dtype == np.float32
        assert 0.0 < np.abs(ours - wanted).mean() / np.abs(wanted).mean() < 0.03


def started(tiny_config, images, precision):
    """The kernels of the dense layers after their start."""
    with execution.precision(precision):
        tf.keras.utils.set_random_seed(3)
        encoder = Encoder(tiny_config(encoder_start="standardized", width=0.25))
        encoder(images[:1])
        encoder.trunk.start(images)
    return [layer.kernel.numpy() for layer in encoder.embedding]


def test_one_seed_starts_every_method_alike(tiny_config):
    kernels = {}
    for name in ("joint", "without_gx", "vgg_all"):
        tf.keras.utils.set_random_seed(3)
        method = methods.build(tiny_config(method=name))
        kernels[name] = [v.numpy() for v in method.encoder.trainable_variables]
    for name in ("without_gx", "vgg_all"):
        for ours, theirs in zip(kernels[name], kernels["joint"], strict=True):
            np.testing.assert_array_equal(ours, theirs)
