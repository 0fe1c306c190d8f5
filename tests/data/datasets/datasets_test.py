import dataclasses
import json
import os
import sys
import types

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import datasets, record, verification
from kfer.data import shards as shards_lib
from kfer.data.datasets import ReaderOptions
from kfer.data.record import RawExample, Rejected
from kfer.errors import UserError
from tests.data import prepared

CLASS = record.categorical("class", ("cat", "dog"))


def example(image_id: str, label=1, image=None, split="train") -> RawExample:
    pixels = np.full((8, 8, 3), 7, np.uint8) if image is None else image
    return RawExample(image_id, split, pixels, {"class": label}, {"class": 1}, "f:1")


@pytest.fixture
def toy(monkeypatch):
    """A reader whose rows a test can set, registered as 'toy'."""
    module = types.ModuleType("toy_reader")
    module.rows = [example("a"), example("b", 0), example("c", split="test")]
    module.columns = lambda options: {"class": CLASS}
    module.clean_columns = lambda options: {"class": CLASS}
    module.read = lambda root, options: iter(module.rows)
    module.requested_noise = lambda options: {"class": options.flip_rates[0]}
    monkeypatch.setitem(sys.modules, "toy_reader", module)
    monkeypatch.setitem(datasets.DATASETS, "toy", "toy_reader")
    return module


OPTIONS = ReaderOptions(flip_rates=(0.5,), image_size=8)


@pytest.mark.parametrize("name", sorted(datasets.DATASETS))
def test_every_reader_has_the_functions_of_the_protocol(name):
    module = datasets.reader(name)
    for function in ("columns", "clean_columns", "read"):
        assert callable(getattr(module, function)), function
    for declared in (module.columns, module.clean_columns):
        for key, column in declared(ReaderOptions()).items():
            assert isinstance(column, record.Column) and column.name == key


def test_an_unknown_name_lists_the_known():
    with pytest.raises(
        UserError, match=r"Unknown data set 'mnist'; known: affectnet, "
    ):
        datasets.reader("mnist")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"flip": "maybe"}, "flip 'maybe' is none of exclusive, inclusive"),
        ({"source": "web"}, "source 'web' is none of files, tfds"),
        ({"flip_rates": (0.2, 1.5)}, r"flip_rates \[1.5\] are outside \[0, 1\]"),
        ({"va_noise": -0.1}, "va_noise is a standard deviation from 0 on, not -0.1"),
        ({"va_noise": float("nan")}, "va_noise is a standard deviation .* not nan"),
        ({"limit": {"train": -1}}, "can't be below 0, got {'train': -1}"),
    ],
)
def test_options_are_checked(fields, text):
    with pytest.raises(UserError, match=text):
        ReaderOptions(**fields)


def test_every_row_is_written_or_rejected(toy, tmp_path):
    toy.rows += [
        Rejected("x", "no face", "", "f:9"),
        example("a"),
        example("d", 2),
        example("e", image=b"\xff\xd8\xff JPEG"),
        example("f")._replace(labels={"other": 1}),
    ]
    made = datasets.make("toy", "", str(tmp_path / "set"), OPTIONS, "make it")
    assert {name: info.num_records for name, info in made.splits.items()} == {
        "train": 2,
        "test": 1,
    }
    assert made.rejected == {
        "no face": 1,
        "duplicate id": 1,
        "label out of range": 2,
        "image not PNG": 1,
    }
    assert made.command == "make it"
    # One of the two training labels is not the truth.
    row = {"requested": 0.5, "achieved": 0.5, "compared": 2}
    assert made.noise["train"] == {"class": row}
    verification.verify(made)


def test_pictures_are_stored_without_loss(toy, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    toy.rows = [example("a", image=pixels), example("b", image=prepared.png(3, 8))]
    made = datasets.make("toy", "", str(tmp_path / "set"), OPTIONS)
    first, second = map(record.decode, shards_lib.read_shard(made.files("train")[0]))
    np.testing.assert_array_equal(prepared.pixels_of(first.image), pixels)
    assert second.image == prepared.png(3, 8)


def test_picture_files_are_for_kfer_preprocess(toy, tmp_path):
    toy.rows = [example("a", image="faces/a.jpg")]
    with pytest.raises(UserError, match=r"f:1 names picture files; .* kfer-preprocess"):
        datasets.make("toy", "", str(tmp_path / "set"), OPTIONS)
    assert os.listdir(tmp_path) == []


def test_noise_and_rejects_are_logged(toy, tmp_path, caplog):
    toy.rows.append(Rejected("x", "no face", "", "f:9"))
    # Not the root's level: writing a SavedModel leaves a level on absl's own logger.
    with caplog.at_level("INFO", "absl"):
        datasets.make("toy", "", str(tmp_path / "set"), OPTIONS)
    assert (
        "train class: 50.00 % of 2 labels differ from the truth (requested"
        in caplog.text
    )
    assert "1 records set aside: no face" in caplog.text


def test_a_reader_may_know_noise_that_its_records_do_not_tell(toy, tmp_path, caplog):
    rows = {"class": {"achieved": 0.25, "compared": 4}, "v": {"rmse": [0.1, 0.2]}}
    toy.noise_summary = lambda options: rows
    with caplog.at_level("INFO", "absl"):
        made = datasets.make("toy", "", str(tmp_path / "set"), OPTIONS)
    assert made.noise["train"] == rows
    assert "train class: 25.00 % of 4 labels differ from the truth\n" in caplog.text


def test_prepare_makes_once_and_loads_after(toy, tmp_path):
    out = str(tmp_path / "out")
    made = datasets.prepare("", "toy", out, OPTIONS)
    toy.rows = []
    assert datasets.prepare("", "toy", out, OPTIONS) == made
    # A prepared folder is its own source.
    assert datasets.prepare(out, "toy", str(tmp_path / "unused")) == made
    assert os.listdir(tmp_path) == ["out"]


def test_a_set_made_before_an_option_was_there_had_its_default(toy, tmp_path):
    made = datasets.prepare("", "toy", str(tmp_path / "out"), OPTIONS)
    path = tmp_path / "out" / dataset_lib.MANIFEST
    content = json.loads(path.read_text())
    assert content["options"].pop("va_noise", "absent") is None
    path.write_text(json.dumps(content))
    again = datasets.prepare("", "toy", made.root, OPTIONS)
    assert again.content_hash == made.content_hash
    with pytest.raises(UserError, match="out holds toy made with"):
        datasets.prepare(
            "", "toy", made.root, dataclasses.replace(OPTIONS, va_noise=0.1)
        )


def test_prepare_refuses_a_set_made_otherwise(toy, tmp_path):
    out = str(tmp_path / "out")
    datasets.prepare("", "toy", out, OPTIONS)
    with pytest.raises(
        UserError, match=r"out holds toy made with .*'seed': 0.*'seed': 1"
    ):
        datasets.prepare("", "toy", out, ReaderOptions(1, (0.5,), image_size=8))
    with pytest.raises(UserError, match=r"There is no folder .*raw to read toy from"):
        datasets.prepare(str(tmp_path / "raw"), "toy", str(tmp_path / "other"), OPTIONS)
