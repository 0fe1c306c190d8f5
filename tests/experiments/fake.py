"""Finished cells without training: run folders with given scores."""

import os

from kfer import methods
from kfer.experiments import cells, runner
from kfer.settings import config as config_lib
from kfer.storage import whole
from kfer.training import run_folder


def plan(tmp_path, **fields) -> runner.Plan:
    """A plan at the cpu scale under tmp_path."""
    return runner.Plan(cells.SCALES["cpu"], str(tmp_path / "out"), **fields)


def finish(plan, cell, accuracy: float, best: float, curve=(0.1, 0.2)) -> str:
    """Leaves what kfer-train leaves of a cell; `curve` is accuracy at steps 10, 20.."""
    folder = plan.folder(cell)
    os.makedirs(folder)
    setting = cells.SETTINGS[cell.setting]
    config = methods.resolve_tasks(
        config_lib.experiment_config(
            setting.experiment, method=cell.method, seed=cell.seed
        )
    )
    whole.write_json(os.path.join(folder, "config.json"), config_lib.to_dict(config))
    noise = {"train": {"annotator_1": {"achieved": 0.2, "compared": 10}}}
    versions = {
        "commit": "abc",
        "command": "kfer-train",
        "data": {"root": "/nowhere", "content_hash": "beef", "noise": noise},
    }
    whole.write_json(os.path.join(folder, "versions.json"), versions)
    rows = [
        {
            "step": 10 * (i + 1),
            "epoch": i + 1.0,
            "seconds": 2.0,
            "pflop": 0.125 * (i + 1),
            "images_per_second": 50.0,
            "train": {
                "loss": 9.0,
                "annotator_1/cross_entropy": 2.0 - i,
                "annotator_2/cross_entropy": 1.0,
            },
            "test": scores(value),
        }
        for i, value in enumerate(curve)
    ]
    run_folder.write_history(folder, rows)
    metrics = {
        "interrupted": False,
        "last": {"step": 20, "test": scores(accuracy)},
        "best": {"step": 10, "test": scores(best)},
    }
    whole.write_json(os.path.join(folder, "metrics.json"), metrics)
    return folder


def scores(accuracy: float) -> dict:
    """Of the clean test split."""
    measures = {"mean_class_accuracy": 0.5, "macro_f1": 0.25, "ece": 0.125}
    return {"class": {"num_examples": 5, "accuracy": accuracy, **measures}}
