import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import augment
from kfer.settings import config

SEED = np.array([3, 7], np.int32)
MANY = 4000
#     columns 0  1  2
PICTURE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)


def warp(picture, row, interpolation="bilinear"):
    """The picture [H, W] warped by one transform."""
    images = np.asarray(picture)[None, :, :, None]
    transforms = tf.constant(np.asarray([row]), tf.float32)
    return augment.apply(images, transforms, interpolation).numpy()[0, :, :, 0]


def bilinear_twin(image, row):
    """What apply does, pixel by pixel."""
    size = len(image)

    def pixel(y, x):
        inside = 0 <= y < size and 0 <= x < size
        return image[y, x].astype(np.float64) if inside else np.zeros(image.shape[2])

    warped = np.zeros(image.shape)
    a0, a1, a2, b0, b1, b2, _, _ = np.asarray(row, np.float64)
    for y in range(size):
        for x in range(size):
            from_x, from_y = a0 * x + a1 * y + a2, b0 * x + b1 * y + b2
            left, top = math.floor(from_x), math.floor(from_y)
            right, low = from_x - left, from_y - top
            warped[y, x] = (1 - low) * (
                (1 - right) * pixel(top, left) + right * pixel(top, left + 1)
            ) + low * (
                (1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1)
            )
    return warped


def face(size=64, seed=SEED, batch=MANY, **fields):
    recipe = dataclasses.replace(config.KFER, **fields)
    return augment.face_transforms(seed, batch, size, recipe).numpy()


def parts(rows, size):
    """Angle in degrees, zoom, mirrored and shift in pixels of face transforms."""
    a0, a1, a2, b0, b1, b2 = rows.astype(np.float64).T[:6]
    zoom = 1 / np.hypot(a1, b1)
    angle = np.degrees(np.arctan2(-a1, b1))
    mirrored = a0 * b1 - a1 * b0 < 0
    # The output pixel read from the input's centre, mirrored back, is centre + shift.
    centre = (size - 1) / 2
    linear = np.stack([np.stack([a0, a1], 1), np.stack([b0, b1], 1)], 1)
    target = np.stack([centre - a2, centre - b2], 1)
    place = np.linalg.solve(linear, target[:, :, None])[:, :, 0]
    place[mirrored, 0] = size - 1 - place[mirrored, 0]
    return angle, zoom, mirrored, place - centre


def test_shift_reads_from_the_right_and_fills_with_black():
    got = warp(PICTURE, [1, 0, 1, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(got, [[2, 3, 0], [5, 6, 0], [8, 9, 0]])


def test_half_a_pixel_is_the_mean_of_two():
    # Row 0 is read between rows 0 and 1: (1 + 4) / 2; the last fades to black.
    got = warp(PICTURE, [1, 0, 0, 0, 1, 0.5, 0, 0])
    np.testing.assert_array_equal(
        got, [[2.5, 3.5, 4.5], [5.5, 6.5, 7.5], [3.5, 4, 4.5]]
    )


def test_quarter_turn():
    angle, one, none = tf.constant([math.pi / 2]), tf.ones([1]), tf.zeros([1])
    row = augment._similarity(angle, one, tf.zeros([2, 1]), one, none, centre=1.0)
    # x is read from 1 - (y - 1) = 2 - y, y from x.
    np.testing.assert_allclose(row, [[0, -1, 2, 1, 0, 0, 0, 0]], atol=1e-6)
    got = warp(PICTURE, row[0], "nearest")
    np.testing.assert_array_equal(got, [[3, 6, 9], [2, 5, 8], [1, 4, 7]])


def test_zoom_two_spreads_the_middle():
    one, none = tf.ones([1]), tf.zeros([1])
    row = augment._similarity(none, 2 * one, tf.zeros([2, 1]), one, none, centre=1.0)
    # Columns are read from 0.5, 1, 1.5 and rows likewise.
    np.testing.assert_array_equal(
        warp(PICTURE, row[0]), [[3, 3.5, 4], [4.5, 5, 5.5], [6, 6.5, 7]]
    )


def test_apply_equals_its_twin():
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    rows = face(size=8, batch=6)
    got = augment.apply(images, rows)
    assert got.dtype == tf.float32
    for one, image, row in zip(got, images, rows):
        np.testing.assert_allclose(one, bilinear_twin(image, row), atol=0.02)


def test_crop_flip_without_padding_is_the_picture_or_its_mirror():
    rows = augment.crop_flip_transforms(SEED, MANY, 3, pad=0).numpy()
    kinds = {tuple(row) for row in rows}
    assert kinds == {(1, 0, 0, 0, 1, 0, 0, 0), (-1, 0, 2, 0, 1, 0, 0, 0)}
    np.testing.assert_array_equal(
        warp(PICTURE, (-1, 0, 2, 0, 1, 0, 0, 0)), PICTURE[:, ::-1]
    )


def test_crop_flip_moves_by_whole_pixels_evenly():
    rows = augment.crop_flip_transforms(SEED, MANY, 32).numpy()
    mirrored = rows[:, 0] < 0
    shift_x = np.where(mirrored, 31 - rows[:, 2], rows[:, 2])
    for shift in (shift_x, rows[:, 5]):
        values, counts = np.unique(shift, return_counts=True)
        np.testing.assert_array_equal(values, np.arange(-4, 5))
        # MANY / 9 = 444 each, standard deviation 20.
        assert counts.min() > 344 and counts.max() < 544
        assert abs(shift.mean()) < 5 * math.sqrt(20 / 3 / MANY)
    assert abs(mirrored.mean() - 0.5) < 5 * 0.5 / math.sqrt(MANY)
    assert abs(np.corrcoef(shift_x, rows[:, 5])[0, 1]) < 0.1


@pytest.mark.parametrize(("fraction", "reach"), [(0.15, 9.6), (0.0, 10.0)])
def test_face_transforms_stay_in_their_ranges_and_fill_them(fraction, reach):
    angle, zoom, mirrored, shift = parts(face(face_translation=fraction), 64)
    for values, low, high in (
        (angle, -10, 10),
        (zoom, 0.9, 1.1),
        (shift[:, 0], -reach, reach),
        (shift[:, 1], -reach, reach),
    ):
        width = high - low
        assert low - 1e-3 * width < values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() < high + 1e-3 * width
        # Standard error of a uniform's mean is width / sqrt(12 n).
        assert abs(values.mean() - (low + high) / 2) < 5 * width / math.sqrt(12 * MANY)
    assert abs(mirrored.mean() - 0.5) < 5 * 0.5 / math.sqrt(MANY)
    table = np.stack([angle, zoom, mirrored, *shift.T])
    assert np.abs(np.corrcoef(table) - np.eye(5)).max() < 0.1


def test_translation_of_the_2021_code_is_ten_pixels_at_any_size():
    shift = parts(face(size=128, face_translation=0.0), 128)[3]
    assert 9.9 < np.abs(shift).max() < 10.01


def test_shifted_mirror_leaves_column_0_black():
    plain, shifted = face(shifted_mirror=False), face(shifted_mirror=True)
    mirrored = parts(plain, 64)[2]
    np.testing.assert_array_equal(shifted[~mirrored], plain[~mirrored])
    # One column further along the input's x axis, turned and zoomed.
    moved = (shifted - plain)[mirrored]
    np.testing.assert_allclose(moved[:, 2], -plain[mirrored, 0], atol=1e-4)
    np.testing.assert_allclose(moved[:, 5], -plain[mirrored, 3], atol=1e-4)
    got = warp(PICTURE, [-1, 0, 3, 0, 1, 0, 0, 0], "nearest")
    np.testing.assert_array_equal(got, [[0, 3, 2], [0, 6, 5], [0, 9, 8]])


def test_the_seed_alone_decides():
    other = tf.constant([3, 8], tf.int32)
    for make in (augment.crop_flip_transforms, lambda s, b, n: face(n, s, b)):
        first, again, third = (
            make(SEED, 16, 32),
            make(SEED, 16, 32),
            make(other, 16, 32),
        )
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, third)


def test_normalise_maps_to_minus_one_and_one_and_turns_channels():
    images = np.array([[[[0, 127.5, 255]]]], np.float32)
    np.testing.assert_array_equal(augment.normalise(images), [[[[-1, 0, 1]]]])
    np.testing.assert_array_equal(augment.normalise(images, "bgr"), [[[[1, 0, -1]]]])


def test_border_is_minus_one_after_normalising():
    black = warp(PICTURE, [1, 0, 9, 0, 1, 0, 0, 0])
    assert augment.normalise(black).numpy().max() == -1.0


def test_random_transforms_knows_the_kinds_of_the_config():
    def make(kind):
        return augment.random_transforms(kind, SEED, 4, 32, config.KFER)

    assert make("none") is None
    np.testing.assert_array_equal(
        make("crop_flip"), augment.crop_flip_transforms(SEED, 4, 32)
    )
    np.testing.assert_array_equal(make("face"), face(32, batch=4))


class TestMirrored:
    @pytest.mark.parametrize("kind", ("crop_flip", "face"))
    @pytest.mark.parametrize("shifted", (False, True))
    def test_it_is_the_mirror_that_is_drawn_otherwise(self, kind, shifted):
        """What a drawn mirror does to a picture, from transforms without one."""
        recipe = dataclasses.replace(config.KFER, shifted_mirror=shifted)
        plain, drawn = (
            augment.random_transforms(kind, SEED, 64, 8, recipe, 2, mirrors)
            for mirrors in (False, True)
        )
        which = tf.reduce_any(tf.abs(plain - drawn) > 1e-6, axis=1)
        assert 16 < int(tf.reduce_sum(tf.cast(which, tf.int32))) < 48
        face = recipe if kind == "face" else None
        found = augment.mirrored(plain, which, 8, face)
        np.testing.assert_allclose(found, drawn, atol=1e-4)

    def test_by_hand(self):
        row = augment.mirrored(
            tf.constant([[1, 0, 1, 0, 1, 0, 0, 0]], tf.float32), tf.constant([True]), 3
        ).numpy()[0]
        # shifted left by one, then the other way round
        np.testing.assert_array_equal(
            warp(PICTURE, row), [[0, 3, 2], [0, 6, 5], [0, 9, 8]]
        )


def test_a_reflected_border():
    images = tf.constant(PICTURE[None, :, :, None])
    rows = tf.constant([[1, 0, 1, 0, 1, -2, 0, 0]], tf.float32)
    found = augment.apply(images, rows, "nearest", border=2)
    # Two rows up, 7 and 4 are reflected about 1; to the right, 2 about 3.
    expected = [[8, 9, 8], [5, 6, 5], [2, 3, 2]]
    np.testing.assert_array_equal(found[0, :, :, 0], expected)


def test_cutout_lays_a_grey_square_that_ends_at_the_border():
    images = tf.ones([2, 4, 4, 3])
    found = augment.cutout(images, tf.constant([[2, 2], [0, 3]]), 2).numpy()
    expected = np.ones([2, 4, 4])
    expected[0, 1:3, 1:3] = 0.0
    expected[1, 0:1, 2:4] = 0.0
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], expected)


@pytest.mark.parametrize("interpolation", ("bilinear", "nearest"))
def test_warps_and_squares_are_those_of_tensorflow_addons(interpolation):
    """To the bit, as every run before the own form was trained with it."""
    tfa = pytest.importorskip("tensorflow_addons")
    images = np.random.default_rng(0).integers(0, 256, (64, 9, 9, 3))
    images = tf.constant(images, tf.float32)
    rows = tf.constant(face(size=9, batch=64))
    np.testing.assert_array_equal(
        augment.apply(images, rows, interpolation),
        tfa.image.transform(images, rows, interpolation),
    )
    centres = tf.random.stateless_uniform([64, 2], SEED, 0, 9, tf.int32)
    np.testing.assert_array_equal(
        augment.cutout(images, centres, 6), tfa.image.cutout(images, (6, 6), centres)
    )
