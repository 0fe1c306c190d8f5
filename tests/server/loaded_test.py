"""A version in memory says what its exported signatures say."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from kfer.errors import UserError
from kfer.images import decode
from kfer.server.loaded import LoadedModel, fingerprint
from tests import runs


@pytest.fixture(scope="module")
def model():
    return LoadedModel(runs.model(), 7)


def test_pictures_are_prepared_as_serving_default_prepares_them(model):
    limits = decode.Limits()
    images = np.stack([model.prepare(data, limits) for data in runs.encoded()])
    np.testing.assert_allclose(images, runs.images(), atol=1e-6)
    found = model.answer(images)
    np.testing.assert_allclose(
        found["expression"], runs.expected()["expression"], atol=1e-4
    )
    assert (model.version, model.size) == (7, 32)


def test_signatures_name_fields_without_a_value_too(model):
    found = model.signatures["signature_def"]["serving_default"]["inputs"]
    assert found["image_bytes"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}],
        "unknown_rank": False,
    }


def test_a_large_jpeg_gets_the_same_numbers_as_from_serving_default(model):
    import tensorflow as tf

    ramp = np.linspace(0, 255, 300).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp, ramp[:200, None], 0), axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG")
    signature = model._loaded.signatures["serving_default"]
    wanted = signature(image_bytes=tf.constant([buffer.getvalue()]))
    prepared = model.prepare(buffer.getvalue(), decode.Limits())
    found = model.answer(prepared[None])
    np.testing.assert_allclose(found["expression"], wanted["expression"], atol=1e-6)


def test_a_picture_on_its_side_is_turned_upright(model):
    pixels = runs.pixels(runs.encoded()[0])
    exif = Image.Exif()
    exif[0x0112] = 3
    buffer = io.BytesIO()
    Image.fromarray(pixels[::-1, ::-1]).save(buffer, "PNG", exif=exif)
    found = model.prepare(buffer.getvalue(), decode.Limits())
    np.testing.assert_allclose(found, pixels / 127.5 - 1, atol=1e-6)


def test_damage_in_the_pixels_is_a_bad_image(model):
    good = runs.encoded()[0]
    with pytest.raises(decode.BadImage, match="truncated or corrupt image"):
        model.prepare(good[: len(good) // 2], decode.Limits())


def test_the_mark_follows_the_files(tmp_path):
    path = tmp_path / "model"
    shutil.copytree(runs.model(), path)
    first = fingerprint(str(path))
    assert first == fingerprint(str(path)) and len(first) == 2
    (path / "saved_model.pb").write_bytes(b"\xff\xff")
    assert fingerprint(str(path)) != first
    with pytest.raises(UserError, match="is damaged"):
        LoadedModel(str(path), 1)
    shutil.rmtree(path)
    assert fingerprint(str(path)) == ()
