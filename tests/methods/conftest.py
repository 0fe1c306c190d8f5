"""Fixtures of the tests of methods."""

import pytest
import tensorflow as tf

from kfer import methods
from kfer.methods import base
from tests.methods import toys


@pytest.fixture
def stub(monkeypatch, tiny_config):
    """Makes a built method on a stub encoder."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)

    def make(name="vgg_all", **fields):
        run = toys.mixed_config(tiny_config, name, learning_rate=toys.RATE, **fields)
        tf.keras.utils.set_random_seed(0)
        return methods.build(run)

    return make
