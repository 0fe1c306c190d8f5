"""The decoder's own optimizer."""

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.training import checkpoints, compiling, run_folder
from tests import runs


def one_step(tiny_config, make_batch, **fields):
    fields = {"method": "joint", "optimizer": "sgd", "learning_rate": 1e-3} | fields
    config = methods.resolve_tasks(tiny_config(**fields))
    tf.keras.utils.set_random_seed(0)
    method = compiling.compiled(config)
    before = [v.numpy() for v in method.decoder.trainable_variables]
    batch = make_batch(config, 8, 0)
    method.train_step(tf.nest.map_structure(tf.convert_to_tensor, batch))
    after = [v.numpy() for v in method.decoder.trainable_variables]
    moved = [new - old for old, new in zip(before, after, strict=True)]
    return method, [v.numpy() for v in method.encoder.variables], moved


def test_only_the_decoder_s_step_is_another(tiny_config, make_batch):
    _, encoder, by_sgd = one_step(tiny_config, make_batch)
    method, same, by_adam = one_step(tiny_config, make_batch, decoder_rate=1e-4)
    for one, other in zip(encoder, same, strict=True):
        np.testing.assert_array_equal(one, other)
    # Adam's first step is rate g / (|g| + epsilon); SGD's is the rate times
    # g (1 + momentum) at each of them.
    epsilon = method.decoder_optimizer.epsilon
    for one, other in zip(by_sgd, by_adam, strict=True):
        gradient = -one / (1e-3 * 1.9)
        wanted = -1e-4 * gradient / (np.abs(gradient) + epsilon)
        # What float32 lost in the sum with the weight.
        clear = np.abs(gradient) > 1e-3
        np.testing.assert_allclose(other[clear], wanted[clear], rtol=2e-2)
        assert np.abs(other).max() < 1.01e-4


def test_it_is_not_in_the_other_optimizer():
    config = runs.config(method="joint", optimizer="sgd", decoder_rate=1e-4)
    method = compiling.compiled(config)
    drawing = {v.ref() for v in method.decoder.trainable_variables}
    assert {v.ref() for v in method.decoder_variables} == drawing
    assert not drawing & {v.ref() for v in method.generator_variables}
    assert len(method.generator_optimizer.momentums) == len(method.generator_variables)
    rate = float(method.decoder_optimizer.learning_rate)
    assert rate == pytest.approx(1e-4)


def test_methods_without_a_decoder_have_none():
    # so their runs go on that began before there was the option
    for name in ("vgg_all", "em", "without_gx", "ltnet"):
        config = runs.config(method=name, optimization="fast")
        assert config.optimization.decoder_rate == 0.0
    for name in ("joint", "without_joint", "joint_em", "joint+ltnet"):
        config = runs.config(method=name, optimization="fast")
        assert config.optimization.decoder_rate == 1e-4


def test_it_is_in_checkpoints(tmp_path):
    config = runs.config(method="joint", decoder_rate=1e-3)
    method = compiling.compiled(config)
    for variable in method.decoder_optimizer.variables:
        variable.assign(tf.cast(tf.fill(variable.shape, 3), variable.dtype))
    run_folder.claim(str(tmp_path), config, runs.dataset())
    checkpoints.Checkpoints(method, str(tmp_path)).save(5)
    found, _, _ = compiling.restored(str(tmp_path))
    assert all(
        np.all(v.numpy() == 3)
        for v in found.decoder_optimizer.variables
        if v is not found.decoder_optimizer.learning_rate
    )
