"""What becomes of each kind of file."""

import io
import os
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


@pytest.mark.parametrize(
    "path",
    ["../secret.png", "a/../../secret.png", "/etc/passwd", "C:/x.png", "a\0b", ".."],
)
def test_paths_that_leave_the_root_are_set_aside(tmp_path, path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(pictures.unusual()["png"])
    with pytest.raises(decode.BadImage) as error:
        decode.read_file(str(root), path)
    assert error.value.reason == decode.OUTSIDE


def test_links_out_of_the_root_are_set_aside(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    secret = tmp_path / "outside" / "secret.png"
    secret.write_bytes(pictures.unusual()["png"])
    os.symlink(secret, root / "file.png")
    os.symlink(tmp_path / "outside", root / "folder")
    for path in ("file.png", "folder/secret.png"):
        with pytest.raises(decode.BadImage) as error:
            decode.read_file(str(root), path)
        assert error.value.reason == decode.OUTSIDE


def test_links_inside_the_root_are_followed(tmp_path):
    data = pictures.unusual()["png"]
    (tmp_path / "a.png").write_bytes(data)
    os.symlink("a.png", tmp_path / "b.png")
    assert decode.read_file(str(tmp_path), "b.png") == data
    # A root that is itself a link is the user's choice.
    os.symlink(tmp_path, tmp_path.parent / f"{tmp_path.name}-link")
    root = f"{tmp_path}-link"
    assert decode.read_file(root, "a.png") == data


def test_missing_files_and_folders(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path, reason in (
        ("none.png", decode.MISSING),
        ("folder.png", decode.UNREADABLE),
        ("", decode.UNREADABLE),
    ):
        with pytest.raises(decode.BadImage) as error:
            decode.read_file(str(tmp_path), path)
        assert error.value.reason == reason


def test_encoding_png_is_lossless_and_jpeg_nearly():
    image = pictures.picture()
    got = decode.decode(decode.encode(image, "png"))
    np.testing.assert_array_equal(got, image)
    got = decode.decode(decode.encode(image, "jpeg"))
    assert np.abs(got.astype(int) - image).mean() < 4
    with pytest.raises(ValueError, match="neither 'png' nor 'jpeg'"):
        decode.encode(image, "gif")
