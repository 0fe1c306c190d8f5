"""What becomes of each kind of file."""

import io
import resource

import numpy as np
import pytest
from PIL import Image

from kfer.images import decode
from tests.preprocess import pictures

GREY = ("grey", "grey_alpha", "grey_16_bit")


@pytest.mark.parametrize("name", sorted(pictures.bad()))
def test_bad_kinds_are_set_aside_with_their_reason(name):
    data, reason = pictures.bad()[name]
    with pytest.raises(decode.BadImage) as error:
        decode.decode(data)
    assert error.value.reason == reason
    assert error.value.detail


@pytest.mark.parametrize("name", sorted(pictures.unusual()))
def test_unusual_kinds_decode_to_the_same_picture(name):
    got = decode.decode(pictures.unusual()[name])
    expected = pictures.picture().astype(int)
    if name in GREY:
        grey = np.asarray(pictures.rgb().convert("L")).astype(int)
        expected = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    assert got.dtype == np.uint8 and got.shape == expected.shape
    # Lossy kinds differ a little; a swapped channel or a turn differs by far more.
    assert np.abs(got - expected).mean() < (0.01 if name in (*GREY, "png") else 5)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_both_jpeg_decoders_give_the_same_pixels(subsampling, progressive):
    rng = np.random.default_rng(subsampling)
    image = Image.fromarray(rng.integers(0, 256, (57, 83, 3), np.uint8))
    data = pictures.encoded(
        image, "JPEG", subsampling=subsampling, progressive=progressive
    )
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(decode.decode(data), expected)
    np.testing.assert_array_equal(decode.decode(data + b"trailing"), expected)


def test_jpeg_that_lacks_its_last_tenth_is_no_whole_file():
    data = pictures.unusual()["jpeg"]
    assert decode.decode(data).shape == (50, 60, 3)
    with pytest.raises(decode.BadImage, match="truncated or corrupt image"):
        decode.decode(data[: len(data) * 9 // 10])


def test_alpha_lies_over_black():
    image = Image.new("RGBA", (20, 20), (200, 100, 50, 128))
    got = decode.decode(pictures.encoded(image, "PNG"))
    # 200 * 128 / 255 = 100.4
    np.testing.assert_allclose(got[0, 0], (100, 50, 25), atol=1)


def test_sixteen_bits_keep_their_upper_half():
    values = np.array([[0x1234, 0xFF00]] * 10, np.uint16).repeat(5, axis=1)
    got = decode.decode(pictures.encoded(Image.fromarray(values), "PNG"))
    assert got[0, 0].tolist() == [0x12] * 3 and got[0, -1].tolist() == [0xFF] * 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_becomes_upright(orientation):
    # Where the stored picture's first pixel stands in the upright one, by the standard:
    # row and column of 0th row and 0th column.
    corner = {
        1: (0, 0),
        2: (0, -1),
        3: (-1, -1),
        4: (-1, 0),
        5: (0, 0),
        6: (0, -1),
        7: (-1, -1),
        8: (-1, 0),
    }[orientation]
    values = np.zeros((20, 30, 3), np.uint8)
    values[:8, :8] = 255
    data = pictures.encoded(
        Image.fromarray(values), "JPEG", quality=95, exif=pictures.exif(orientation)
    )
    got = decode.decode(data)
    assert got.shape[:2] == ((20, 30) if orientation < 5 else (30, 20))
    assert got[corner].min() > 200
    assert (got > 128).all(axis=2).sum() == pytest.approx(64, abs=8)


def test_a_bomb_is_refused_before_its_pixels_are_made():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(decode.BadImage, match=r"image too large: .*1200000000"):
        decode.decode(pictures.png_header(40_000, 30_000))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50 * 1024  # kB; decoded it would be 3.6 GB


def test_limits_are_the_callers():
    data = pictures.encoded(pictures.rgb(), "PNG")
    decode.decode(data, decode.Limits(max_pixels=3000))
    with pytest.raises(decode.BadImage, match="60x50 pixels, at most 2999"):
        decode.decode(data, decode.Limits(max_pixels=2999))
    with pytest.raises(decode.BadImage, match="image too large"):
        decode.decode(data, decode.Limits(max_bytes=len(data) - 1))


def test_encoding_png_is_lossless_and_jpeg_nearly():
    image = pictures.picture()
    got = decode.decode(decode.encode(image, "png"))
    np.testing.assert_array_equal(got, image)
    got = decode.decode(decode.encode(image, "jpeg"))
    assert np.abs(got.astype(int) - image).mean() < 4
    with pytest.raises(ValueError, match="neither 'png' nor 'jpeg'"):
        decode.encode(image, "gif")


def test_a_jpeg_filled_with_grey_is_no_whole_file():
    data = pictures.unusual()["jpeg"]
    with pytest.raises(decode.BadImage, match="premature end"):
        decode.decode(data[: len(data) // 2] + b"\xff\xd9")
    # Bytes between its parts leave the picture whole.
    padded = data[:-2] + b"\0\0\0" + data[-2:]
    np.testing.assert_array_equal(decode.decode(padded), decode.decode(data))


def test_twelve_bits_in_sixteen_are_set_aside():
    deep = np.full((20, 20), 4095, np.uint16)
    data = pictures.encoded(Image.fromarray(deep), "PNG")
    with pytest.raises(decode.BadImage, match="no brighter than 4095: fewer bits"):
        decode.decode(data)


def test_large_jpegs_are_reduced_while_they_are_decoded():
    smooth = Image.linear_gradient("L").resize((160, 80)).convert("RGB")
    exif = Image.Exif()
    exif[decode.ORIENTATION] = 6
    for extra in ({}, {"exif": exif}):
        data = pictures.encoded(smooth, "JPEG", quality=95, **extra)
        whole = decode.decode(data).astype(int)
        limits = decode.Limits(max_pixels=80 * 40 - 1)
        got, factor = decode.decode_scaled(data, limits)
        assert factor == 4 and got.shape[:2] == tuple(n // 4 for n in whole.shape[:2])
        means = whole[::, ::].reshape(got.shape[0], 4, got.shape[1], 4, 3)
        assert np.abs(means.mean(axis=(1, 3)) - got).mean() < 2
    with pytest.raises(decode.BadImage, match="image too large"):
        decode.decode(data, limits)
    with pytest.raises(decode.BadImage, match="image too large"):
        decode.decode_scaled(pictures.encoded(smooth, "PNG"), limits)


def test_heic_is_read():
    smooth = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    data = pictures.encoded(smooth, "HEIF", quality=95)
    assert np.abs(decode.decode(data).astype(int) - np.asarray(smooth)).mean() < 4
    with pytest.raises(decode.BadImage):
        decode.decode(data[:200])
