"""One annotated picture to one aligned record."""

import dataclasses

import numpy as np
import pytest

from kfer.data.fake_roots import faces
from kfer.data.record import RawExample, Rejected
from kfer.errors import UserError
from kfer.faces import framing
from kfer.faces.face import Face
from kfer.images import alignment, decode
from kfer.preprocess import transforms
from kfer.preprocess.transforms import Settings

SETTINGS = Settings("", image_size=64, image_format="png")


class Found:
    """A detector that finds the same faces in every picture, and keeps their shapes."""

    def __init__(self, *faces):
        self.faces = list(faces)
        self.seen = []

    def detect(self, image):
        self.seen.append(image.shape)
        return self.faces


NOTHING = Found()


def example(**fields) -> RawExample:
    image, eyes, box = faces.face(np.random.default_rng(3), 120, 140)
    given = {"eyes": eyes, "box": box} | fields
    return RawExample("id", "train", image, {"a": 1}, {"a": 2}, "file:7", **given)


def prepare(raw, settings=SETTINGS, detector=NOTHING):
    return transforms.prepare(raw, settings, detector)


def test_landmarks_come_first_and_the_record_keeps_all():
    raw = example()
    record = prepare(raw).record
    assert (record.image_id, record.source, record.alignment) == (
        "id",
        "file:7",
        "landmarks",
    )
    assert (record.labels, record.clean, record.box) == ({"a": 1}, {"a": 2}, raw.box)
    expected = alignment.warp(raw.image, alignment.similarity(raw.eyes, 64), 64)
    np.testing.assert_array_equal(decode.decode(record.image), expected)


def test_then_the_detector_in_the_box():
    raw = example(eyes=())
    blind = Face((0.0, 0.0, 60.0, 60.0), (), 0.9)
    face = Face((5.0, 5.0, 40.0, 40.0), ((10.0, 12.0), (40.0, 12.0)), 0.8)
    detector = Found(blind, face)
    record = prepare(raw, detector=detector).record
    assert record.alignment == "detected"
    # The box and a quarter of it on each side, cut at the picture's edges.
    x, y, w, h = raw.box
    left, top = max(0, round(x - w / 4)), max(0, round(y - h / 4))
    bottom, right = min(140, round(y + 1.25 * h)), min(120, round(x + 1.25 * w))
    assert detector.seen == [(bottom - top, right - left, 3)]
    eyes = ((10.0 + left, 12.0 + top), (40.0 + left, 12.0 + top))
    expected = alignment.warp(raw.image, alignment.similarity(eyes, 64), 64)
    np.testing.assert_array_equal(decode.decode(record.image), expected)


def test_a_box_is_cut_as_prediction_cuts_it():
    """The data set's box, else that of the largest face found, else the centre."""
    boxes = dataclasses.replace(SETTINGS, alignment="box")
    face = Face((20.0, 30.0, 40.0, 50.0), (), 0.9)
    expected = framing.crop(example().image, face, framing.AS_GIVEN, 64)
    smaller = Face((0.0, 0.0, 20.0, 20.0), (), 0.9)
    for raw, detector, how in (
        (example(box=face.box), NOTHING, "box"),
        (example(box=()), Found(face, smaller), "detected"),
    ):
        record = prepare(raw, boxes, detector).record
        assert record.alignment == how
        np.testing.assert_array_equal(decode.decode(record.image), expected)
    assert prepare(example(box=()), boxes).record.alignment == "centre"
    kept = dataclasses.replace(boxes, detect_eyes=False)
    assert prepare(example(box=()), kept, None).record.alignment == "as_given"


def test_then_the_box_then_the_centre():
    record = prepare(example(eyes=())).record
    assert record.alignment == "box"
    record = prepare(example(eyes=(), box=())).record
    assert record.alignment == "centre"
    # 120 x 140: the centred square is rows 10..130.
    image = example().image[10:130]
    expected = alignment.warp(image, alignment.square((0, 0, 120, 120), 64), 64)
    np.testing.assert_allclose(
        decode.decode(record.image).astype(int), expected, atol=2
    )


@pytest.mark.parametrize(
    "box", [(500.0, 500.0, 20.0, 20.0), (0.2, 0.2, 0.6, 0.6), (5.0, 5.0, 1.0, 1.0)]
)
def test_a_box_that_is_no_part_of_the_picture_sets_it_aside(box):
    found = prepare(example(eyes=(), box=box))
    assert found.reason == "bad box"
    of_the_source = dataclasses.replace(SETTINGS, use_boxes=False, detect_eyes=False)
    record = prepare(example(eyes=(), box=box), of_the_source).record
    assert record.alignment == "as_given"


def test_a_box_is_cropped_without_detection():
    plain = dataclasses.replace(SETTINGS, detect_eyes=False)
    record = prepare(example(eyes=(), box=(10.0, 20.0, 30.0, 30.0)), plain).record
    assert record.alignment == "box"


def test_swapped_and_far_away_eyes_are_set_aside():
    swapped = prepare(example(eyes=((80.0, 60.0), (40.0, 60.0))))
    assert swapped.reason == "left and right eye swapped"
    assert "at x 80, is right of the right one, at 40" in swapped.detail
    far = prepare(example(eyes=((-900.0, 60.0), (1020.0, 60.0))))
    assert far.reason == "bad landmarks"


def test_without_detection_a_crop_stays_as_given():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    settings = Settings("", 64, image_format="png", detect_eyes=False)
    raw = RawExample("id", "train", image, {}, {}, "s")
    record = prepare(raw, settings, detector=None).record
    assert record.alignment == "as_given"
    np.testing.assert_array_equal(decode.decode(record.image), image)


def test_authors_2021_alignment():
    raw = example()
    settings = Settings("", 64, alignment="authors_2021", image_format="png")
    expected = alignment.warp_authors_2021(raw.image, raw.eyes, 64)
    got = decode.decode(prepare(raw, settings).record.image)
    np.testing.assert_array_equal(got, expected)
    assert (got != decode.decode(prepare(raw).record.image)).any()


@pytest.mark.parametrize(
    ("eyes", "reason"),
    [
        (((50.0, 50.0), (51.0, 50.0)), "face not alignable"),
        (((500.0, 50.0), (560.0, 50.0)), "bad landmarks"),
        (((float("nan"), 50.0), (60.0, 50.0)), "bad landmarks"),
    ],
)
def test_impossible_eyes_are_set_aside(eyes, reason):
    found = prepare(example(eyes=eyes))
    assert isinstance(found, Rejected)
    assert (found.image_id, found.reason, found.source) == ("id", reason, "file:7")


def test_bad_bytes_are_set_aside_with_their_source():
    found = prepare(example()._replace(image=b"nothing"))
    assert found == Rejected("id", "not an image", "starts with b'nothing'", "file:7")


def test_fingerprint_is_of_the_pixels():
    one, two = example(), example()._replace(image_id="other", labels={})
    assert prepare(one).fingerprint == prepare(two).fingerprint
    image = one.image.copy()
    image[60:80, 50:70] ^= 255
    assert prepare(one._replace(image=image)).fingerprint != prepare(one).fingerprint


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"alignment": "nose"}, "alignment 'nose' is none of eyes"),
        ({"image_format": "bmp"}, "image_format 'bmp' is none of jpeg, png"),
        ({"image_size": 4}, "image_size 4 is not in 8..1024"),
        ({"jpeg_quality": 0}, "jpeg_quality 0"),
    ],
)
def test_settings_are_checked(fields, message):
    with pytest.raises(UserError, match=message):
        Settings("", **fields)
