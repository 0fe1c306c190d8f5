"""A label set against a reference, by hand."""

import numpy as np
import pytest

from kfer.audit import confusion
from kfer.errors import UserError


def test_by_hand():
    labels = np.array([0, 1, 1, 1, -1, 1])
    truth = np.array([0, 0, 1, 1, 1, -1])
    found = confusion.against(labels, truth, 3)
    assert found["given"] == [1, 4, 0] and found["compared"] == 4
    assert found["noise"] == 1 / 4
    assert found["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    # Chance: 2/4 1/4 + 2/4 3/4 = 1/2.
    assert found["kappa"] == pytest.approx((3 / 4 - 1 / 2) / (1 / 2))
    assert found["kept"] == [1 / 2, 1, None]  # class 2 is never true


def test_nothing_to_compare_is_unknown():
    found = confusion.against(np.array([-1, 1]), np.array([0, -1]), 2)
    assert (found["compared"], found["noise"], found["kappa"]) == (0, None, None)
    assert found["kept"] == [None, None]


def test_labels_of_other_pictures_are_refused():
    with pytest.raises(UserError, match=r"\(3,\) labels can't be compared with \(2,\)"):
        confusion.against(np.zeros(3, int), np.zeros(2, int), 2)
