"""Pictures, eyes and boxes of others, through the whole job."""

import json
import os

import numpy as np
import pytest

from kfer.bin import common
from kfer.data import near_copies, rewrite
from kfer.data.datasets import ReaderOptions
from kfer.errors import UserError
from kfer.images import decode
from kfer.preprocess import job, transforms
from tests.data import shared_cases


def prepare(name, tmp_path, max_rejected=1.0, **settings):
    root = shared_cases.make(name, str(tmp_path / "raw"))
    return job.run(
        job.Job(
            "manifest",
            root,
            str(tmp_path / "out"),
            ReaderOptions(),
            transforms.Settings(
                root,
                image_size=32,
                image_format="png",
                **{"detect_eyes": False} | settings,
            ),
            max_rejected=max_rejected,
        )
    )


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "raw").mkdir()


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("swapped_eyes", "left and right eye swapped", "manifest.csv:2: the left eye"),
        ("half_grey_jpeg", "truncated or corrupt image", "premature end"),
        ("box_not_pixels", "bad box", "box 0.2;0.2;0.6;0.6 of 100x100 pixels is too"),
        ("heic", "", ""),
    ],
)
def test_they_are_set_aside_and_shown(name, reason, detail, tmp_path):
    with pytest.raises(Exception, match="faulty") as error:
        prepare(name, tmp_path, max_rejected=0.05)
    assert reason in str(error.value) and detail in str(error.value)


def test_where_no_row_is_left_all_reasons_are_shown(tmp_path):
    with pytest.raises(UserError, match="No example .* 2 bad box") as error:
        prepare("box_not_pixels", tmp_path, max_rejected=1.0)
    assert "manifest.csv:2: box 0.2" in str(error.value)
    assert "manifest.csv:3: box 600" in str(error.value)


def test_a_box_is_cropped_though_no_eyes_are_looked_for(tmp_path):
    made = prepare("box_ignored", tmp_path)
    (record,) = rewrite.records(made, "train")
    pixels = decode.decode(record.image)
    assert record.alignment == "box"
    np.testing.assert_array_equal(pixels.reshape(-1, 3).mean(axis=0), [0, 255, 0])


def test_near_copies_are_reported(tmp_path):
    made = prepare("near_copies", tmp_path, alignment="none")
    same = common.say_near_copies(made, remove=False)
    assert same.splits["test"].num_records == 10
    with open(os.path.join(made.root, near_copies.FILE), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == 10 and {row["of_split"] for row in rows} == {"train"}
    rest = common.say_near_copies(made, remove=True)
    assert rest.splits["test"].num_records == 0
