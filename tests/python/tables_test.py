"""kfer.data.from_table."""

import gc
import os

import numpy as np
import pytest

import kfer
from kfer.data.datasets import table
from kfer.errors import UserError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("root"))
    table.make_fake_root(path, 12, np.random.default_rng(0))
    return path


def test_a_table_becomes_the_data_set_of_kfer_data_import(root, tmp_path, capsys):
    path = os.path.join(root, "ratings.csv")
    kept = kfer.data.from_table(path, out_dir=str(tmp_path / "out"), image_size=32)
    assert "3 annotators (ann, bob, eve)" in capsys.readouterr().out
    assert kept.columns["annotator_eve"].target == "label"
    assert kept.image_size == 32 and kept.notes["settings"]["alignment"] == "none"

    data = kfer.data.from_table(path, images=root, image_size=32, verbose=False)
    assert capsys.readouterr().out == ""
    assert data.content_hash == kept.content_hash
    folder = data.root
    assert os.path.isdir(folder)
    del data
    gc.collect()
    assert not os.path.exists(os.path.dirname(folder))
    assert os.path.isdir(kept.root)


@pytest.mark.parametrize(
    "arguments, options, text",
    [
        (("/no.csv",), {}, "There is no table /no.csv"),
        (("ratings.csv", "/no"), {}, "There is no folder of pictures /no"),
        (
            ("ratings.csv",),
            {"depth": 1},
            "from_table has no option 'depth'; known: annot",
        ),
        (("ratings.csv",), {"splits": (0.9, 0.2)}, "leave nothing to train on"),
        (("ratings.csv",), {"labels": ["mood"]}, "has no column 'mood'"),
    ],
)
def test_wrong_use(root, monkeypatch, arguments, options, text):
    monkeypatch.chdir(root)
    with pytest.raises(UserError, match=text):
        kfer.data.from_table(*arguments, **options)


def test_nothing_is_left_of_what_fails(root, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = os.path.join(root, "ratings.csv")
    with pytest.raises(UserError, match="image_size 4 is not in 8..1024"):
        kfer.data.from_table(path, image_size=4, verbose=False)
    assert os.listdir(tmp_path) == []
