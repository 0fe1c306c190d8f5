"""Encoded bytes of unknown origin -> an upright RGB picture, or the reason why not.

The header is judged before any pixel is decoded, so a picture that would unpack to
gigabytes costs nothing. What each kind of file becomes:

kind of file                      becomes
JPEG, PNG, WebP, BMP, GIF, TIFF   8-bit RGB
grey, palette, 1 bit              RGB of the same shades
alpha                             laid over black, as the border of an aligned crop
CMYK, YCCK                        RGB by Pillow's conversion (no colour profile)
16-bit grey                       its upper 8 bits; 12 bits in 16 are set aside
HEIC                              8-bit RGB
EXIF orientation                  turned upright; landmarks count in the upright picture
animated                          set aside: one label can't be of many pictures
32-bit and floating point         set aside: their range is not known
zero bytes, cut off, no picture   set aside
sides below `min_side` pixels     set aside
more than `max_pixels` pixels     set aside, undecoded; of a JPEG see decode_scaled
"""

import dataclasses
import io
import struct
import warnings

import cv2
import numpy as np
import pillow_heif
import simplejpeg
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
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIF")
# As their files are named.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".heic", ".heif"),
)
pillow_heif.register_heif_opener()
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


# By what the side of a JPEG can be divided while it is decoded, and how many times
# max_pixels it may have then.
_REDUCTIONS, _MOST_OVER = (1, 2, 4, 8), 8
# 16-bit pictures darker than this are 12-bit ones, near black in their upper 8 bits.
_DEEP = 4096


def decode(data: bytes, limits: Limits = Limits()) -> np.ndarray:
    """The picture as uint8 [H, W, 3], RGB, upright.

    Raises:
      BadImage: see the module's table.
    """
    return _decoded(data, limits, 1)[0]


def decode_scaled(data: bytes, limits: Limits = Limits()) -> tuple[np.ndarray, int]:
    """`decode`, but a JPEG of more than max_pixels is reduced while it is decoded.

    Returns:
      The picture, and how many pixels of the file a side of one of its pixels spans:
      1, 2, 4 or 8.

    Raises:
      BadImage: see the module's table.
    """
    return _decoded(data, limits, max(_REDUCTIONS))


def _decoded(data: bytes, limits: Limits, most: int) -> tuple[np.ndarray, int]:
    if not data:
        raise BadImage(EMPTY, "the file holds no bytes")
    if len(data) > limits.max_bytes:
        raise BadImage(TOO_LARGE, f"{len(data)} bytes, at most {limits.max_bytes}")
    with warnings.catch_warnings():
        # Pillow's own limit only warns; ours is stricter and checked below.
        warnings.simplefilter("ignore")
        image = _open(data)
        factor = _check_header(image, limits, most)
        if image.format in ("JPEG", "MPO"):
            fast = _jpeg(data, image, factor)
            if fast is not None:
                return fast, factor
            if factor > 1:
                image.draft("RGB", [side // factor for side in image.size])
        return _pixels(image), factor


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage(TOO_LARGE, str(error)) from error
    except Image.UnidentifiedImageError as error:
        raise BadImage(NOT_AN_IMAGE, f"starts with {data[:8]!r}") from error
    except (OSError, ValueError, SyntaxError, struct.error, EOFError) as error:
        raise BadImage(TRUNCATED, str(error)) from error


def _check_header(image: Image.Image, limits: Limits, most: int) -> int:
    """By what a side is reduced, at most by `most`."""
    width, height = image.size
    pixels = width * height
    allowed = [n for n in _REDUCTIONS if pixels <= limits.max_pixels * n * n]
    factor = min(allowed, default=most + 1)
    # A JPEG may hold all its coefficients in memory, whatever its reduction.
    too_large = pixels > _MOST_OVER * limits.max_pixels
    if factor > most or (factor > 1 and (image.format != "JPEG" or too_large)):
        raise BadImage(
            TOO_LARGE,
            f"{width}x{height} pixels, at most {limits.max_pixels} are decoded",
        )
    if min(width, height) < limits.min_side:
        raise BadImage(
            TOO_SMALL, f"{width}x{height} pixels, at least {limits.min_side} a side"
        )
    # An MPO is a photograph with a preview or a second view behind it, not a film.
    if image.format != "MPO" and (frames := _frames(image)) > 1:
        raise BadImage(ANIMATED, f"{frames} frames in one {image.format}")
    return factor


def _frames(image: Image.Image) -> int:
    try:
        return image.n_frames if getattr(image, "is_animated", False) else 1
    except Exception as error:  # as in _pixels; the whole file is looked through
        raise BadImage(TRUNCATED, f"{type(error).__name__}: {error}") from error


def _jpeg(data: bytes, image: Image.Image, factor: int) -> np.ndarray | None:
    """The pixels of an upright RGB JPEG, None of another, which Pillow decodes.

    The same pixels as Pillow's in two thirds of the time; and it alone tells where the
    data end before the picture does, which others fill with grey.
    """
    plain = image.mode == "RGB" and image.getexif().get(ORIENTATION, 1) == 1
    sides = [max(1, side // factor) for side in image.size]
    space = {"L": "GRAY", "CMYK": "CMYK"}.get(image.mode, "RGB")
    try:
        pixels = simplejpeg.decode_jpeg(data, space, False, False, *sides[::-1], factor)
    except ValueError as error:
        if "premature" in str(error).lower():
            raise BadImage(TRUNCATED, str(error)) from error
        # Faults that leave the picture whole, such as bytes between its parts.
        return _forgiving(data) if plain and factor == 1 else None
    return pixels if plain else None


def _forgiving(data: bytes) -> np.ndarray | None:
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
        brightest = int(np.asarray(image).max(initial=0))
        if 0 < brightest < _DEEP:
            detail = f"16-bit grey no brighter than {brightest}: fewer bits in 16"
            raise BadImage(UNSUPPORTED, detail)
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
