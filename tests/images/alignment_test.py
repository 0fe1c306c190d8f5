"""Alignment geometry against hand-worked cases and OpenCV."""

import math

import cv2
import numpy as np
import pytest

from kfer.images import alignment


def test_level_eyes_by_hand():
    # Eyes 40 apart go 0.4 * 100 = 40 apart: scale 1, no turn. (10, 50) must land on
    # (30, 30), so the shift is (20, -20).
    matrix = alignment.similarity(((10.0, 50.0), (50.0, 50.0)), 100)
    np.testing.assert_allclose(matrix, [[1, 0, 20], [0, 1, -20]], atol=1e-12)


def test_quarter_turn_by_hand():
    # The right eye is 20 below the left: the face is turned by 90 degrees, clockwise on
    # the screen. Scale 0.4 * 100 / 20 = 2. (x, y) -> (2 y + b, -2 x + c); (5, 5) goes
    # to (30, 30), so b = 20, c = 40.
    matrix = alignment.similarity(((5.0, 5.0), (5.0, 25.0)), 100)
    np.testing.assert_allclose(matrix, [[0, 2, 20], [-2, 0, 40]], atol=1e-12)


@pytest.mark.parametrize("size", [64, 100, 256])
def test_eyes_land_where_the_paper_puts_them(size):
    eyes = ((71.3, 88.8), (103.9, 70.1))
    matrix = alignment.similarity(eyes, size)
    assert alignment.apply(matrix, eyes[0]) == pytest.approx((0.3 * size, 0.3 * size))
    assert alignment.apply(matrix, eyes[1]) == pytest.approx((0.7 * size, 0.3 * size))


def test_equals_opencvs_rotation_matrix():
    eyes = ((71.0, 88.0), (103.0, 70.0))
    angle = math.degrees(math.atan2(70 - 88, 103 - 71))
    scale = 0.4 * 96 / math.hypot(32, 18)
    expected = cv2.getRotationMatrix2D((87.0, 79.0), angle, scale)
    expected[:, 2] += (0.5 * 96 - 87, 0.3 * 96 - 79)
    np.testing.assert_allclose(alignment.similarity(eyes, 96), expected, atol=1e-9)


def test_equals_opencvs_estimate_of_two_points():
    eyes = ((30.25, 41.5), (62.75, 37.0))
    target = np.array([[0.3 * 64, 0.3 * 64], [0.7 * 64, 0.3 * 64]])
    expected, _ = cv2.estimateAffinePartial2D(np.array(eyes), target)
    np.testing.assert_allclose(alignment.similarity(eyes, 64), expected, atol=1e-5)


@pytest.mark.parametrize(
    "eyes", [((3.0, 4.0), (3.0, 4.0)), ((0.0, 0.0), (math.nan, 1.0))]
)
def test_impossible_eyes_raise(eyes):
    with pytest.raises(ValueError, match="coincide or are not finite"):
        alignment.similarity(eyes, 64)
    with pytest.raises(ValueError, match="eye centres"):
        alignment.authors_2021(eyes)


def test_authors_2021_truncates_to_whole_pixels():
    # (10.9, 50.9) -> (10, 50) and (51.9, 50.2) -> (51, 50): 41 apart, so the scale is
    # 0.4 * 256 / 41; the middle is floor(61 / 2) = 30, 50, put at (128, 76.8).
    matrix = alignment.authors_2021(((10.9, 50.9), (51.9, 50.2)))
    scale = 102.4 / 41
    expected = [[scale, 0, 128 - 30 * scale], [0, scale, 76.8 - 50 * scale]]
    np.testing.assert_allclose(matrix, expected, atol=1e-9)


def test_authors_2021_crop_is_bicubic_to_256_then_bilinear():
    image = np.random.default_rng(0).integers(0, 256, (120, 100, 3), np.uint8)
    eyes = ((30.7, 40.2), (61.4, 44.9))
    matrix = alignment.authors_2021(eyes)
    large = cv2.warpAffine(image, matrix, (256, 256), flags=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(alignment.warp_authors_2021(image, eyes, 256), large)
    small = cv2.resize(large, (64, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(alignment.warp_authors_2021(image, eyes, 64), small)


def test_square_maps_edges_to_edges():
    # Box x 10..30, y 20..40: its pixel edges become -0.5 and 9.5 of 10 pixels.
    matrix = alignment.square((10, 20, 20, 20), 10)
    assert alignment.apply(matrix, (9.5, 19.5)) == pytest.approx((-0.5, -0.5))
    assert alignment.apply(matrix, (29.5, 39.5)) == pytest.approx((9.5, 9.5))


def test_square_of_an_oblong_box_keeps_its_centre():
    # 20 wide and 40 high: the square is 40 wide, from x = 0 to 40, around centre 20.
    matrix = alignment.square((10, 20, 20, 40), 40)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, -20]], atol=1e-12)


def test_empty_box_raises():
    with pytest.raises(ValueError, match="empty or not finite"):
        alignment.square((1, 2, 0, 5), 10)


def test_warp_of_the_identity_changes_nothing():
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    matrix = alignment.square((0, 0, 32, 32), 32)
    np.testing.assert_array_equal(alignment.warp(image, matrix, 32), image)


def test_halving_is_the_mean_of_each_block():
    image = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    means = image.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    got = alignment.warp(image, alignment.square((0, 0, 64, 64), 32), 32)
    assert np.abs(got - means).max() <= 0.5


def test_strong_reduction_does_not_alias():
    # A one-pixel checkerboard is grey from afar; single samples would show a pattern.
    board = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(board[:, :, np.newaxis], 3, axis=2)
    matrix = alignment.similarity(((130.0, 120.0), (270.0, 125.0)), 48)
    got = alignment.warp(image, matrix, 48)
    assert np.abs(got.astype(int) - 127.5).max() <= 4


def test_block_mean_moves_no_point():
    # What stood at a source point still lands at the same place.
    matrix = alignment.similarity(((130.0, 120.0), (270.0, 125.0)), 48)
    image = np.zeros((401, 403, 3), np.uint8)
    reduced, moved = alignment.block_mean(image, matrix, 3)
    assert reduced.shape == (134, 135, 3)
    # Source point 130 is the point (130 - 1) / 3 = 43 of 3 x 3 blocks.
    expected = alignment.apply(matrix, (130.0, 121.0))
    assert alignment.apply(moved, (43.0, 40.0)) == pytest.approx(expected)


def test_warped_eyes_are_where_they_are_said_to_be():
    # White dots drawn at the eyes; their centre of mass in the crop, at each scale.
    for distance, size in ((30, 64), (100, 64), (150, 256)):
        image = np.zeros((300, 300, 3), np.uint8)
        eyes = ((60.0, 100.0), (60.0 + distance, 110.0))
        for x, y in eyes:
            centre = (round(x * 16), round(y * 16))
            cv2.circle(image, centre, 6 * 16, (255,) * 3, -1, cv2.LINE_AA, 4)
        crop = alignment.warp(image, alignment.similarity(eyes, size), size)
        for half, expected in (
            (slice(0, size // 2), 0.3),
            (slice(size // 2, None), 0.7),
        ):
            weights = crop[:, half, 0].astype(float)
            x = (weights.sum(axis=0) * np.arange(size)[half]).sum() / weights.sum()
            y = (weights.sum(axis=1) * np.arange(size)).sum() / weights.sum()
            assert (x, y) == pytest.approx((expected * size, 0.3 * size), abs=0.3)
