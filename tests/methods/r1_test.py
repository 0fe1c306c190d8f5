"""R1: D's gradient at real pictures, in D's loss."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.errors import UserError
from kfer.structures import Scores
from tests.methods.joint_steps_test import tensors
from tests.methods.replicas import RATE, assert_equal_steps, runner_pair, uneven


def held(method, batch, config, variables):
    """What config's r1_weight adds to D's loss, and its gradient in D's variables.

    D is as before afterwards: a pass moves its power iterations.
    """
    before = [tf.identity(v) for v in method.discriminator.variables]
    found = []
    for weight in (config.recipe.r1_weight, 0.0):
        recipe = dataclasses.replace(config.recipe, r1_weight=weight)
        method.config = dataclasses.replace(config, recipe=recipe)
        with tf.GradientTape() as tape:
            loss = method.discriminator_loss(method.forward(batch)[1], batch)
        found.append([loss, *tape.gradient(loss, variables)])
        for variable, value in zip(method.discriminator.variables, before):
            variable.assign(value)
    return [(one - other).numpy() for one, other in zip(*found)]


def test_by_hand_on_scores_that_are_linear(joint, tiny_config, make_batch, monkeypatch):
    """Scores 3 sum(x) and c sum(x), c 1 or 0 by example: slopes of 4 or 3 a pixel."""
    batch = tensors(make_batch(tiny_config()))
    by_example = np.arange(len(batch.image), dtype=np.float32) % 2

    def score(groups):
        sums = [tf.reduce_sum(group.image, [1, 2, 3]) for group in groups]
        return tuple(Scores({"x": 3.0 * s, "joint": by_example * s}) for s in sums)

    monkeypatch.setattr(joint, "score", score)
    monkeypatch.setattr(joint, "reduce_scores", lambda *_: tf.constant(0.0))
    found, *_ = held(joint, batch, tiny_config(r1_weight=0.1), [])
    pixels = batch.image[0].numpy().size
    expected = 0.1 * np.mean(0.5 * pixels * (3.0 + by_example) ** 2)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_its_gradient_in_d_is_that_of_differences(joint, tiny_config, make_batch):
    """Through spectral norms, one kernel at a time.

    Of these no step crosses a ReLU's kink, where the slope at a picture jumps.
    """
    batch, config = tensors(make_batch(tiny_config())), tiny_config(r1_weight=1e6)
    net = joint.discriminator
    net.embeddings["x"].attention.gamma.assign(0.5)
    for _ in range(100):  # until sigma is the norm: its gradient is for that
        joint.score(joint.forward(batch)[1])
    ends = ("block5/conv2", "score_x", "joint/linear", "joint/first")
    kernels = [v for v in net.trainable_variables if v.name[:-9].endswith(ends)]
    assert len(kernels) == len(ends)
    value, *gradient = held(joint, batch, config, kernels)
    for kernel, part in zip(kernels, gradient, strict=True):
        size = np.sum(np.square(part))
        step = 0.004 * value / size
        found = []
        for sign in (1.0, -1.0):
            kernel.assign_add(sign * step * part)
            found.append(held(joint, batch, config, [])[0])
            kernel.assign_sub(sign * step * part)
        assert found[0] - found[1] == pytest.approx(0.008 * value, rel=1e-2)


def test_d_learns_to_be_less_steep(joint, tiny_config, make_batch):
    """With a large weight alone; each D step of the training has it."""
    batch = tensors(make_batch(tiny_config()))
    config = tiny_config(r1_weight=1e6, discriminator_steps=1, lambda_gan=0.0)
    for _ in range(100):  # until sigma is the norm: its rise makes D flatter by itself
        joint.score(joint.forward(batch)[1])
    before, *_ = held(joint, batch, config, [])
    for _ in range(5):
        joint.config = config
        joint.train_step(batch)
    after, *_ = held(joint, batch, config, [])
    assert 0.0 < after < 0.9 * before


def test_replicas_add_up(tiny_config, two_replicas, make_batch):
    fields = {"discriminator_steps": 1, "r1_weight": 1e6, "method": "without_gx"}
    pair = runner_pair(tiny_config(learning_rate=RATE, **fields), two_replicas)
    assert_equal_steps(pair, make_batch, [uneven(8)])


@pytest.mark.parametrize("method", ("without_gx", "joint_alone"))
def test_refused_where_no_score_is_of_the_picture(tiny_config, method):
    config = tiny_config(method=method, r1_weight=1.0, joint_score="projection")
    with pytest.raises(UserError, match="scores of pictures.* 'projection'.* to 0"):
        methods.build(config)


def test_refused_in_float16(tiny_config):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        with pytest.raises(UserError, match="too small for float16"):
            methods.build(tiny_config(r1_weight=1.0))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
