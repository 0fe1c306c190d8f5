"""Eye centres -> the similarity transform that puts them where the paper does.

Coordinates are OpenCV's: (x, y) with x to the right, y downwards, and the centre of the
first pixel at (0, 0). The eye at the left of the picture comes first. A transform is a
[2, 3] matrix M that takes a source point p to M @ (x, y, 1) in the aligned square.

The picture is interpolated once, from its original pixels straight to the final size.
Where the face shrinks by k >= 2, one sample would skip pixels (alias), so first each
k x k block of original pixels is replaced by its mean, with k the largest whole number
that leaves the face at least as large as asked. That is the antialias filter of the one
interpolation: no pixel of the result is an interpolation of interpolated pixels.
"""

import math

import cv2
import numpy as np

Point = tuple[float, float]

LEFT_EYE = (0.3, 0.3)
RIGHT_EYE = (0.7, 0.3)

AUTHORS_2021_SIZE = 256


def similarity(
    eyes: tuple[Point, Point],
    size: int,
    left: Point = LEFT_EYE,
    right: Point = RIGHT_EYE,
) -> np.ndarray:
    """The rotation, scale and shift that take the eye centres to their places.

    Args:
      eyes: centres of the left and the right eye of the picture, in pixels.
      size: side of the aligned square in pixels.
      left, right: where the eyes go, as fractions of the side.

    Returns:
      float64 [2, 3].

    Raises:
      ValueError: the eyes coincide or are not finite.
    """
    source = complex(*eyes[1]) - complex(*eyes[0])
    if not (math.isfinite(source.real) and math.isfinite(source.imag)) or not source:
        raise ValueError(f"eye centres {eyes} coincide or are not finite")
    # In the complex plane a similarity is p -> a p + b.
    a = (complex(*right) - complex(*left)) * size / source
    b = complex(*left) * size - a * complex(*eyes[0])
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def authors_2021(eyes: tuple[Point, Point]) -> np.ndarray:
    """The transform of the 2021 code: to 256 px, from truncated eye centres.

    The centres are cut to whole pixels, and so is the point between them that is put
    at (0.5, 0.3), so the eyes land up to a pixel or two beside (0.3, 0.3)/(0.7, 0.3).

    Raises:
      ValueError: the truncated eyes coincide or are not finite.
    """
    if not all(math.isfinite(v) for eye in eyes for v in eye):
        raise ValueError(f"eye centres {eyes} are not finite")
    (x0, y0), (x1, y1) = ((int(x), int(y)) for x, y in eyes)
    distance = math.hypot(x1 - x0, y1 - y0)
    if distance == 0:
        raise ValueError(f"eye centres {eyes} coincide")
    scale = (RIGHT_EYE[0] - LEFT_EYE[0]) * AUTHORS_2021_SIZE / distance
    centre = ((x0 + x1) // 2, (y0 + y1) // 2)
    angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
    matrix[0, 2] += 0.5 * AUTHORS_2021_SIZE - centre[0]
    matrix[1, 2] += LEFT_EYE[1] * AUTHORS_2021_SIZE - centre[1]
    return matrix


def square(box: tuple[float, float, float, float], size: int) -> np.ndarray:
    """The scale and shift that fill the square with the smallest square around a box.

    Args:
      box: x, y, width, height in pixels; the edges of pixels, not their centres.
      size: side of the square in pixels.

    Raises:
      ValueError: the box is empty or not finite.
    """
    x, y, width, height = box
    side = max(width, height)
    if not all(map(math.isfinite, box)) or min(width, height) <= 0:
        raise ValueError(f"box {box} is empty or not finite")
    scale = size / side
    left = x + (width - side) / 2
    top = y + (height - side) / 2
    # Pixel edges are half a pixel from pixel centres, on both sides.
    return np.array(
        [
            [scale, 0.0, (0.5 - left) * scale - 0.5],
            [0.0, scale, (0.5 - top) * scale - 0.5],
        ]
    )


def centre_box(width: int, height: int) -> tuple[float, float, float, float]:
    """The largest centred square of a picture, as a box."""
    side = min(width, height)
    return ((width - side) / 2, (height - side) / 2, float(side), float(side))


def apply(matrix: np.ndarray, point: Point) -> Point:
    """Where a point of the source lands."""
    x, y = matrix @ (point[0], point[1], 1.0)
    return float(x), float(y)


def scale_of(matrix: np.ndarray) -> float:
    """Pixels of the aligned square per pixel of the source."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The aligned square, black where the source has no pixels.

    Args:
      image: uint8 [H, W, 3].
      matrix: float [2, 3].
      size: side in pixels.

    Returns:
      uint8 [size, size, 3]. Bicubic when the face grows, bilinear when it shrinks.
    """
    factor = min(int(1.0 / scale_of(matrix) + 1e-6), *image.shape[:2])
    if factor >= 2:
        image, matrix = block_mean(image, matrix, factor)
    flags = cv2.INTER_CUBIC if scale_of(matrix) > 1.0 else cv2.INTER_LINEAR
    return cv2.warpAffine(
        image, np.asarray(matrix, np.float64), (size, size), flags=flags
    )


def block_mean(
    image: np.ndarray, matrix: np.ndarray, factor: int
) -> tuple[np.ndarray, np.ndarray]:
    """The picture with each factor x factor block as its mean, and the same transform.

    Pixels beyond the last whole block are repeated to fill one.
    """
    height, width = image.shape[:2]
    bottom, right = -height % factor, -width % factor
    if bottom or right:
        image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    shape = (image.shape[1] // factor, image.shape[0] // factor)
    reduced = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
    # Centre of block u is source pixel factor * u + (factor - 1) / 2.
    offset = (factor - 1) / 2
    block = np.array([[factor, 0.0, offset], [0.0, factor, offset], [0.0, 0.0, 1.0]])
    return reduced, np.asarray(matrix) @ block


def warp_authors_2021(
    image: np.ndarray, eyes: tuple[Point, Point], size: int
) -> np.ndarray:
    """The crop of the 2021 code: bicubic to 256 px, then bilinear to `size`.

    Raises:
      ValueError: the eyes coincide or are not finite.
    """
    side = (AUTHORS_2021_SIZE, AUTHORS_2021_SIZE)
    crop = cv2.warpAffine(image, authors_2021(eyes), side, flags=cv2.INTER_CUBIC)
    if size == AUTHORS_2021_SIZE:
        return crop
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR)
