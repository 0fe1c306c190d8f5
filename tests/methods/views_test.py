import numpy as np
import pytest
import tensorflow as tf

from kfer.methods import views

# One picture of 3 x 3 with one channel.
#   1 2 3
#   4 5 6
#   7 8 9
PICTURE = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)


def top_left(image):
    """Reads the first pixel, so that it shows which views were looked at."""
    return {"corner": image[:, 0, 0], "square": image[:, 0, 0] ** 2}


@pytest.mark.parametrize(
    "kind, corner, square",
    (
        ("none", 1.0, 1.0),
        ("flip", (1 + 3) / 2, (1 + 9) / 2),
        # Every corner of a shifted view is the middle pixel, or its reflection.
        (
            "flip_shift",
            0.5 * (1 + 3) / 2 + 0.25 * (5 + 5) / 2 + 0.25 * (5 + 5) / 2,
            0.5 * (1 + 9) / 2 + 0.25 * (25 + 25) / 2 + 0.25 * (25 + 25) / 2,
        ),
    ),
)
def test_by_hand(kind, corner, square):
    found = views.averaged(top_left, tf.constant(PICTURE), kind)
    assert found["corner"].numpy().ravel() == pytest.approx([corner])
    assert found["square"].numpy().ravel() == pytest.approx([square])


def test_the_shifts_are_by_one_pixel_up_left_and_down_right():
    seen = []

    def network(image):
        seen.append(image.numpy()[0, :, :, 0].tolist())
        return {"mean": tf.reduce_mean(image, axis=[1, 2])}

    views.averaged(network, tf.constant(PICTURE), "flip_shift")
    assert [[5, 4, 5], [2, 1, 2], [5, 4, 5]] in seen
    assert [[5, 6, 5], [8, 9, 8], [5, 6, 5]] in seen
    assert [[1, 2, 3], [4, 5, 6], [7, 8, 9]] in seen
    assert len(seen) == 6


def test_a_mirrored_picture_has_the_same_answer():
    random = np.random.default_rng(0)
    image = random.normal(size=(2, 8, 8, 3)).astype(np.float32)
    weights = random.normal(size=(8, 8, 3)).astype(np.float32)

    def network(view):
        return {"x": tf.tanh(tf.tensordot(view, weights, 3))[:, None]}

    pair = [tf.constant(image), tf.constant(image[:, :, ::-1].copy())]
    assert not np.allclose(*(network(view)["x"] for view in pair))
    np.testing.assert_allclose(
        *(views.averaged(network, view, "flip")["x"] for view in pair), rtol=1e-5
    )
