"""Encoded bytes of unknown origin -> an upright RGB picture, or the reason why not.

The header is judged before any pixel is decoded, so a picture that would unpack to
gigabytes costs nothing. What each kind of file becomes:

kind of file                      becomes
JPEG, PNG, WebP, BMP, GIF, TIFF   8-bit RGB
grey, palette, 1 bit              RGB of the same shades
alpha                             laid over black, as the border of an aligned crop
CMYK, YCCK                        RGB by Pillow's conversion (no colour profile)
16-bit grey                       its upper 8 bits
EXIF orientation                  turned upright; landmarks count in the upright picture
animated                          set aside: one label can't be of many pictures
32-bit and floating point         set aside: their range is not known
zero bytes, cut off, no picture   set aside
sides below `min_side` pixels     set aside
more than `max_pixels` pixels     set aside, undecoded
"""

import dataclasses
import functools
import io
import os
import re
import struct
import unicodedata
import warnings

import cv2
import numpy as np
from PIL import (  # noqa: F401  (a plugin registers its format when imported)
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# No others: some of Pillow's formats call outside programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
ORIENTATION = 0x0112

EMPTY = "zero bytes"
NOT_AN_IMAGE = "not an image"
TRUNCATED = "truncated or corrupt image"
ANIMATED = "animated image"
TOO_SMALL = "image too small"
TOO_LARGE = "image too large"
UNSUPPORTED = "unsupported pixel type"
MISSING = "missing file"
OUTSIDE = "path leaves the root"
UNREADABLE = "unreadable file"


class BadImage(Exception):
    """A picture that is set aside.

    Attributes:
      reason: one of this module's phrases, counted.
      detail: what was found.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclasses.dataclass(frozen=True)
class Limits:
    """What is decoded at all.

    Attributes:
      max_pixels: width times height; 50 million takes 150 MB decoded.
      max_bytes: of the encoded file.
      min_side: of the picture, in pixels.
    """

    max_pixels: int = 50_000_000
    max_bytes: int = 64 * 2**20
    min_side: int = 8


# A drive's or an address's beginning; elsewhere a colon is a letter like others.
_DRIVE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.\-]*:/")


def resolve(root: str, path: str) -> str:
    """The real path of a file named by a record.

    Raises:
      BadImage: it is absolute, or leaves the root by '..' or by a link.
    """
    relative = path.replace("\\", "/")
    if "\0" in relative or os.path.isabs(relative) or _DRIVE.match(relative):
        raise BadImage(OUTSIDE, f"{path!r} is not relative to the root")
    folder, name = os.path.split(relative)
    base, real = _real_folders(root, folder)
    real = os.path.join(real, name)
    if name in ("", ".", "..") or os.path.islink(real):
        real = os.path.realpath(real)
    if os.path.commonpath((base, real)) != base:
        raise BadImage(OUTSIDE, f"{path!r} stands outside {root}")
    return real


@functools.lru_cache(maxsize=4096)
def _real_folders(root: str, folder: str) -> tuple[str, str]:
    # Resolving links costs a system call for each folder on the way to each picture.
    base = os.path.realpath(root)
    return base, os.path.realpath(os.path.join(base, folder))


def find(root: str, path: str) -> str | None:
    """The real path of a file that is there, or None.

    A name is found whether its accents are letters of their own or marks (Unicode's
    forms NFC and NFD), as systems write them differently.

    Raises:
      BadImage: see resolve.
    """
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    for name in dict.fromkeys(forms):
        real = resolve(root, name)
        if os.path.exists(real):
            return real
    return None


def read_file(root: str, path: str, limits: Limits = Limits()) -> bytes:
    """The bytes of a picture that a record names.

    Raises:
      BadImage: outside the root, missing, no regular file, unreadable or too large.
    """
    real = find(root, path)
    if real is None:
        raise BadImage(MISSING, f"no file {path!r}")
    if not os.path.isfile(real):
        raise BadImage(UNREADABLE, f"{path!r} is not a file")
    size = os.path.getsize(real)
    if size > limits.max_bytes:
        raise BadImage(TOO_LARGE, f"{size} bytes, at most {limits.max_bytes} are read")
    try:
        with open(real, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadImage(UNREADABLE, f"{path!r}: {error.strerror}") from error


def decode(data: bytes, limits: Limits = Limits()) -> np.ndarray:
    """The picture as uint8 [H, W, 3], RGB, upright.

    Raises:
      BadImage: see the module's table.
    """
    if not data:
        raise BadImage(EMPTY, "the file holds no bytes")
    if len(data) > limits.max_bytes:
        raise BadImage(TOO_LARGE, f"{len(data)} bytes, at most {limits.max_bytes}")
    with warnings.catch_warnings():
        # Pillow's own limit only warns; ours is stricter and checked below.
        warnings.simplefilter("ignore")
        image = _open(data)
        _check_header(image, limits)
        fast = _upright_jpeg(data, image)
        return _pixels(image) if fast is None else fast


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage(TOO_LARGE, str(error)) from error
    except Image.UnidentifiedImageError as error:
        raise BadImage(NOT_AN_IMAGE, f"starts with {data[:8]!r}") from error
    except (OSError, ValueError, SyntaxError, struct.error, EOFError) as error:
        raise BadImage(TRUNCATED, str(error)) from error


def _check_header(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise BadImage(
            TOO_LARGE,
            f"{width}x{height} pixels, at most {limits.max_pixels} are decoded",
        )
    if min(width, height) < limits.min_side:
        raise BadImage(
            TOO_SMALL, f"{width}x{height} pixels, at least {limits.min_side} a side"
        )
    # An MPO is a photograph with a preview or a second view behind it, not a film.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise BadImage(ANIMATED, f"{image.n_frames} frames in one {image.format}")


def _upright_jpeg(data: bytes, image: Image.Image) -> np.ndarray | None:
    # OpenCV gives the same pixels as Pillow in two thirds of the time, and None where a
    # file in memory ends early; Pillow then says what is wrong.
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    if image.getexif().get(ORIENTATION, 1) != 1:
        return None
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def _pixels(image: Image.Image) -> np.ndarray:
    try:
        image.load()
        if image.format != "BMP" and image.getexif().get(ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
        return np.asarray(_to_rgb(image))
    except BadImage:
        raise
    except MemoryError as error:
        raise BadImage(TOO_LARGE, "does not fit in memory") from error
    except Exception as error:
        # Pillow's decoders raise whatever their format's parser stumbles over.
        detail = f"{type(error).__name__}: {error}"
        raise BadImage(TRUNCATED, detail) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise BadImage(UNSUPPORTED, f"mode {image.mode}: its range is not known")
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def encode(image: np.ndarray, image_format: str, quality: int = 95) -> bytes:
    """A uint8 [H, W, 3] RGB picture as PNG or JPEG bytes.

    Args:
      image: the picture.
      image_format: 'png' (lossless) or 'jpeg'.
      quality: of JPEG, 1 to 100, chroma at half resolution as usual.

    Raises:
      ValueError: another format.
    """
    bgr = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    if image_format == "png":
        return cv2.imencode(".png", bgr)[1].tobytes()
    if image_format == "jpeg":
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[
            1
        ].tobytes()
    raise ValueError(f"image_format {image_format!r} is neither 'png' nor 'jpeg'")
