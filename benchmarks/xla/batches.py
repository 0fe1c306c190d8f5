"""Batches from data.npz: shuffled, augmented, with their noise (needs jax).

Order and noise are functions of the seed and the step alone, so training goes on after
a stop as if there had been none. The augmentation is kfer.data.augment's, drawn from
jax's generator.
"""

import functools
import hashlib
import io
import math
import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def load(folder: str, pictures: str) -> dict[str, np.ndarray]:
    """The arrays of data.npz, and the pictures where they lie apart.

    Args:
      folder: what export_step.py wrote.
      pictures: of map.json: the other file's path from there, or ''.

    Raises:
      ValueError: the pictures are not those that the labels are of.
    """
    with np.load(os.path.join(folder, "data.npz"), allow_pickle=False) as stored:
        data = {name: stored[name] for name in stored}
    if not pictures:
        return data
    path = os.path.normpath(os.path.join(folder, pictures))
    with np.load(path, allow_pickle=False) as stored:
        apart = {name: stored[name] for name in stored}
    for split in ("train", "test"):
        if str(apart[f"{split}/order"]) != str(data[f"{split}/order"]):
            raise ValueError(f"{path} holds other {split} pictures than {folder}")
    return data | apart


def read_images(data: Any, split: str) -> np.ndarray:
    """uint8 [N, S, S, 3] RGB of a split; encoded pictures need Pillow.

    Says so where they decode to other pixels than on the machine that packed them.
    """
    if f"{split}/image" in data:
        return data[f"{split}/image"]
    pictures = _decoded(data, split)
    known = str(data.get(f"{split}/digest", ""))
    if known and hashlib.sha256(pictures.tobytes()).hexdigest() != known:
        print(f"{split}: this Pillow decodes the JPEGs to other pixels", flush=True)
    return pictures


def _decoded(data: Any, split: str) -> np.ndarray:
    import PIL.Image

    packed, ends = data[f"{split}/bytes"], data[f"{split}/ends"]
    begins = np.concatenate([[0], ends[:-1]])
    return np.stack(
        [
            np.asarray(PIL.Image.open(io.BytesIO(packed[a:b].tobytes())).convert("RGB"))
            for a, b in zip(begins, ends, strict=True)
        ]
    )


def columns(data: Any, split: str) -> dict[str, np.ndarray]:
    """'labels/NAME' and 'mask/NAME' of a split, as the modules' inputs are named."""
    found = {}
    for name in data:
        if name.startswith(f"{split}/label/"):
            found[name.replace(f"{split}/label", "labels", 1)] = data[name]
        if name.startswith(f"{split}/mask/"):
            found[name.replace(f"{split}/mask", "mask", 1)] = data[name]
    return found


class Batches:
    """Training batches by step.

    Args:
      data: of data.npz.
      config: of map.json.
      parts: of map.json's modules: the train step's batch.
    """

    def __init__(self, data: Any, config: dict[str, Any], parts: list[dict[str, Any]]):
        self.config = config
        self.size = config["batch_size"]
        self.shapes = {part["name"]: part["shape"] for part in parts}
        self.images = jax.device_put(read_images(data, "train"))
        self.columns = columns(data, "train")
        self.count = len(self.images)
        self.steps_per_epoch = self.count // self.size
        if not self.steps_per_epoch:
            raise ValueError(f"{self.count} pictures are fewer than a batch")
        self.key = jax.random.key(config["seed"])

    def rows(self, step: int) -> np.ndarray:
        """[B]: which examples make the batch; the rest of an epoch is dropped."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.arange(self.count)
        if self.config["recipe"]["shuffle"]:
            random = np.random.default_rng([self.config["seed"], epoch])
            order = random.permutation(self.count)
        return order[place * self.size : (place + 1) * self.size]

    def __call__(self, step: int) -> dict[str, Any]:
        """The step's batch by name."""
        rows = self.rows(step)
        keys = jax.random.split(jax.random.fold_in(self.key, step), 4)
        pictures = pictures_of(self.images, rows, keys[0], _settings(self.config))
        noise = {
            f"noise/{name}": draw(key, self.shapes[f"noise/{name}"], jnp.float32)
            for name, draw, key in (
                ("y0_encoder", jax.random.normal, keys[1]),
                ("y0_decoder", jax.random.normal, keys[2]),
                ("dropout", jax.random.uniform, keys[3]),
            )
        }
        chosen = {name: column[rows] for name, column in self.columns.items()}
        return {"image": pictures, "index": rows, **chosen, **noise}


def _settings(config: dict[str, Any]) -> tuple[Any, ...]:
    """What the augmentation depends on, hashable."""
    recipe = config["recipe"]
    return (
        config["augmentation"],
        recipe["channel_order"],
        recipe["augment_interpolation"],
        recipe["shifted_mirror"],
        recipe["face_translation"],
    )


@functools.partial(jax.jit, static_argnames="settings")
def pictures_of(
    images: jax.Array, rows: jax.Array, key: jax.Array, settings: tuple[Any, ...]
) -> jax.Array:
    """float32 [B, S, S, 3] in [-1, 1]: these rows, augmented."""
    kind, channel_order, interpolation, shifted, reach = settings
    chosen = images[rows].astype(jnp.float32)
    count, side = chosen.shape[:2]
    if kind == "crop_flip":
        chosen = warp(chosen, crop_flip(key, count, side), "nearest")
    elif kind == "face":
        transforms = face(key, count, side, shifted, reach * side or 10.0)
        chosen = warp(chosen, transforms, interpolation)
    return normalise(chosen, channel_order)


def normalise(images: jax.Array, channel_order: str) -> jax.Array:
    """0..255 RGB -> [-1, 1] in the recipe's channel order."""
    if channel_order == "bgr":
        images = images[..., ::-1]
    return images.astype(jnp.float32) / 127.5 - 1.0


def crop_flip(key: jax.Array, count: int, side: int, pad: int = 4) -> jax.Array:
    """[B, 2, 3]: shifts by up to `pad` whole pixels, mirrored with probability 1/2."""
    for_shift, for_mirror = jax.random.split(key)
    shift = jax.random.randint(for_shift, (2, count), -pad, pad + 1)
    shift = shift.astype(jnp.float32)
    sign, start = _mirror(for_mirror, count, side - 1.0)
    zero, one = jnp.zeros(count), jnp.ones(count)
    return _affine((sign, zero, start + shift[0]), (zero, one, shift[1]))


def face(
    key: jax.Array, count: int, side: int, shifted_mirror: bool, reach: float
) -> jax.Array:
    """[B, 2, 3]: rotation within 10 degrees, zoom in 0.9..1.1, shift within `reach`
    pixels on either axis, about the centre, mirrored with probability 1/2."""
    keys = jax.random.split(key, 4)
    limit = math.radians(10.0)
    angle = _uniform(keys[0], (count,), -limit, limit)
    zoom = _uniform(keys[1], (count,), 0.9, 1.1)
    shift = _uniform(keys[2], (2, count), -reach, reach)
    sign, start = _mirror(keys[3], count, side - (0.0 if shifted_mirror else 1.0))
    centre = (side - 1) / 2
    cosine, sine = jnp.cos(angle) / zoom, jnp.sin(angle) / zoom
    from_x, from_y = start - centre - shift[0], -centre - shift[1]
    return _affine(
        (sign * cosine, -sine, cosine * from_x - sine * from_y + centre),
        (sign * sine, cosine, sine * from_x + cosine * from_y + centre),
    )


def _uniform(key: jax.Array, shape: tuple, low: float, high: float) -> jax.Array:
    return jax.random.uniform(key, shape, jnp.float32, low, high)


def _mirror(key: jax.Array, count: int, last: float) -> tuple[jax.Array, jax.Array]:
    mirrored = _uniform(key, (count,), 0.0, 1.0) < 0.5
    return jnp.where(mirrored, -1.0, 1.0), jnp.where(mirrored, last, 0.0)


def _affine(*rows: tuple[jax.Array, ...]) -> jax.Array:
    stacked = jnp.stack([jnp.stack(row, -1) for row in rows], -2)
    return stacked.astype(jnp.float32)


def warp(images: jax.Array, transforms: jax.Array, interpolation: str) -> jax.Array:
    """Output pixel (x, y) reads input pixel A (x, y, 1); outside is 0.

    Args:
      images: float32 [B, S, S, C].
      transforms: [B, 2, 3].
      interpolation: 'bilinear' or 'nearest'.
    """
    side = images.shape[1]
    x, y = jnp.meshgrid(jnp.arange(side), jnp.arange(side))
    grid = jnp.stack([x, y, jnp.ones_like(x)]).astype(jnp.float32)
    place = jnp.einsum("bij,jhw->ibhw", transforms, grid, precision="highest")
    if interpolation == "nearest":
        return _read(images, *jnp.round(place))
    low = jnp.floor(place)
    part = place - low
    total = jnp.zeros_like(images)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = (part[0] if dx else 1 - part[0]) * (part[1] if dy else 1 - part[1])
            total += weight[..., None] * _read(images, low[0] + dx, low[1] + dy)
    return total


def _read(images: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Pixels at whole positions [B, S, S], 0 outside."""
    side = images.shape[1]
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    column = jnp.clip(x, 0, side - 1).astype(jnp.int32)
    row = jnp.clip(y, 0, side - 1).astype(jnp.int32)
    batch = jnp.arange(len(images))[:, None, None]
    return images[batch, row, column] * inside[..., None]
