"""Background, light and camera: all that is not the face."""

import functools
import itertools

import cv2
import numpy as np

from kfer.data.drawn_faces.parameters import Scene


@functools.lru_cache(maxsize=8)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y [side, side] float32 from -1 to 1."""
    line = np.linspace(-1.0, 1.0, side, dtype=np.float32)
    return np.broadcast_to(line, (side, side)), np.broadcast_to(
        line[:, None], (side, side)
    )


def _towards_light(scene: Scene, side: int) -> np.ndarray:
    """float32 [side, side]: how far each pixel lies along light_angle, in (x, y)."""
    x, y = _grid(side)
    along = np.cos(scene.light_angle) * x + np.sin(scene.light_angle) * y
    return along.astype(np.float32)


def _gradient(scene: Scene, picture: np.ndarray) -> None:
    low, high = (np.array(color, np.float32) for color in scene.colors[:2])
    t = np.clip(0.5 + 0.5 * _towards_light(scene, len(picture)), 0.0, 1.0)[..., None]
    picture[:] = (low + (high - low) * t).astype(np.uint8)


def _blobs(scene: Scene, picture: np.ndarray) -> None:
    side = len(picture)
    for i, (x, y, radius) in enumerate(scene.blobs):
        centre, color = (int(x * side), int(y * side)), scene.colors[1 + i % 2]
        cv2.circle(picture, centre, int(radius * side), color, -1, cv2.LINE_AA)


def _stripes(scene: Scene, picture: np.ndarray) -> None:
    side = len(picture)
    step = max(4, int(side * (0.12 + 0.2 * scene.blobs[0][2])))
    slant = int(side * np.tan(0.5 * np.sin(scene.light_angle)))
    for x in range(-side, 2 * side, 2 * step):
        top, low = (
            [[x, 0], [x + step, 0]],
            [[x + step + slant, side], [x + slant, side]],
        )
        cv2.fillPoly(picture, [np.array(top + low)], scene.colors[1], cv2.LINE_AA)


def _dots(scene: Scene, picture: np.ndarray) -> None:
    step = max(6, len(picture) // 6)
    middles = range(step // 2, len(picture), step)
    for centre in itertools.product(middles, middles):
        cv2.circle(picture, centre, step // 5, scene.colors[1], -1, cv2.LINE_AA)


_PAINTERS = {
    "gradient": _gradient,
    "blobs": _blobs,
    "stripes": _stripes,
    "dots": _dots,
}


def background(scene: Scene, side: int) -> np.ndarray:
    """uint8 [side, side, 3] to draw the head on."""
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = scene.colors[0]
    if scene.background in _PAINTERS:
        _PAINTERS[scene.background](scene, picture)
    return picture


def light_gain(scene: Scene, side: int) -> np.ndarray:
    """float32 [side, side, 3]: what the light multiplies every pixel by.

    It grows along light_angle, (cos, sin) in x to the right and y down, from 1 - light
    to 1 + light, times 1 + exposure and each channel's 1 + tint.
    """
    slope = scene.light * _towards_light(scene, side)
    channel = (1.0 + np.array(scene.tint, np.float32)) * np.float32(
        1.0 + scene.exposure
    )
    return (1.0 + slope)[..., None] * channel


def degrade(picture: np.ndarray, scene: Scene) -> np.ndarray:
    """Light, contrast, blur and noise of the scene.

    Args:
      picture: uint8 [side, side, 3] RGB.
      scene: its `noise_seed` makes the noise.

    Returns:
      uint8 [side, side, 3] RGB.
    """
    side = picture.shape[0]
    lit = picture.astype(np.float32) * light_gain(scene, side)
    lit = (lit - 128.0) * np.float32(scene.contrast) + 128.0
    sigma = scene.blur * side
    if sigma > 0.15:
        lit = cv2.GaussianBlur(lit, (0, 0), sigma)
    rng = np.random.default_rng(scene.noise_seed)
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    lit += noise * np.float32(scene.noise)
    return np.clip(np.rint(lit), 0.0, 255.0).astype(np.uint8)
