"""Augmentation as one projective warp of a batch.

A transform is a row [a0, a1, a2, b0, b1, b2, c0, c1] of float32 that maps an output
pixel (x, y) to the input pixel ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) it is
read from, with k = c0 x + c1 y + 1; here c0 = c1 = 0. x counts columns, y rows, from 0.
Seeds are int32 [2]; the same seed gives the same transforms.
"""

import math

import tensorflow as tf

from kfer.settings.config import Recipe

PIXEL_TRANSLATION = 10.0  # of the 2021 code, whatever the size
MAX_ROTATION_DEGREES = 10.0
ZOOM = (0.9, 1.1)


def _streams(seed: tf.Tensor, count: int) -> list[tf.Tensor]:
    return [tf.random.experimental.stateless_fold_in(seed, i) for i in range(count)]


def _rows(linear: list[tf.Tensor], shift: list[tf.Tensor]) -> tf.Tensor:
    """[a0, a1, b0, b1] and [a2, b2], each [B], as transforms [B, 8]."""
    zero = tf.zeros_like(shift[0])
    a0, a1, b0, b1 = linear
    return tf.stack([a0, a1, shift[0], b0, b1, shift[1], zero, zero], axis=1)


def crop_flip_transforms(
    seed: tf.Tensor, batch: int, size: int, pad: int = 4, mirrors: bool = True
) -> tf.Tensor:
    """A crop of the picture padded by `pad`, and a mirror with probability 1/2.

    Args:
      seed: int32 [2].
      batch: number of pictures B.
      size: side of the pictures in pixels.
      pad: largest shift in pixels, of either sign, on either axis.
      mirrors: False leaves the mirror out.

    Returns:
      Transforms [B, 8] that read whole pixels.
    """
    for_shift, for_mirror = _streams(seed, 2)
    shift = tf.random.stateless_uniform([2, batch], for_shift, -pad, pad + 1, tf.int32)
    shift = tf.cast(shift, tf.float32)
    sign, start = _mirror(for_mirror, batch, float(size - 1), mirrors)
    one, zero = tf.ones_like(sign), tf.zeros_like(sign)
    return _rows([sign, zero, zero, one], [start + shift[0], shift[1]])


def _mirror(
    seed: tf.Tensor, batch: int, last: float, mirrors: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """x is read from sign x + start: (1, 0), or (-1, last) with probability 1/2."""
    if not mirrors:
        return tf.ones([batch]), tf.zeros([batch])
    which = tf.random.stateless_uniform([batch], seed) < 0.5
    return tf.where(which, -1.0, 1.0), tf.where(which, last, 0.0)


def mirrored(
    transforms: tf.Tensor, which: tf.Tensor, size: int, recipe: Recipe | None = None
) -> tf.Tensor:
    """The transforms, of mirror images where `which` says so.

    Args:
      transforms: [B, 8] without a mirror.
      which: [B] bool.
      size: side of the pictures in pixels.
      recipe: of face transforms, for its shifted_mirror; else None.
    """
    last = float(size) if recipe and recipe.shifted_mirror else size - 1.0
    a0, a1, a2, b0, b1, b2, c0, c1 = tf.unstack(transforms, axis=1)
    turned = tf.stack(
        [-a0, a1, a2 + a0 * last, -b0, b1, b2 + b0 * last, c0, c1], axis=1
    )
    return tf.where(which[:, None], turned, transforms)


def face_transforms(
    seed: tf.Tensor, batch: int, size: int, recipe: Recipe, mirrors: bool = True
) -> tf.Tensor:
    """Rotation, zoom and translation about the picture's centre, then a mirror.

    All are uniform: rotation in +-10 degrees, zoom in 0.9..1.1, translation in
    +-recipe.face_translation of the side on either axis (or +-10 pixels), mirror with
    probability 1/2. recipe.shifted_mirror mirrors about a line half a pixel further
    right, so that column 0 reads from outside the picture.

    Args:
      seed: int32 [2].
      batch: number of pictures B.
      size: side of the pictures in pixels.
      recipe: see config.Recipe.
      mirrors: False leaves the mirror out.

    Returns:
      Transforms [B, 8].
    """
    for_angle, for_zoom, for_shift, for_mirror = _streams(seed, 4)
    reach = recipe.face_translation * size or PIXEL_TRANSLATION
    limit = math.radians(MAX_ROTATION_DEGREES)
    angle = tf.random.stateless_uniform([batch], for_angle, -limit, limit)
    zoom = tf.random.stateless_uniform([batch], for_zoom, *ZOOM)
    shift = tf.random.stateless_uniform([2, batch], for_shift, -reach, reach)
    last = float(size) if recipe.shifted_mirror else size - 1.0
    sign, start = _mirror(for_mirror, batch, last, mirrors)
    return _similarity(angle, zoom, shift, sign, start, (size - 1) / 2)


def _similarity(
    angle: tf.Tensor,
    zoom: tf.Tensor,
    shift: tf.Tensor,
    sign: tf.Tensor,
    start: tf.Tensor,
    centre: float,
) -> tf.Tensor:
    """Pixel p is read from R(angle) / zoom (mirror(p) - centre - shift) + centre.

    angle (radians), zoom, sign and start are [B], shift is [2, B] in pixels.
    """
    cosine, sine = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    from_x, from_y = start - centre - shift[0], -centre - shift[1]
    linear = [sign * cosine, -sine, sign * sine, cosine]
    return _rows(
        linear,
        [
            cosine * from_x - sine * from_y + centre,
            sine * from_x + cosine * from_y + centre,
        ],
    )


def apply(
    images: tf.Tensor,
    transforms: tf.Tensor,
    interpolation: str = "bilinear",
    border: int = 0,
) -> tf.Tensor:
    """Warps pictures.

    Args:
      images: [B, H, W, C], uint8 or float, 0..255.
      transforms: [B, 8].
      interpolation: 'bilinear' or 'nearest'.
      border: pixels around a picture that hold its reflection, without the outermost
        row or column twice; what is read from further out is 0 (black).

    Returns:
      float32 [B, H, W, C], 0..255.
    """
    tf.debugging.assert_shapes([(images, "BHWC"), (transforms, ("B", 8))])
    padded = tf.cast(images, tf.float32)
    if border:
        sides = [border, border]
        padded = tf.pad(padded, [[0, 0], sides, sides, [0, 0]], "REFLECT")
        into = tf.constant([0, 0, border, 0, 0, border, 0, 0], tf.float32)
        transforms = transforms + into
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=padded,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        interpolation=interpolation.upper(),
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return tf.ensure_shape(warped, images.shape)


def cutout(images: tf.Tensor, centres: tf.Tensor, side: int) -> tf.Tensor:
    """Lays a grey square over each picture (DeVries and Taylor 2017).

    Args:
      images: [B, H, W, C] in [-1, 1].
      centres: [B, 2] int32 row and column of the squares, which end at the border.
      side: of the squares in pixels, even; rows centre - side / 2 and side - 1 more.
    """

    def near(axis: int) -> tf.Tensor:
        place = tf.range(images.shape[axis + 1]) - centres[:, axis, None]
        return (place >= -(side // 2)) & (place < side // 2)

    square = near(0)[:, :, None, None] & near(1)[:, None, :, None]
    laid = tf.where(square, tf.zeros([], images.dtype), images)
    return tf.ensure_shape(laid, images.shape)


def normalise(images: tf.Tensor, channel_order: str = "rgb") -> tf.Tensor:
    """Pictures of 0..255 as float32 in [-1, 1], channels reversed for 'bgr'."""
    if channel_order == "bgr":
        images = tf.reverse(images, axis=[-1])
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def random_transforms(
    kind: str,
    seed: tf.Tensor,
    batch: int,
    size: int,
    recipe: Recipe,
    pad: int = 4,
    mirrors: bool = True,
) -> tf.Tensor | None:
    """Transforms [B, 8] of ExperimentConfig.augmentation `kind`; None for 'none'."""
    if kind == "crop_flip":
        return crop_flip_transforms(seed, batch, size, pad, mirrors)
    if kind == "face":
        return face_transforms(seed, batch, size, recipe, mirrors)
    return None
