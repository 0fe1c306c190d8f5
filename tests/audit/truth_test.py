"""The truth behind a model and annotators: by hand, a plain twin, recovery."""

import numpy as np
import pytest

from kfer.audit import dawid_skene, truth
from kfer.crowd.confusion import posterior
from kfer.crowd.triples import Triples
from kfer.errors import UserError
from kfer.metrics import ranking
from kfer.noise import transition


def test_one_step_by_hand(monkeypatch):
    monkeypatch.setattr(truth, "MAX_ITERATIONS", 1)
    monkeypatch.setattr(truth, "FLOOR", 0.0)
    # Model (1, 0) and (1/2, 1/2), one annotator says 0 and 1. With a vote each the
    # start is (1, 0) and (1/4, 3/4). Said given class 0: 0 by 1, 1 by 1/4: [4/5, 1/5].
    # M of class 0: (1, 0) + 1/2 (1/4, 3/4) = (9/8, 3/8) -> (3/4, 1/4); of class 1:
    # (1/4, 3/4). Priors: (3/4, 1/4) and (1/2, 1/2).
    found = truth.fit(np.array([[1, 0], [0.5, 0.5]]), np.array([[0, 1]]))
    np.testing.assert_allclose(found.confusions, [[[4 / 5, 1 / 5], [0, 1]]])
    # Picture 0: 3/4 4/5 against 0. Picture 1: 1/2 1/5 against 1/2: (1/6, 5/6).
    np.testing.assert_allclose(found.posterior, [[1, 0], [1 / 6, 5 / 6]])
    # M's row 0: (3/4 (1 / (3/4) + 1/2 (1/6) / (1/2)), 1/4 (1/2 (5/6) / (1/2))).
    row = np.array([3 / 4 * (4 / 3 + 1 / 6), 1 / 4 * 5 / 6])
    np.testing.assert_allclose(found.calibration[0], row / row.sum())
    assert (found.iterations, found.converged) == (1, False)


def simulate(count, seed=0, accuracy=0.7, annotators=2):
    """Truth, a model as sure as it is right, and annotators of known confusion."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, count)
    said = transition.sample(classes, transition.symmetric(3, 1 - accuracy), rng)
    model = np.full((count, 3), (1 - accuracy) / 2)
    model[np.arange(count), said] = accuracy
    matrix = np.array([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.05, 0.05, 0.9]])
    sets = [transition.sample(classes, matrix, rng) for _ in range(annotators)]
    return classes, model, np.stack(sets), matrix


def test_recovers_the_annotators_where_they_alone_cannot():
    classes, model, sets, matrix = simulate(20_000)
    found = truth.fit(model, sets)
    for confusion in found.confusions:
        np.testing.assert_allclose(confusion, matrix, atol=0.04)
    right = np.mean(found.posterior.argmax(axis=1) == classes)
    alone = np.mean(dawid_skene.fit(sets, 3).classes == classes)
    assert right > alone + 0.05 and right > 0.87


def test_a_model_that_is_too_sure_counts_for_what_it_is_worth():
    classes, honest, sets, _ = simulate(20_000, annotators=3)
    sure = np.eye(3)[honest.argmax(axis=1)]
    one, other = truth.fit(honest, sets), truth.fit(sure, sets)
    # Its answers are right 70 % of the time, and M says so.
    np.testing.assert_allclose(np.diag(other.calibration), 0.7, atol=0.03)
    np.testing.assert_allclose(other.posterior, one.posterior, atol=0.05)
    wrong = sets[0] != classes
    doubts = 1 - other.posterior[np.arange(20_000), sets[0]]
    believed, _ = posterior(
        np.log(np.maximum(sure, 1e-6)),
        np.log(other.confusions),
        Triples.of_sets(sets, 3),
    )
    naive = 1 - believed[np.arange(20_000), sets[0]]
    better = ranking.average_precision(wrong, doubts)
    assert better > ranking.average_precision(wrong, naive) + 0.05


def test_missing_labels_and_classes_nobody_says():
    _, model, sets, _ = simulate(300)
    sets[:, :10] = -1
    sets = np.vstack([sets, np.full(300, -1)])
    wide = np.hstack([model, np.zeros((300, 1))])
    found = truth.fit(wide, sets)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
    # What the model says counts where nobody labels.
    np.testing.assert_allclose(
        found.posterior[:10], wide[:10] @ found.calibration, atol=0.05
    )
    assert np.all(found.posterior[:, 3] < 0.01)
    assert not found.confusions[2].any()


def test_many_annotators_do_not_underflow():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 20)
    sets = np.where(rng.random((2000, 20)) < 0.7, classes, 1 - classes)
    found = truth.fit(np.full((20, 2), 0.5), sets)
    np.testing.assert_array_equal(found.posterior.argmax(axis=1), classes)


def test_no_label_at_all_is_refused():
    with pytest.raises(UserError, match="None of the 1 label sets has a label"):
        truth.fit(np.full((3, 2), 0.5), np.full((1, 3), -1))
