"""One annotated picture -> one aligned record, or the reason why not."""

import dataclasses
import hashlib
import math
from typing import NamedTuple

import numpy as np

from kfer.data import reasons
from kfer.data.record import RawExample, Record, Rejected
from kfer.errors import UserError
from kfer.faces import detectors, framing
from kfer.faces.detectors import Detector
from kfer.faces.face import Face
from kfer.images import alignment, decode, files
from kfer.images.alignment import Point

ALIGNMENTS = ("eyes", "authors_2021", "box", "none")
IMAGE_FORMATS = ("jpeg", "png")

# How a face was found; the record's `alignment`, counted.
LANDMARKS = "landmarks"
DETECTED = "detected"
BOX = "box"
CENTRE = "centre"
AS_GIVEN = "as_given"

# Faces are looked for in the box and this share of it on each side.
BOX_MARGIN = 0.25
MIN_EYE_DISTANCE = 2.0
# An eye of a face that is cut off may lie this share of a side beside the picture.
EYE_MARGIN = 0.25
# No face is smaller; a box in shares of the picture's sides is.
MIN_BOX = 4.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """What becomes of a picture.

    Attributes:
      root: folder that image paths are relative to; mounted alike on every worker.
      image_size: side of the stored square in pixels.
      alignment: 'eyes' puts the eye centres at (0.3, 0.3) and (0.7, 0.3);
        'authors_2021' repeats the 2021 code; 'box' cuts the face upright as
        kfer.faces.framing does AS_GIVEN; 'none' keeps the picture's largest centred
        square.
      detect_eyes: whether faces are looked for where the data set gives no eyes, or,
        for 'box', no box.
      detector: that looks for them, a key of kfer.faces.detectors.DETECTORS.
      use_boxes: whether boxes are of these pictures, not of what they were cut from.
      image_format: 'jpeg' or 'png'.
      jpeg_quality: 1 to 100.
      limits: of what is decoded.
    """

    root: str
    image_size: int = 64
    alignment: str = "eyes"
    detect_eyes: bool = True
    detector: str = detectors.DEFAULT
    use_boxes: bool = True
    image_format: str = "jpeg"
    jpeg_quality: int = 95
    limits: decode.Limits = dataclasses.field(default_factory=decode.Limits)

    def __post_init__(self):
        for field, allowed in (
            ("alignment", ALIGNMENTS),
            ("image_format", IMAGE_FORMATS),
            ("detector", detectors.DETECTORS),
        ):
            if getattr(self, field) not in allowed:
                raise UserError(
                    f"{field} {getattr(self, field)!r} is none of {', '.join(allowed)}"
                )
        if not 8 <= self.image_size <= 1024:
            raise UserError(f"image_size {self.image_size} is not in 8..1024")
        if not 1 <= self.jpeg_quality <= 100:
            raise UserError(f"jpeg_quality {self.jpeg_quality} is not in 1..100")


class Prepared(NamedTuple):
    """A record and what tells its picture from others."""

    record: Record
    fingerprint: bytes  # BLAKE2b hash of the picture as stored, 16 bytes


class Placed(NamedTuple):
    """Where a face is."""

    status: str
    eyes: tuple[Point, ...]  # two, or none
    box: tuple[float, ...]  # x, y, width, height to fill the square with, or ()


def prepare(
    example: RawExample, settings: Settings, detector: Detector
) -> Prepared | Rejected:
    """Decodes, aligns and encodes one picture.

    Args:
      example: of a reader.
      settings: see Settings.
      detector: the worker's.
    """
    try:
        picture, factor = load(example, settings)
        seen = reduced(example, factor)
        placed = place(picture, seen, settings, detector)
        aligned = crop(picture, placed, settings)
    except decode.BadImage as error:
        return Rejected(example.image_id, error.reason, error.detail, example.source)
    data = decode.encode(aligned, settings.image_format, settings.jpeg_quality)
    record = Record(
        example.image_id,
        data,
        example.labels,
        example.clean,
        example.source,
        example.box,
        placed.status,
    )
    # Of the encoded picture: it follows from the pixels and is a tenth of their size.
    return Prepared(record, hashlib.blake2b(data, digest_size=16).digest())


def load(example: RawExample, settings: Settings) -> tuple[np.ndarray, int]:
    """The example's picture as uint8 [H, W, 3] RGB, and by what its sides are reduced.

    Raises:
      BadImage: it can't be read or decoded.
    """
    if isinstance(example.image, np.ndarray):
        return example.image, 1
    data = example.image
    if isinstance(data, str):
        data = files.read_file(settings.root, data, settings.limits)
    return decode.decode_scaled(data, settings.limits)


def reduced(example: RawExample, factor: int) -> RawExample:
    """The example with its eyes and box in pixels of the reduced picture."""
    if factor == 1:
        return example
    offset = (factor - 1) / 2  # from a pixel's centre to that of its block
    eyes = tuple(
        ((x - offset) / factor, (y - offset) / factor) for x, y in example.eyes
    )
    return example._replace(eyes=eyes, box=tuple(v / factor for v in example.box))


def place(
    picture: np.ndarray,
    example: RawExample,
    settings: Settings,
    detector: Detector,
) -> Placed:
    """Finds the face: the data set's eyes, else a detector, else its box, else the
    centre; with alignment 'box', its box, else a detector, else the centre.

    Raises:
      BadImage: the data set's eyes can't be those of a face in this picture.
    """
    height, width = picture.shape[:2]
    if settings.alignment == "none":
        return Placed(AS_GIVEN, (), alignment.centre_box(width, height))
    if settings.alignment == "box":
        return _boxed(picture, example, settings, detector)
    if example.eyes:
        check_eyes(example.eyes, width, height)
        return Placed(LANDMARKS, example.eyes, ())
    if example.box and settings.use_boxes:
        check_box(example.box, width, height)
    if settings.detect_eyes:
        found = _search(picture, example.box, detector)
        if eyes := next((face.eyes for face in found if face.eyes), None):
            return Placed(DETECTED, eyes, ())
        if _inside(example.box, width, height):
            return Placed(BOX, (), example.box)
        return Placed(CENTRE, (), alignment.centre_box(width, height))
    if example.box and settings.use_boxes:
        return Placed(BOX, (), example.box)
    return Placed(AS_GIVEN, (), alignment.centre_box(width, height))


def _boxed(
    picture: np.ndarray, example: RawExample, settings: Settings, detector: Detector
) -> Placed:
    height, width = picture.shape[:2]
    if example.box and settings.use_boxes:
        check_box(example.box, width, height)
        return Placed(BOX, (), framing.widened(example.box))
    if not settings.detect_eyes:
        return Placed(AS_GIVEN, (), alignment.centre_box(width, height))
    if found := detector.detect(picture):
        return Placed(DETECTED, (), framing.widened(found[0].box))
    return Placed(CENTRE, (), alignment.centre_box(width, height))


def check_box(box: tuple[float, ...], width: int, height: int) -> None:
    """Raises BadImage if a box is no part of the picture, or not in pixels."""
    shown = ";".join(f"{value:g}" for value in box)
    if not _inside(box, width, height):
        detail = f"box {shown} lies outside {width}x{height} pixels"
        raise decode.BadImage(reasons.BAD_BOX, detail)
    if min(box[2:]) < MIN_BOX:
        detail = f"box {shown} of {width}x{height} pixels is too small to be in pixels"
        raise decode.BadImage(reasons.BAD_BOX, detail)


def check_eyes(eyes: tuple[Point, ...], width: int, height: int) -> None:
    """Raises BadImage if the eyes coincide, are swapped or lie beside the picture."""
    (x0, y0), (x1, y1) = eyes
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise decode.BadImage(reasons.BAD_LANDMARKS, f"eye centres {eyes}")
    if math.hypot(x1 - x0, y1 - y0) < MIN_EYE_DISTANCE:
        raise decode.BadImage(reasons.NOT_ALIGNABLE, f"eye centres {eyes} coincide")
    if x1 < x0:
        detail = f"the left eye, at x {x0:g}, is right of the right one, at {x1:g}"
        raise decode.BadImage(reasons.SWAPPED_EYES, detail)
    margin_x, margin_y = EYE_MARGIN * width, EYE_MARGIN * height
    beside = not all(
        -margin_x <= x < width + margin_x and -margin_y <= y < height + margin_y
        for x, y in eyes
    )
    if beside or not (0 <= (x0 + x1) / 2 < width and 0 <= (y0 + y1) / 2 < height):
        detail = f"eye centres {eyes} lie outside {width}x{height} pixels"
        raise decode.BadImage(reasons.BAD_LANDMARKS, detail)


def _inside(box: tuple[float, ...], width: int, height: int) -> bool:
    if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
        return False
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return 0 <= x < width and 0 <= y < height


def _search(
    picture: np.ndarray, box: tuple[float, ...], detector: Detector
) -> list[Face]:
    """The faces in the box and its surroundings, else in the picture, largest first."""
    height, width = picture.shape[:2]
    if not _inside(box, width, height):
        return detector.detect(picture)
    x, y, w, h = box
    left = max(0, round(x - BOX_MARGIN * w))
    top = max(0, round(y - BOX_MARGIN * h))
    right = min(width, round(x + (1 + BOX_MARGIN) * w))
    bottom = min(height, round(y + (1 + BOX_MARGIN) * h))
    if min(right - left, bottom - top) < 24:
        return []
    found = detector.detect(np.ascontiguousarray(picture[top:bottom, left:right]))
    return [face.moved(left, top) for face in found]


def crop(picture: np.ndarray, placed: Placed, settings: Settings) -> np.ndarray:
    """The aligned square, uint8 [image_size, image_size, 3].

    Raises:
      BadImage: the eyes coincide.
    """
    size = settings.image_size
    try:
        if placed.eyes and settings.alignment == "authors_2021":
            return alignment.warp_authors_2021(picture, placed.eyes, size)
        if placed.eyes:
            matrix = alignment.similarity(placed.eyes, size)
        else:
            matrix = alignment.square(placed.box, size)
    except ValueError as error:
        raise decode.BadImage(reasons.NOT_ALIGNABLE, str(error)) from error
    if (
        picture.shape[:2] == (size, size)
        and not placed.eyes
        and _is_whole(placed, size)
    ):
        return picture
    return alignment.warp(picture, matrix, size)


def _is_whole(placed: Placed, size: int) -> bool:
    return placed.box == (0.0, 0.0, float(size), float(size))
