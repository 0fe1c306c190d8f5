"""Where a table's data come from, and the one line when they are missing."""

import json

import pytest

from kfer.errors import UserError
from kfer.experiments import cells, data

CPU, PAPER = cells.SCALES["cpu"], cells.SCALES["paper"]


@pytest.fixture
def commands(monkeypatch):
    """What would have been run."""
    found = []
    monkeypatch.setattr(data, "run_command", lambda command, log: found.append(command))
    return found


def prepared(folder):
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps({}))
    return str(folder)


def test_a_prepared_data_set_is_taken_as_it_is(tmp_path, commands):
    mine = prepared(tmp_path / "raw" / "raf_base")
    found = data.prepare("raf_base", str(tmp_path / "raw"), "out", PAPER, "log")
    assert (found, commands) == (mine, [])


def test_it_is_made_once(tmp_path, commands):
    out = str(tmp_path / "data")
    made = data.prepare("cifar10n", "RAW", out, CPU, "log")
    assert made == f"{out}/cifar10n"
    assert commands == [
        [
            "data_main",
            "make",
            "--dataset=cifar10n",
            "--source_dir=RAW",
            "--seed=0",
            f"--out_dir={out}/cifar10n",
            "--num_train=4000",
            "--num_test=5000",
        ]
    ]
    prepared(tmp_path / "data" / "cifar10n")
    assert data.prepare("cifar10n", "RAW", out, CPU, "log") == made
    assert len(commands) == 1


def test_faces_are_made_as_large_as_the_scale_says(tmp_path, commands):
    for scale, side in ((CPU, 32), (PAPER, 64)):
        data.prepare("ferplus", "RAW", str(tmp_path), scale, "log")
        assert f"--image_size={side}" in commands[-1]
        assert "--source_dir=RAW/ferplus" in commands[-1]
    assert "--num_train=4000" in commands[0] and len(commands[1]) == 8


def test_drawn_faces_need_no_raw_data_and_other_seeds_lie_apart(tmp_path, commands):
    scale, out = cells.SCALES["fast_faces"], str(tmp_path)
    made = data.prepare("faces_sparse", "", out, scale, "log", seed=7)
    assert made == f"{out}/faces_sparse-seed7"
    assert commands[0] == [
        "data_main",
        "make",
        "--dataset=synthetic_faces",
        "--crowd=sparse",
        "--seed=7",
        f"--out_dir={made}",
        "--num_train=2000",
        "--num_test=2000",
    ]
    prepared(tmp_path / "raw" / "cifar10")
    assert data.prepare(
        "cifar10", str(tmp_path / "raw"), out, scale, "log", seed=7
    ) == (f"{out}/cifar10-seed7")


def test_missing_data_are_one_line(tmp_path):
    with pytest.raises(UserError, match="no --data_root to read cifar10 from"):
        data.prepare("cifar10", "", str(tmp_path), CPU, "log")
    line = "no prepared data set in RAW/affectnet_base; make it with the pipeline"
    with pytest.raises(UserError, match=line):
        data.prepare("affectnet_base", "RAW", str(tmp_path), PAPER, "log")


def test_a_failed_command_gives_its_last_line(tmp_path):
    log = str(tmp_path / "logs" / "log")
    with pytest.raises(UserError, match="kfer-data: error: Unknown data set 'nope'"):
        data.run_command(["data_main", "make", "--dataset=nope", "--out_dir=x"], log)


def test_last_line_of_nothing(tmp_path):
    (tmp_path / "log").write_text("\n \n")
    assert "it said nothing" in data.last_line(str(tmp_path / "log"))


def test_cifar_10_is_flipped_as_the_recipe_says(tmp_path, commands):
    out = tmp_path / "data"
    for recipe, flip in (("kfer", "exclusive"), ("authors_2021", "inclusive")):
        data.prepare("cifar10", "RAW", str(out), CPU, "log", recipe=recipe)
        assert commands[-1][-1] == f"--flip={flip}"
    manifest = tmp_path / "raw" / "cifar10" / "dataset.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"options": {"flip": "exclusive"}}))
    root = str(tmp_path / "raw")
    found = data.prepare("cifar10", root, str(out), CPU, "log")
    assert found == str(manifest.parent)
    with pytest.raises(UserError, match="made with flip=exclusive, and the recipe has"):
        data.prepare("cifar10", root, str(out), CPU, "log", recipe="authors_2021")
