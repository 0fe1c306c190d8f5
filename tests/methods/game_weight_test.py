import numpy as np
import pytest
import tensorflow as tf

from kfer.methods.game_weight import GameWeight


def weight(tiny_config, **fields):
    return GameWeight(tiny_config(**{"lambda_gan": 0.8, **fields}))


def test_ratio_by_hand(tiny_config):
    balance = weight(tiny_config, lambda_ratio=0.3)
    # |(3, 4)| = 5 and |(0.6, 0, 0.8)| = 1; a head without a part counts nothing
    label = [tf.constant([[3.0, 4.0]]), None]
    gan = [tf.constant([[0.6, 0.0]]), tf.constant([[0.8]])]
    assert float(balance.ratio(label, gan)) == pytest.approx(0.3 * 5.0)
    # running means of weights 49 : 50, both times by the same factor
    second = [tf.constant([[6.0, 8.0]])]
    wanted = 0.3 * (0.98 * 5 + 10) / (0.98 * 1 + 1)
    assert float(balance.ratio(second, gan)) == pytest.approx(wanted)


def test_ratio_is_held(tiny_config):
    rng = np.random.default_rng(0)
    balance = weight(tiny_config, lambda_ratio=0.3)
    label, gan = (tf.constant(rng.normal(size=(4, 3)), tf.float32) for _ in range(2))
    found = balance.ratio([label], [0.1 * gan])
    kept = float(found * tf.norm(0.1 * gan) / tf.norm(label))
    assert kept == pytest.approx(0.3, rel=1e-5)


def test_it_is_clamped(tiny_config):
    balance = weight(tiny_config, lambda_ratio=0.3)
    label, gan = [tf.constant([[1.0]])], [tf.constant([[1e-6]])]
    assert float(balance.ratio(label, gan)) == pytest.approx(25 * 0.8)
    # a game without gradient weighs nothing, nor does one that lambda_gan takes out
    still = weight(tiny_config, lambda_ratio=0.3)
    assert float(still.ratio(label, [None])) == 0.0
    out = weight(tiny_config, lambda_ratio=0.3, lambda_gan=0.0)
    assert float(out.ratio(label, label)) == 0.0


def test_ramp_by_hand(tiny_config):
    fixed = weight(tiny_config)
    assert fixed.ramp(0) == 1.0 and not fixed.variables
    rising = weight(tiny_config, lambda_ramp_steps=10, discriminator_steps=2)
    # two updates of D are one step
    found = [float(rising.ramp(done)) for done in (0, 2, 10, 20, 50)]
    np.testing.assert_allclose(found, [0.0, 0.1, 0.5, 1.0, 1.0], rtol=1e-6)
