"""The inspection page."""

import base64
import io
import json
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from kfer.data import dataset as dataset_lib
from kfer.data.datasets import ReaderOptions, manifest
from kfer.data.fake_roots.files import write_bytes
from kfer.data.label_noise import LabelNoise
from kfer.errors import UserError
from kfer.noise.continuous import Annotator
from kfer.preprocess import inspect, job
from kfer.preprocess.transforms import Settings


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect")
    manifest.make_fake_root(str(folder / "raw"), 30, np.random.default_rng(0))
    write_bytes(str(folder / "raw"), "pictures/0003.png", b"<script>alert(1)</script>")
    job.run(
        job.Job(
            "manifest",
            str(folder / "raw"),
            str(folder / "out"),
            ReaderOptions(),
            Settings("", image_size=32),
            noise=LabelNoise(value_annotators=(Annotator(swap_rate=1.0),)),
        )
    )
    return folder


def test_page_shows_everything(prepared, tmp_path):
    path = inspect.write_page(
        str(prepared / "out"), str(prepared / "raw"), str(tmp_path / "page.html")
    )
    with open(path, encoding="utf-8") as file:
        text = file.read()
    dataset = dataset_lib.load(str(prepared / "out"))
    assert dataset.content_hash in text
    for words in (
        "train: 23 records",
        "test: 6 records",
        "label/annotator_1: 23 of 23",
        "share of pictures on which two annotators agree",
        "label/valence_arousal",
        "<td>valence_arousal</td><td>noise rmse ",
        "not an image",
        "manifest.csv:5",
    ):
        assert words in text, words
    # 12 pictures of the train split and 6 of the test split, each before and after.
    assert text.count('alt="before"') == text.count('alt="after"') == 18
    # What a file holds is shown as text, never as markup.
    assert "<script>" not in text and "&lt;script" in text
    for data in re.findall(r"data:image/\w+;base64,([^\"]+)", text):
        Image.open(io.BytesIO(base64.b64decode(data))).verify()
    assert os.listdir(tmp_path) == ["page.html"]


def test_page_without_the_raw_folder(prepared, tmp_path):
    path = inspect.write_page(str(prepared / "out"), out_path=str(tmp_path / "p.html"))
    with open(path, encoding="utf-8") as file:
        assert 'alt="before"' not in file.read()


def test_another_raw_folder_is_refused(prepared, tmp_path):
    write_bytes(str(tmp_path), "manifest.csv", b"image\nother.png\n")
    with pytest.raises(UserError, match="has none of the pictures shown"):
        inspect.write_page(str(prepared / "out"), str(tmp_path), str(tmp_path / "p"))


def test_a_folder_without_the_pictures_is_refused(prepared, tmp_path):
    page = str(tmp_path / "p")
    with pytest.raises(UserError, match="^There is no folder /nix of raw pictures$"):
        inspect.write_page(str(prepared / "out"), "/nix", page)
    # The table is there, what it names isn't.
    shutil.copy(prepared / "raw" / "manifest.csv", tmp_path)
    with pytest.raises(UserError, match="has none of the pictures shown"):
        inspect.write_page(str(prepared / "out"), str(tmp_path), page)
    assert not os.path.exists(page)


def test_agreement_by_hand():
    # Both labelled: rows 0, 1, 3; alike in rows 0 and 3.
    classes = {
        "annotator_1": [0, 1, 2, 3],
        "annotator_2": [0, 2, -1, 3],
        "expression": [0, 0, 0, 0],
        "annotator_3": [-1, -1, -1, -1],
    }
    names, table = inspect.agreement(classes)
    assert names == ["annotator_1", "annotator_2", "annotator_3"]
    assert table[0, 1] == table[1, 0] == pytest.approx(2 / 3)
    assert table[0, 0] == 1 and np.isnan(table[0, 2])


def test_rejected_lines_are_those_of_the_file(prepared):
    found = inspect._rejected(str(prepared / "out"))
    with open(prepared / "out" / "rejected.jsonl", encoding="utf-8") as file:
        assert found == [json.loads(line) for line in file] and len(found) == 1
