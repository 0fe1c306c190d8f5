"""Each layout by hand and there and back."""

import numpy as np
import pytest

from kfer.models import array_layouts as layouts


def test_axes_by_hand():
    kernel = np.arange(6).reshape(2, 3)
    found = layouts.Transposed((1, 0)).to_authors([kernel])
    np.testing.assert_array_equal(found, [[0, 3], [1, 4], [2, 5]])
    assert layouts.Transposed().to_authors([kernel]) is kernel


def test_heads_are_rows_of_one_layer():
    kernels = [np.array([[1, 2], [3, 4]]), np.array([[5], [6]])]  # [E, size]
    found = layouts.Joined((2, 1)).to_authors(kernels)
    np.testing.assert_array_equal(found, [[1, 3], [2, 4], [5, 6]])
    biases = layouts.Joined((2, 1)).to_authors([np.array([1, 2]), np.array([3])])
    np.testing.assert_array_equal(biases, [1, 2, 3])


def test_a_flat_map_is_read_channel_by_channel():
    # a 2x2 map of 2 channels, flat as (h, w, c), and one unit
    kernel = np.arange(8).reshape(8, 1)
    found = layouts.Flattened(2).to_authors([kernel])
    np.testing.assert_array_equal(found, [[0, 2, 4, 6, 1, 3, 5, 7]])


def test_a_part_leaves_the_others():
    stacked = np.zeros((3, 2, 2))
    (found,) = layouts.PartOf((1,)).from_authors(np.array([[1, 2], [3, 4]]), [stacked])
    np.testing.assert_array_equal(found[1], [[1, 3], [2, 4]])
    assert not found[[0, 2]].any() and not stacked.any()


@pytest.mark.parametrize(
    "layout, shapes",
    [
        (layouts.Transposed((3, 2, 0, 1)), [(3, 3, 2, 5)]),
        (layouts.Joined((4, 2)), [(6, 4), (6, 2)]),
        (layouts.Flattened(3), [(9 * 4, 5)]),
        (layouts.Row(), [(1, 7)]),
        (layouts.PartOf((2,)), [(4, 3, 3)]),
        (layouts.PartOf((2, 0)), [(4, 1, 3)]),
    ],
)
def test_there_and_back(layout, shapes):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=shape) for shape in shapes]
    back = layout.from_authors(layout.to_authors(parts), parts)
    for one, other in zip(parts, back, strict=True):
        np.testing.assert_array_equal(one, other)
