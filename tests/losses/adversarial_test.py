import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import adversarial

SCORES = [-2.0, -1.0, -0.5, 0.0, 0.2, 1.0, 3.0]


def test_g_is_zero_above_one():
    # min(0, z - 1)
    expected = [-3.0, -2.0, -1.5, -1.0, -0.8, 0.0, 0.0]
    assert adversarial.g(tf.constant(SCORES)).numpy() == pytest.approx(expected)


def test_h_is_zero_below_minus_one():
    # min(0, -z - 1)
    expected = [0.0, 0.0, -0.5, -1.0, -1.2, -2.0, -4.0]
    assert adversarial.h(tf.constant(SCORES)).numpy() == pytest.approx(expected)


def test_h_hat_is_minus_the_score():
    assert adversarial.h_hat(tf.constant(SCORES)).numpy() == pytest.approx(
        [-s for s in SCORES]
    )


@pytest.mark.parametrize(
    "function, score, weight, outside, inside",
    [
        # encoder: w max(0, 1 - s) against max(0, 1 - w s)
        (adversarial.discriminator_encoder, 0.2, 0.5, 0.4, 0.9),
        (adversarial.discriminator_encoder, 3.0, 0.5, 0.0, 0.0),
        (adversarial.discriminator_encoder, 1.5, 0.5, 0.0, 0.25),
        (adversarial.discriminator_encoder, -1.0, 2.0, 4.0, 3.0),
        # a weight of 0 leaves a constant 1 inside the hinge and nothing outside
        (adversarial.discriminator_encoder, -1.0, 0.0, 0.0, 1.0),
        # decoder: w max(0, 1 + s) against max(0, 1 + w s)
        (adversarial.discriminator_decoder, -0.5, 0.5, 0.25, 0.75),
        (adversarial.discriminator_decoder, -3.0, 0.5, 0.0, 0.0),
        (adversarial.discriminator_decoder, -1.5, 0.5, 0.0, 0.25),
        (adversarial.discriminator_decoder, 1.0, 2.0, 4.0, 3.0),
        (adversarial.discriminator_decoder, 1.0, 0.0, 0.0, 1.0),
    ],
)
def test_weights_outside_and_inside_the_hinge(function, score, weight, outside, inside):
    score = tf.constant([score])
    assert function(score, weight).numpy() == pytest.approx([outside], abs=1e-6)
    assert function(score, weight, True).numpy() == pytest.approx([inside], abs=1e-6)


def test_inside_and_outside_agree_for_weight_one():
    scores = tf.constant(np.random.default_rng(0).normal(size=50) * 2)
    for function in (
        adversarial.discriminator_encoder,
        adversarial.discriminator_decoder,
    ):
        np.testing.assert_array_equal(
            function(scores, 1.0), function(scores, 1.0, True)
        )


def test_generator_losses():
    scores = tf.constant([0.2, -3.0])
    # w h_hat(-s) = w s and w h_hat(s) = -w s
    assert adversarial.generator_encoder(scores, 2.0).numpy() == pytest.approx(
        [0.4, -6.0]
    )
    assert adversarial.generator_decoder(scores, 2.0).numpy() == pytest.approx(
        [-0.4, 6.0]
    )


@pytest.mark.parametrize(
    "function, sign",
    [
        # A descent step moves the score against the gradient.
        (lambda s: adversarial.discriminator_encoder(s, 1.0), +1),
        (lambda s: adversarial.discriminator_decoder(s, 1.0), -1),
        (lambda s: adversarial.generator_encoder(s, 1.0), -1),
        (lambda s: adversarial.generator_decoder(s, 1.0), +1),
    ],
    ids=("D raises encoder", "D lowers decoder", "encoder lowers", "decoder raises"),
)
def test_which_way_a_step_moves_the_score(function, sign):
    score = tf.Variable(0.3)
    with tf.GradientTape() as tape:
        loss = function(score)
    step = -tape.gradient(loss, score)
    assert step.numpy() == pytest.approx(sign)


def test_satisfied_scores_give_the_discriminator_no_gradient():
    encoder, decoder = tf.Variable(1.5), tf.Variable(-1.5)
    with tf.GradientTape() as tape:
        loss = adversarial.discriminator_encoder(encoder, 1.0)
        loss += adversarial.discriminator_decoder(decoder, 1.0)
    assert loss.numpy() == 0.0
    assert [g.numpy() for g in tape.gradient(loss, [encoder, decoder])] == [0.0, 0.0]
