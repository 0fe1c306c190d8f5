"""Encoded pictures of every kind, good and bad, for tests."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from kfer.data.fake_roots import faces


def picture(width: int = 60, height: int = 50) -> np.ndarray:
    """A drawn face, uint8 [height, width, 3] RGB."""
    return faces.face(np.random.default_rng(7), width, height)[0]


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """The image in a format of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rgb() -> Image.Image:
    """The drawn face as a Pillow image."""
    return Image.fromarray(picture())


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing: a decompression bomb in small."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


def exif(orientation: int) -> Image.Exif:
    """EXIF data with an orientation."""
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def animated(kind: str) -> bytes:
    """Three frames."""
    frames = [Image.new("RGB", (40, 40), (60 * i, 0, 0)) for i in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def bad() -> dict[str, tuple[bytes, str]]:
    """Name -> (bytes, the reason under which they are set aside)."""
    jpeg, png, gif = (encoded(rgb(), kind) for kind in ("JPEG", "PNG", "GIF"))
    return {
        "zero_bytes": (b"", "zero bytes"),
        "text": (b"this is no picture\n", "not an image"),
        "html": (b"<!doctype html><title>404</title>", "not an image"),
        "zeros": (bytes(4000), "not an image"),
        "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not an image"),
        "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image"),
        "jpeg_cut": (jpeg[: len(jpeg) // 2], "truncated or corrupt image"),
        "jpeg_header_only": (jpeg[:20], "not an image"),
        "png_cut": (png[: len(png) // 2], "truncated or corrupt image"),
        "png_flipped": (_flip(png, len(png) // 2), "truncated or corrupt image"),
        "gif_cut": (gif[: len(gif) * 3 // 4], "truncated or corrupt image"),
        "gif_animated": (animated("GIF"), "animated image"),
        "webp_animated": (animated("WEBP"), "animated image"),
        "apng": (animated("PNG"), "animated image"),
        "one_pixel": (encoded(Image.new("RGB", (1, 1)), "PNG"), "image too small"),
        "strip": (encoded(Image.new("RGB", (300, 2)), "PNG"), "image too small"),
        "gigapixel": (png_header(40_000, 30_000), "image too large"),
        "bomb": (png_header(2_000_000, 2_000_000), "image too large"),
        "float": (encoded(Image.new("F", (40, 40)), "TIFF"), "unsupported pixel type"),
        "int32": (encoded(Image.new("I", (40, 40)), "TIFF"), "unsupported pixel type"),
    }


def _flip(data: bytes, index: int) -> bytes:
    return (
        data[:index]
        + bytes(b ^ 0xFF for b in data[index : index + 40])
        + data[index + 40 :]
    )


def unusual() -> dict[str, bytes]:
    """Name -> bytes that decode to the drawn face, up to the losses of their kind."""
    image = rgb()
    grey16 = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    turned = image.transpose(Image.Transpose.ROTATE_90)
    return {
        "jpeg": encoded(image, "JPEG", quality=95),
        "progressive": encoded(image, "JPEG", quality=95, progressive=True),
        "png": encoded(image, "PNG"),
        "webp": encoded(image, "WEBP", lossless=True),
        "bmp": encoded(image, "BMP"),
        "tiff": encoded(image, "TIFF"),
        "gif": encoded(image, "GIF"),
        "palette": encoded(image.quantize(256), "PNG"),
        "alpha": encoded(image.convert("RGBA"), "PNG"),
        "cmyk": encoded(image.convert("CMYK"), "JPEG", quality=95),
        "grey": encoded(image.convert("L"), "PNG"),
        "grey_alpha": encoded(image.convert("LA"), "PNG"),
        "grey_16_bit": encoded(grey16, "PNG"),
        # Orientation 6: the stored rows are the upright picture's columns.
        "exif_turned": encoded(turned, "JPEG", quality=95, exif=exif(6)),
        "jpeg_in_disguise": encoded(image, "PNG"),
    }
