"""Pictures become what training saw."""

import dataclasses

import numpy as np
import pytest

import kfer
from kfer.data import input_pipeline, rewrite
from kfer.errors import UserError
from kfer.python import pixels
from tests import runs


def pictures(count=5):
    return np.random.default_rng(0).integers(0, 256, (count, 50, 40, 3), np.uint8)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_same_numbers_as_from_the_data_set(tmp_path, order):
    import cv2

    images = pictures()
    data = kfer.data.from_arrays(
        images, np.arange(5) % 2, split=["train"] * 5, image_size=40, verbose=False
    )
    run = runs.run_config()
    run = dataclasses.replace(
        run, recipe=dataclasses.replace(run.recipe, channel_order=order)
    )
    (stored,) = input_pipeline.image_batches(data, run)
    place = [
        int(r.image_id.removesuffix(".png")) for r in rewrite.records(data, "train")
    ]
    make = pixels.Pictures(run, pixels.preparation(data.notes))
    found = make(images)
    assert found.dtype == np.float32 and found.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(found[place], stored.numpy())

    path = tmp_path / "a.png"
    cv2.imwrite(str(path), images[3][..., ::-1])
    np.testing.assert_array_equal(make([images[0], path])[1], found[3])


def test_pictures_that_came_as_they_are():
    data, run = runs.dataset(), runs.run_config()
    assert pixels.preparation(data.notes) == {}
    raw = np.stack([runs.pixels(data) for data in runs.encoded()])
    make = pixels.Pictures(run, {})
    np.testing.assert_allclose(make(raw), runs.images(), atol=1e-6)
    np.testing.assert_array_equal(make(runs.images()), runs.images())
    assert make([]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize(
    "images, text",
    [
        (
            np.zeros((1, 32, 32, 3), np.float32),
            "as if black were 0 and not -1; give ui",
        ),
        (np.full((1, 32, 32, 3), 2.0), r"Float pictures are in \[-1, 1\], got 2 to 2"),
        (np.full((1, 32, 32, 3), np.nan), r"are in \[-1, 1\], got nan to nan"),
        (
            np.zeros((1, 8, 8, 3), np.float32),
            r"are \[N, 32, 32, 3\], got \[1, 8, 8, 3\]",
        ),
        ([np.zeros((8, 8, 4), np.uint8)], r"Picture 7 is uint8 \[8, 8, 4\]"),
        (["/no.png"], "/no.png can't be read: No such file"),
        ([__file__], "Picture 7: "),
    ],
)
def test_what_is_no_picture(images, text):
    for prepared in ({}, {"image_size": 32, "alignment": "none"}):
        with pytest.raises(UserError, match=text):
            pixels.Pictures(runs.run_config(), prepared)(images, 7)


def test_chunks():
    assert [(i, list(part)) for i, part in pixels.chunks([1, 2, 3], 2)] == [
        (0, [1, 2]),
        (2, [3]),
    ]
    assert list(pixels.chunks([], 2)) == [(0, [])]
