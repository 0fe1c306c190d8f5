"""Singular matrices and collapsed answers are said."""

import numpy as np

from kfer.methods import doubts
from kfer.noise import transition

CLASSES = ("sad", "fear", "joy")


def test_a_singular_matrix_by_hand():
    # Rows of 'sad' and 'fear' are the same: 0 is a singular value.
    alike = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.1, 0.1, 0.8]])
    (line,) = doubts.of_matrices("mood", CLASSES, np.stack([np.eye(3), alike])).values()
    assert line == (
        "mood: the matrix of annotator 2 is singular (smallest singular value 0.000), "
        "their labels don't tell 'sad' from 'fear'; 1 of 2 annotators are so"
    )
    (line,) = doubts.of_matrices(
        "annotator_3", CLASSES, alike[None], single=True
    ).values()
    assert line.endswith("their labels don't tell 'sad' from 'fear'")


def test_noise_alone_is_no_doubt():
    # Uniform noise of 0.6 in three classes: eigenvalues 1 and 0.4 - 0.3 = 0.1.
    noisy = transition.symmetric(3, 0.6)
    assert doubts.of_matrices("mood", CLASSES, noisy[None]) == {}
    # 2 / 3 wrong is a draw of all classes alike.
    assert doubts.of_matrices("mood", CLASSES, transition.symmetric(3, 2 / 3)[None])


def test_collapsed_answers_by_hand():
    answers = np.zeros((200, 3))
    answers[:100, 1] = 0.7  # 100 have an answer, 97 of them 'fear'
    answers[:3, 0] = 0.9
    prior = np.array([0.3, 0.4, 0.3])
    (line,) = doubts.of_answers("mood", CLASSES, answers, prior).values()
    assert line.startswith(
        "mood: the answers have collapsed, 97% of them are 'fear', which annotators "
        "make 40%; "
    )
    answers[:5, 0] = 0.9  # 95 of 100
    assert doubts.of_answers("mood", CLASSES, answers, prior) == {}
    answers[:5, 0] = 0.0
    assert (
        doubts.of_answers("mood", CLASSES, answers, np.array([0.1, 0.85, 0.05])) == {}
    )
    assert doubts.of_answers("mood", CLASSES, np.zeros((4, 3)), prior) == {}
