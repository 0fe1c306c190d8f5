"""Sources as text, and the two ways a data set is made."""

import os

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, raf
from kfer.errors import UserError
from kfer.preprocess import ingest
from kfer.preprocess.ingest import Source
from tests.data import prepared


def test_a_source_survives_json():
    options = ReaderOptions(seed=3, flip_rates=(0.2, 0.3), limit={"train": 5})
    source = Source("cifar10", options)
    text = ingest.to_json(source)
    assert ingest.from_json(text) == source
    assert text == ingest.to_json(ingest.from_json(text))


def test_drawn_faces_need_no_folder():
    assert not Source("synthetic_faces").needs_root
    assert Source("raf").needs_root


def test_columns_are_the_readers():
    columns, clean = Source("synthetic_faces").columns()
    assert sorted(columns) == [
        "annotator_1",
        "annotator_2",
        "annotator_3",
        "valence_arousal",
    ]
    assert columns["annotator_1"].size == 7 and sorted(clean) == [
        "expression",
        "valence_arousal",
    ]


def test_drawn_faces_are_stored_as_they_are(tmp_path):
    options = ReaderOptions(limit={"train": 10, "test": 4}, flip_rates=(0.3,))
    dataset = ingest.prepare(
        Source("synthetic_faces", options), "", str(tmp_path / "data")
    )
    assert ingest.describe(dataset) == "10 train, 4 test"
    noise = ingest.noise_of(dataset)["annotator_1"]
    assert noise["requested"] == 0.3 and noise["compared"] == 10
    text = f"annotator_1 {100 * noise['achieved']:.1f} %"
    assert ingest.describe_noise(dataset).startswith(text)


def test_photographs_are_aligned(tmp_path):
    raf.make_fake_root(str(tmp_path / "raw"), 8, np.random.default_rng(0))
    dataset = ingest.prepare(
        Source("raf", ReaderOptions(image_size=32)),
        str(tmp_path / "raw"),
        str(tmp_path / "data"),
    )
    assert ingest.describe(dataset) == "6 train, 2 test"
    assert dataset.image_size == 32
    assert dataset.notes["alignment"] == {"landmarks": 8}


def test_prepared_data_are_taken_byte_for_byte(tmp_path):
    made = prepared.write(tmp_path / "made")
    found = ingest.prepare(
        Source(ingest.PREPARED), str(tmp_path / "made"), str(tmp_path / "copy")
    )
    assert found.content_hash == made.content_hash
    assert found.columns == made.columns and found.root == str(tmp_path / "copy")
    for split in made.splits:
        for old, new in zip(made.files(split), found.files(split), strict=True):
            with open(old, "rb") as one, open(new, "rb") as other:
                assert one.read() == other.read()


def test_a_damaged_shard_is_not_taken(tmp_path):
    path = prepared.write(tmp_path / "made").files("train")[0]
    with open(path, "r+b") as file:
        file.seek(40)
        byte = file.read(1)
        file.seek(40)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(UserError, match=os.path.basename(path)):
        ingest.copied(str(tmp_path / "made"), str(tmp_path / "copy"))
    assert not os.path.exists(tmp_path / "copy")
