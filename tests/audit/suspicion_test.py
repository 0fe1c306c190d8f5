"""Scores of single labels by hand."""

import numpy as np
import pytest

from kfer.audit import suspicion, values


def test_doubt_is_what_the_label_lacks():
    posterior = np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]])
    found = suspicion.doubt(posterior, np.array([1, 1, -1]))
    np.testing.assert_allclose(found, [0.9, 0.25, np.nan])


def test_residual_leaves_out_bias_and_scale():
    # given = 1/2 reference + 0.1, but the last is 0.4 higher in its first dimension.
    reference = np.array([[-0.8, 0], [-0.4, 0], [0.4, 0], [0.8, 0], [0, 0]])
    labels = reference / 2 + 0.1
    labels[4, 0] += 0.4
    found = values.against(labels, reference)
    # The slope is 1/2; the rest is 0.4 - 0.08 of one and -0.08 of four:
    # std sqrt(0.2^2 0.16 + ...) = sqrt((0.32^2 + 4 0.08^2) / 5) = 0.16.
    np.testing.assert_allclose(found["noise_std"], [0.16, 0], atol=1e-12)
    rows = suspicion.residual(labels, reference, found)
    # (2, 0) standard deviations; the second dimension is explained wholly.
    assert rows[4] == pytest.approx(2 / np.sqrt(2))
    np.testing.assert_allclose(rows[:4], 0.5 / np.sqrt(2))
    labels[0] = np.nan
    again = suspicion.residual(labels, reference, values.against(labels, reference))
    assert np.isnan(again[0]) and again[4] == again[1:].max()
    nothing = np.full((2, 2), np.nan)
    found = values.against(nothing, nothing)
    assert np.isnan(suspicion.residual(nothing, nothing, found)).all()


def test_wrong_classes_and_the_furthest_values():
    bad, known = suspicion.wrong(np.array([0, 1, -1, 1]), np.array([0, 0, 0, -1]))
    assert bad.tolist() == [False, True, False, False]
    assert known.tolist() == [True, True, False, False]
    truth = np.zeros((20, 2))
    labels = np.zeros((20, 2))
    labels[3], labels[7] = (0.3, 0.4), (0.0, 0.1)
    bad, known = suspicion.wrong(labels, truth)
    # A tenth of 20 is two.
    assert np.flatnonzero(bad).tolist() == [3, 7] and known.all()
    assert not suspicion.wrong(truth, truth)[0].any()  # a right value is never wrong


def test_precision():
    labels, truth = np.array([0, 1, 1, -1]), np.array([0, 0, 1, 1])
    scores = {
        "good": np.array([0.1, 0.9, 0.2, np.nan]),
        "bad": np.array([0.9, 0.1, 0.2, np.nan]),
        "absent": np.array([0.1, np.nan, 0.2, np.nan]),
    }
    found = suspicion.precision(scores, labels, truth)
    assert found == {
        "compared": 3,
        "wrong": 1,
        "chance": 1 / 3,
        "auprc": {"good": 1.0, "bad": pytest.approx(1 / 3), "absent": None},
    }
    nothing = suspicion.precision({"good": scores["good"]}, labels, np.full(4, -1))
    assert nothing["chance"] is None and nothing["auprc"]["good"] is None
