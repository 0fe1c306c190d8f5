import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import categorical


def test_uniform_logits_cost_log_k():
    losses = categorical.cross_entropy(tf.constant([0, 3]), tf.zeros([2, 4]))
    assert losses.numpy() == pytest.approx([np.log(4.0)] * 2)


def test_by_hand():
    # softmax(ln 1, ln 2, ln 5) = (1, 2, 5) / 8
    logits = tf.math.log([[1.0, 2.0, 5.0]] * 3)
    losses = categorical.cross_entropy(tf.constant([0, 1, 2]), logits)
    assert losses.numpy() == pytest.approx(np.log([8.0, 4.0, 1.6]))


def test_numpy_twin():
    random = np.random.default_rng(0)
    logits = random.normal(size=(16, 7)).astype(np.float32) * 5
    labels = random.integers(0, 7, 16)
    shifted = logits - logits.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    expected = -log_softmax[np.arange(16), labels]
    losses = categorical.cross_entropy(tf.constant(labels), tf.constant(logits))
    assert losses.shape == (16,)
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-5)


def test_large_logits_stay_finite():
    losses = categorical.cross_entropy(
        tf.constant([0, 1]), tf.constant([[1e4, 0.0], [1e4, 0.0]])
    )
    assert losses.numpy() == pytest.approx([0.0, 1e4])


def test_a_step_raises_the_label_s_probability():
    logits = tf.Variable([[0.1, -0.2, 0.3]])
    with tf.GradientTape() as tape:
        loss = categorical.cross_entropy(tf.constant([1]), logits)
    gradient = tape.gradient(loss, logits).numpy()[0]
    assert gradient[1] < 0 < min(gradient[0], gradient[2])
    assert gradient.sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("labels, logits", [((2,), (3, 4)), ((2, 1), (2, 4))])
def test_wrong_shapes_raise(labels, logits):
    with pytest.raises(ValueError):
        categorical.cross_entropy(tf.zeros(labels, tf.int32), tf.zeros(logits))


# softmax of these logits is (1, 2, 5) / 8
LOGITS = np.log([[1.0, 2.0, 5.0]]).astype(np.float32)


class TestRobustLosses:
    def test_symmetric_by_hand(self):
        # label 1: CE = log 4; RCE = -(-4) (1 - 1/4) = 3
        loss = categorical.symmetric_cross_entropy(
            tf.constant([1]), tf.constant(LOGITS), 0.1, 2.0, -4.0
        )
        assert loss.numpy() == pytest.approx([0.1 * np.log(4) + 2.0 * 3.0])

    def test_reverse_cross_entropy_is_that_of_the_clipped_one_hot(self):
        p, onehot = np.array([1, 2, 5]) / 8, np.array([0, 0, 1])
        log_y = np.where(onehot > 0, 0.0, -4.0)
        loss = categorical.symmetric_cross_entropy(
            tf.constant([2]), tf.constant(LOGITS), 0.0, 1.0, -4.0
        )
        assert loss.numpy() == pytest.approx([-(p * log_y).sum()])

    def test_generalised_by_hand(self):
        # p = 1/4 and q = 1/2: (1 - 1/2) / (1/2)
        args = tf.constant([1]), tf.constant(LOGITS)
        loss = categorical.generalised_cross_entropy(*args, 0.5)
        assert loss.numpy() == pytest.approx([1.0], rel=1e-6)
        loss = categorical.generalised_cross_entropy(*args, 1.0)
        assert loss.numpy() == pytest.approx([0.75], rel=1e-6)
        small = categorical.generalised_cross_entropy(*args, 1e-3)
        assert small.numpy() == pytest.approx([np.log(4)], rel=1e-2)

    def test_generalised_is_finite_where_the_probability_underflows(self):
        logits = tf.Variable([[0.0, 200.0]])
        with tf.GradientTape() as tape:
            loss = categorical.generalised_cross_entropy(tf.constant([0]), logits, 0.7)
        assert loss.numpy() == pytest.approx([1 / 0.7])
        assert np.all(np.isfinite(tape.gradient(loss, logits)))

    def test_smoothed_by_hand(self):
        # weights 0.1 on all, 0.7 more on class 2
        loss = categorical.smoothed_cross_entropy(
            tf.constant([2]), tf.constant(LOGITS), 0.3
        )
        log_p = np.log(np.array([1, 2, 5]) / 8)
        assert loss.numpy() == pytest.approx([-(log_p @ [0.1, 0.1, 0.8])])

    def test_early_learning_by_hand(self):
        p = tf.constant([[0.25, 0.75], [0.5, 0.5]])
        target = tf.constant([[0.0, 0.0], [0.2, 0.6]])
        # no target yet: log 1; then log(1 - (0.1 + 0.3))
        loss = categorical.early_learning(p, target)
        assert loss.numpy() == pytest.approx([0.0, np.log(0.6)], abs=1e-6)

    def test_early_learning_pulls_towards_the_target(self):
        p = tf.Variable([[0.5, 0.5]])
        target = tf.Variable([[0.9, 0.1]])
        with tf.GradientTape() as tape:
            loss = categorical.early_learning(p, target)
        to_p, to_target = tape.gradient(loss, [p, target])
        assert to_target is None
        assert to_p.numpy()[0, 0] < to_p.numpy()[0, 1] < 0

    def test_early_learning_is_bounded(self):
        sure = tf.constant([[1.0, 0.0]])
        assert np.isfinite(categorical.early_learning(sure, sure).numpy()).all()

    @pytest.mark.parametrize("name", ("symmetric", "generalised"))
    def test_a_wrong_label_pulls_less_than_in_cross_entropy(self, name):
        logits = tf.Variable([[8.0, 0.0]])  # sure of class 0, labelled 1
        labels = tf.constant([1])
        with tf.GradientTape(persistent=True) as tape:
            plain = categorical.cross_entropy(labels, logits)
            robust = {
                "symmetric": lambda: categorical.symmetric_cross_entropy(
                    labels, logits, 0.1, 1.0, -4.0
                ),
                "generalised": lambda: categorical.generalised_cross_entropy(
                    labels, logits, 0.7
                ),
            }[name]()
        pull = [float(tf.norm(tape.gradient(x, logits))) for x in (robust, plain)]
        assert pull[0] < 0.2 * pull[1]


# (1, 2, 5) / 8 predicted; a quarter of class 0, three quarters of class 2
SOFT = np.array([[0.25, 0.0, 0.75]], np.float32)


class TestSoftLabels:
    def test_cross_entropy_by_hand(self):
        # 0.25 log 8 + 0.75 log 1.6
        losses = categorical.cross_entropy(tf.constant(SOFT), tf.constant(LOGITS))
        assert losses.numpy() == pytest.approx([0.25 * np.log(8) + 0.75 * np.log(1.6)])

    def test_generalised_is_the_mean_over_classes(self):
        # q = 1: 1 - sum q_k p_k = 1 - (0.25 / 8 + 0.75 * 5 / 8) = 0.5
        losses = categorical.generalised_cross_entropy(
            tf.constant(SOFT), tf.constant(LOGITS), 1.0
        )
        assert losses.numpy() == pytest.approx([0.5])

    def test_symmetric_by_hand(self):
        # RCE = -(log 0.25 / 8 + -4 * 2 / 8 + log 0.75 * 5 / 8)
        reverse = -(np.log(0.25) / 8 - 1.0 + np.log(0.75) * 5 / 8)
        losses = categorical.symmetric_cross_entropy(
            tf.constant(SOFT), tf.constant(LOGITS), 0.0, 1.0, -4.0
        )
        assert losses.numpy() == pytest.approx([reverse])

    @pytest.mark.parametrize(
        "loss",
        (
            categorical.cross_entropy,
            lambda y, z: categorical.symmetric_cross_entropy(y, z, 0.1, 1.0, -4.0),
            lambda y, z: categorical.generalised_cross_entropy(y, z, 0.7),
            lambda y, z: categorical.smoothed_cross_entropy(y, z, 0.1),
        ),
        ids=("ce", "sce", "gce", "smoothed"),
    )
    def test_one_hot_rows_cost_what_hard_labels_do(self, loss):
        random = np.random.default_rng(0)
        logits = tf.constant(random.normal(size=(16, 7)), tf.float32)
        labels = tf.constant(random.integers(0, 7, 16), tf.int32)
        rows = categorical.soft(labels, 7)
        assert categorical.is_soft(rows) and not categorical.is_soft(labels)
        np.testing.assert_allclose(loss(rows, logits), loss(labels, logits), rtol=1e-5)

    def test_smoothed_by_hand(self):
        # 0.8 * (0, 1, 0) + 0.2 / 3
        rows = categorical.smoothed(tf.constant([1]), 3, 0.2).numpy()
        assert rows[0] == pytest.approx([0.2 / 3, 0.8 + 0.2 / 3, 0.2 / 3])
        logits = tf.constant(LOGITS)
        np.testing.assert_allclose(
            categorical.cross_entropy(tf.constant(rows), logits),
            categorical.smoothed_cross_entropy(tf.constant([1]), logits, 0.2),
            rtol=1e-6,
        )

    def test_hard_is_the_likeliest(self):
        found = categorical.hard(tf.constant([[0.25, 0.0, 0.75], [0.5, 0.5, 0.0]]))
        assert found.numpy().tolist() == [2, 0]
        assert categorical.hard(tf.constant([3, 1])).numpy().tolist() == [3, 1]

    def test_wrong_shapes_raise(self):
        with pytest.raises(ValueError):
            categorical.cross_entropy(tf.zeros([2, 3]), tf.zeros([2, 4]))
