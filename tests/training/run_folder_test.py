"""A run's folder belongs to one config on one data set."""

import hashlib
import importlib.metadata
import json
import types

import pytest

from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.training import run_folder

CONFIG = config_lib.experiment_config("synthetic_faces")


def data(digest="a" * 64):
    return types.SimpleNamespace(
        root="somewhere",
        name="synthetic_faces",
        content_hash=digest,
        noise={},
        notes={},
    )


def test_the_same_run_may_come_back(tmp_path):
    run_folder.claim(str(tmp_path / "run"), CONFIG, data(), "kfer-train ...")
    run_folder.claim(str(tmp_path / "run"), CONFIG, data())
    assert run_folder.load_config(str(tmp_path / "run")) == CONFIG
    noted = run_folder.read_json(str(tmp_path / "run" / run_folder.VERSIONS))
    assert noted["command"] == "kfer-train ..."
    assert noted["tensorflow"] == importlib.metadata.version("tensorflow")


def test_another_config_is_refused(tmp_path):
    run_folder.claim(str(tmp_path), CONFIG, data())
    other = config_lib.experiment_config("synthetic_faces", seed=7)
    with pytest.raises(UserError, match="other settings .seed: 0 -> 7.*--out_dir"):
        run_folder.claim(str(tmp_path), other, data())


def test_other_data_are_refused(tmp_path):
    run_folder.claim(str(tmp_path), CONFIG, data())
    with pytest.raises(UserError, match="a run on other data .aaaaaaaaaaaa"):
        run_folder.claim(str(tmp_path), CONFIG, data("b" * 64))


def test_another_precision_is_refused(tmp_path):
    run_folder.claim(str(tmp_path), CONFIG, data(), precision="bfloat16")
    run_folder.check(str(tmp_path), CONFIG, data(), "bfloat16")
    with pytest.raises(UserError, match="go on with --mixed_precision=bfloat16, or"):
        run_folder.claim(str(tmp_path), CONFIG, data())
    # earlier versions noted none
    path = tmp_path / run_folder.VERSIONS
    noted = json.loads(path.read_text())
    del noted[run_folder.PRECISION]
    path.write_text(json.dumps(noted))
    run_folder.claim(str(tmp_path), CONFIG, data())


def test_another_start_of_the_encoder_is_refused(tmp_path):
    weights = tmp_path / "vgg.npz"
    weights.write_bytes(b"weights")
    begun = run_folder.weights_id(str(weights))
    assert begun == hashlib.sha256(b"weights").hexdigest()
    run = str(tmp_path / "run")
    run_folder.claim(run, CONFIG, data(), weights=begun)
    run_folder.check(run, CONFIG, data(), weights=begun)
    said = f"from a file with SHA-256 {begun[:12]}, not from"
    for other, name in (("", "its seed"), ("imagenet", "imagenet")):
        with pytest.raises(UserError, match=f"{said} {name}; go on with the --enc"):
            run_folder.check(run, CONFIG, data(), weights=other)


def test_a_run_that_noted_no_start_goes_on_with_any(tmp_path):
    run_folder.claim(str(tmp_path), CONFIG, data())
    path = tmp_path / run_folder.VERSIONS
    noted = json.loads(path.read_text())
    del noted[run_folder.WEIGHTS]
    path.write_text(json.dumps(noted))
    run_folder.check(str(tmp_path), CONFIG, data(), weights="imagenet")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="something else .thesis.tex"):
        run_folder.claim(str(tmp_path), CONFIG, data())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Can't write to"):
        run_folder.claim(str(tmp_path / "file"), CONFIG, data())


def test_no_run_folder_and_damaged_config(tmp_path):
    with pytest.raises(UserError, match="is no run folder"):
        run_folder.load_config(str(tmp_path))
    (tmp_path / run_folder.CONFIG).write_text('{"name": ')
    with pytest.raises(UserError, match="Can't read"):
        run_folder.load_config(str(tmp_path))
    (tmp_path / run_folder.CONFIG).write_text('{"name": "x"}')
    with pytest.raises(UserError, match="does not fit this version"):
        run_folder.load_config(str(tmp_path))


def test_history_survives_a_cut_line(tmp_path):
    rows = [{"step": 4, "test": {}}, {"step": 8, "test": {}}]
    run_folder.write_history(str(tmp_path), rows)
    with open(tmp_path / run_folder.HISTORY, "a") as file:
        file.write('{"step": 12, "te')
    assert run_folder.read_history(str(tmp_path)) == rows
    assert run_folder.read_history(str(tmp_path), up_to=4) == rows[:1]


@pytest.mark.parametrize("line", ["\xff", "[1]", '{"test": 1}', "[" * 100_000])
def test_a_history_with_a_damaged_line_is_refused(tmp_path, line):
    good = '{"step": 4}\n'
    text = good + line + "\n" + good
    (tmp_path / run_folder.HISTORY).write_bytes(text.encode("latin1"))
    with pytest.raises(UserError, match=r"history.jsonl:2 is no evaluation"):
        run_folder.read_history(str(tmp_path))


def test_json_that_is_too_deep_to_read(tmp_path):
    (tmp_path / run_folder.CONFIG).write_text("[" * 100_000)
    with pytest.raises(UserError, match="Can't read"):
        run_folder.load_config(str(tmp_path))
