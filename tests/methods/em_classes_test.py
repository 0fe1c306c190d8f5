"""What EM holds of a hidden class: where it starts, its posterior and its doubts."""

import numpy as np
import pytest

from kfer import tasks
from kfer.crowd.triples import Triples
from kfer.methods.em_classes import ClassTruth

LABELS = tasks.annotator_tasks(2, ("sad", "joy"), "mood")


def truth():
    return ClassTruth("mood", LABELS, (1, 1))


def test_without_two_labels_of_anything_matrices_start_from_the_diagonal():
    held = truth()
    # Each item has one label: annotator 0 said joy twice and sad once, 1 sad.
    said = Triples(
        np.arange(4), np.array([0, 0, 0, 1]), np.array([1, 1, 0, 0]), 4, 2, 2
    )
    held.begin(said, diagonal=0.8)
    wanted = [[[0.8, 0.2], [0.2, 0.8]]] * 2
    np.testing.assert_allclose(np.exp(held.log_matrices), wanted, rtol=1e-5)
    np.testing.assert_allclose(np.exp(held.log_prior), [0.5, 0.5], rtol=1e-6)
    assert held.doubts() == {}


def test_doubts_name_the_annotator_and_the_classes():
    held = truth()
    same = [[0.5, 0.5], [0.5, 0.5]]
    held.log_matrices.assign(np.log([[[0.9, 0.1], [0.2, 0.8]], same]))
    assert "annotator 2" in held.doubts()["mood/matrices"]
    held.log_prior.assign(np.log([0.4, 0.6]))
    answers = np.tile([0.2, 0.8], (40, 1))
    line = held.doubts_of_answers(answers)["mood/answers"]
    assert "100% of them are 'joy', which annotators make 60%" in line
    assert held.doubts_of_answers(np.eye(2)) == pytest.approx({})


def test_a_target_that_nobody_labelled_has_an_even_prior():
    held = truth()
    nobody = np.array([], int)
    held.begin(Triples(nobody, nobody, nobody, 4, 2, 2), diagonal=0.8)
    np.testing.assert_allclose(np.exp(held.log_prior), [0.5, 0.5], rtol=1e-6)
    assert np.isfinite(held.log_matrices).all()
