"""run_fn as TFX calls it: goes on after a stop, leaves a model and its run."""

import hashlib
import os
import types

import pytest

from components.trainer import run_fn as trainer
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import model_folder
from kfer.settings import config as config_lib
from kfer.training import loop, run_folder
from tests import runs


def fn_args(tmp_path, steps, **fields):
    config = runs.config(method="vgg_all", **fields)
    return types.SimpleNamespace(
        train_files=[os.path.join(runs.dataset().root, "Split-train", "*")],
        serving_model_dir=str(tmp_path / f"model-{steps}" / "Format-Serving"),
        model_run_dir=str(tmp_path / f"run-{steps}"),
        custom_config={
            "experiment": config_lib.to_dict(config),
            "steps": steps,
            "work_dir": str(tmp_path / "work"),
            "code_version": "0123",
            "command": "a test",
        },
    )


def test_a_training_leaves_model_and_run(tmp_path):
    args = fn_args(tmp_path, 2)
    trainer.run_fn(args)
    model = model_folder.read_description(args.serving_model_dir)
    assert model["step"] == 2
    assert model["details"]["data"] == runs.dataset().content_hash
    history = run_folder.read_history(args.model_run_dir)
    assert history[-1]["step"] == 2
    path = os.path.join(args.model_run_dir, scoring.PREDICTIONS)
    assert len(scoring.read_predictions(path)["expression"].prediction) == 20
    assert not os.path.exists(os.path.join(args.model_run_dir, "checkpoints"))
    # Called again, it finds its checkpoints and trains no further step.
    before = os.stat(os.path.join(tmp_path, "work", os.listdir(tmp_path / "work")[0]))
    again = fn_args(tmp_path, 2)
    again.serving_model_dir += "-again"
    trainer.run_fn(again)
    assert len(os.listdir(tmp_path / "work")) == 1 and before.st_ino
    assert len(run_folder.read_history(again.model_run_dir)) == len(history)


def test_a_signal_is_no_model(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer.runs, "train", lambda *a, **k: {"interrupted": True})
    args = fn_args(tmp_path, 2)
    with pytest.raises(UserError, match="the same command goes on"):
        trainer.run_fn(args)
    assert not os.path.exists(args.serving_model_dir)


def test_checkpoints_are_named_by_all_they_depend_on(tmp_path):
    names = {
        trainer.run_name(fn_args(tmp_path, 2).custom_config, "data"),
        trainer.run_name(fn_args(tmp_path, 2).custom_config, "other"),
        trainer.run_name(fn_args(tmp_path, 3).custom_config, "data"),
        trainer.run_name(fn_args(tmp_path, 2, seed=1).custom_config, "data"),
        trainer.run_name(
            fn_args(tmp_path, 2).custom_config | {"code_version": "4567"}, "data"
        ),
    }
    assert len(names) == 5
    same = fn_args(tmp_path, 2).custom_config | {"work_dir": "elsewhere"}
    assert trainer.run_name(same, "data") in names


def test_the_data_set_is_found_from_the_pattern():
    assert trainer.data_dir_of(["/a/examples/1/Split-train/*"]) == "/a/examples/1"


def test_a_training_runs_as_the_pipeline_says(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        trainer.runs,
        "train",
        lambda *a, **k: seen.append(a[3]) or {"interrupted": True},
    )
    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"some")
    running = {
        "strategy": "default",
        "mixed_precision": "bfloat16",
        "jit_compile": True,
        "encoder_weights": str(weights),
        "weights_digest": hashlib.sha256(b"some").hexdigest(),
        "eval_every": 3,
    }
    args = fn_args(tmp_path, 2)
    args.custom_config["running"] = running
    with pytest.raises(UserError, match="the same command goes on"):
        trainer.run_fn(args)
    assert seen == [
        loop.RunSettings(
            steps=2,
            eval_every=3,
            strategy="default",
            encoder_weights=str(weights),
            command="a test",
            mixed_precision="bfloat16",
            jit_compile=True,
        )
    ]
    # Another way of running is another run, and another file is no surprise.
    plain = fn_args(tmp_path, 2).custom_config
    assert trainer.run_name(args.custom_config, "d") != trainer.run_name(plain, "d")
    weights.write_bytes(b"others")
    with pytest.raises(UserError, match="is not the file that the pipeline was"):
        trainer.run_fn(args)


def test_a_declared_experiment_follows_from_the_data(tmp_path):
    given = fn_args(tmp_path, 2).custom_config
    assert trainer.config_of(given, runs.dataset()) == (
        config_lib.from_dict(given["experiment"]),
        given,
    )
    del given["experiment"]
    declared = {
        "names": ["annotator_1"],
        "settings": {"width": 0.25, "method": "vgg_all"},
    }
    config, settings = trainer.config_of(given | {"declared": declared}, runs.dataset())
    assert [task.name for task in config.tasks] == ["annotator_1"]
    assert (config.name, config.width) == ("own_data", 0.25)
    assert config_lib.from_dict(settings["experiment"]) == config
    assert trainer.run_name(settings, "data").startswith("vgg_all-")
