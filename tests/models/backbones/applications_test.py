"""keras.applications as trunks."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.models.encoder import Encoder

NAME = "mobilenet_v3_small"


@pytest.fixture(scope="module")
def encoder(tiny_config):
    encoder = Encoder(tiny_config(backbone=NAME, width=1.0))
    encoder(tf.zeros([1, 32, 32, 3]))
    return encoder


def test_features_are_the_networks(encoder):
    image = tf.random.stateless_uniform([2, 32, 32, 3], [1, 2], -1.0, 1.0)
    features = encoder.features(image, None)
    assert features.shape == (2, encoder.trunk.size) == (2, 576)
    # this family normalises inside, so it gets 0..255
    wanted = encoder.network((image + 1.0) * 127.5, training=False)
    np.testing.assert_allclose(features, wanted, rtol=1e-4, atol=1e-5)


def test_nothing_inside_draws_numbers_and_norms_are_synchronized(encoder):
    layers = encoder.network.layers
    assert not [x for x in layers if isinstance(x, tf.keras.layers.Dropout)]
    norms = [x for x in layers if "BatchNorm" in type(x).__name__]
    assert norms and all(norm.synchronized for norm in norms)


def test_statistics_can_be_kept(encoder):
    image = tf.random.stateless_uniform([4, 32, 32, 3], [1, 2], -1.0, 1.0)
    before = [v.numpy() for v in encoder.non_trainable_variables]
    with encoder.kept_statistics():
        encoder(image, training=True)
    for variable, value in zip(encoder.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    encoder(image, training=True)
    moved = [
        not np.array_equal(variable, value)
        for variable, value in zip(encoder.non_trainable_variables, before)
    ]
    assert any(moved)


def test_weights_of_the_same_network_are_read(encoder, tiny_config, tmp_path):
    path = str(tmp_path / "own.weights.h5")
    encoder.network.save_weights(path)
    other = Encoder(tiny_config(backbone=NAME, width=1.0))
    other.trunk.load(path)
    for one, two in zip(other.network.weights, encoder.network.weights, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "settings, message",
    (
        ({"backbone": "resnet51"}, "Unknown backbone 'resnet51'"),
        ({"backbone": NAME, "width": 0.5}, "has one width"),
        ({"backbone": "xception"}, "does not fit 32 px"),
        ({"backbone": NAME, "dropout_rate": 0.1}, "dropout_rate is a setting of"),
    ),
)
def test_what_can_not_be(tiny_config, settings, message):
    with pytest.raises(UserError, match=message):
        Encoder(tiny_config(**{"width": 1.0, **settings}))


def test_a_checkpoint_of_tensorflow_is_refused(encoder, tmp_path):
    """Keras would read what fits of it, and say nothing of the rest."""
    path = str(tmp_path / "checkpoint")
    encoder.network.save_weights(path)
    with pytest.raises(UserError, match="is no file of Keras weights: they end in .h5"):
        encoder.trunk.load(path)
    with pytest.raises(UserError, match="No weights file at /none.h5"):
        encoder.trunk.load("/none.h5")


def test_weights_that_can_not_be_fetched(encoder, monkeypatch):
    def unreachable(weights, **_):
        assert weights == "imagenet"
        raise Exception("URL fetch failure on http://x: None -- [Errno 111]")

    monkeypatch.setattr(encoder.trunk, "_network", unreachable)
    with pytest.raises(UserError, match=r"of unreachable can't be had .URL fetch fail"):
        encoder.trunk.load("imagenet")


def test_another_networks_weights(encoder, tiny_config, tmp_path):
    path = str(tmp_path / "own.weights.h5")
    encoder.network.save_weights(path)
    other = Encoder(tiny_config(backbone="mobilenet_v2", width=1.0))
    with pytest.raises(UserError, match="does not fit backbone 'mobilenet_v2'"):
        other.trunk.load(path)
    compact = Encoder(tiny_config(backbone="compact_xs"))
    with pytest.raises(UserError, match="starts from no file of weights"):
        compact.trunk.load(path)
