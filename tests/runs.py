"""A small data set, model and run folder for tests; each is made once a process."""

import atexit
import functools
import os
import shutil
import tempfile

import numpy as np

from kfer import methods
from kfer.data import datasets
from kfer.evaluation import scoring
from kfer.settings import config as config_lib
from kfer.storage import whole
from kfer.training import checkpoints, run_folder
from kfer.training.optimizers import Adam

STEP = 12


def config(**fields) -> config_lib.ExperimentConfig:
    """Three annotators of 7 expressions, and valence and arousal, at 32 px."""
    settings = {"width": 0.125, "batch_size": 8, "noise_size": 8, "embedding_size": 64}
    return methods.resolve_tasks(
        config_lib.experiment_config("synthetic_faces", **settings | fields)
    )


def method(config, seed: int = 0):
    """A built model whose answers differ from picture to picture."""
    model = methods.build(config)
    model.compile(Adam(), Adam())
    model.build_all()
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        fan_in = np.prod(variable.shape[:-1])
        if variable.name.endswith("kernel:0"):
            draw = rng.normal(0, np.sqrt(2 / fan_in), variable.shape)
            variable.assign(draw.astype(np.float32))
        if variable.name.endswith("moving_variance:0"):
            variable.assign(np.full(variable.shape, 0.01, np.float32))
    if config.image_size == 32:
        _spread(model)
    return model


def _spread(model) -> None:
    """Centres the heads on the test pictures, so that each answer occurs."""
    hidden = model.encoder.features(images(), None).numpy()
    for head in model.encoder.heads:
        kernel = 4 * head.kernel.numpy()
        head.kernel.assign(kernel)
        head.bias.assign(-hidden.mean(0) @ kernel)


@functools.cache
def folder() -> str:
    """A folder that goes when the process ends."""
    path = tempfile.mkdtemp(prefix="kfer-tests-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def dataset():
    """24 training and 20 test faces."""
    options = datasets.ReaderOptions(limit={"train": 24, "test": 20})
    path = os.path.join(folder(), "data")
    return datasets.make("synthetic_faces", "", path, options, "a command")


def run_config() -> config_lib.ExperimentConfig:
    """Of `run`: without decoder and discriminator, which take seconds to build."""
    return config(method="vgg_all")


@functools.cache
def run() -> str:
    """A run of `method` that stopped at STEP, with a history of three evaluations."""
    path = os.path.join(folder(), "run")
    model = method(run_config())
    run_folder.claim(path, run_config(), dataset(), "kfer-train --out_dir=run")
    checkpoints.Checkpoints(model, path).save(STEP)
    scores = scoring.evaluate(model, dataset(), run_config())
    rows = [history_row(step, scores) for step in (4, 8, STEP)]
    rows[1]["test"]["expression"]["accuracy"] += 0.25
    run_folder.write_history(path, rows)
    metrics = {
        "interrupted": False,
        "last": {"step": STEP, "test": rows[2]["test"]},
        "best": {"step": 8, "test": rows[1]["test"], "selected_by": "the test split"},
    }
    whole.write_json(os.path.join(path, run_folder.METRICS), metrics)
    return path


@functools.cache
def answering():
    """The method that `model` was made of, in any format."""
    return method(run_config())


CALIBRATION = {
    "expression": {
        "temperature": 1.5,
        "errors": [0.1, 0.2, 0.25],
        "num_examples": 24,
        "ece_before": 0.125,
        "ece_after": 0.0625,
        "split": "train",
        "labels": ["label/annotator_1", "label/annotator_2", "label/annotator_3"],
    }
}


def model(form: str = "saved_model", quantize: bool = False) -> str:
    """`answering` with the temperature of CALIBRATION, exported."""
    return _model(form, quantize)


@functools.cache
def _model(form: str, quantize: bool) -> str:
    from kfer.serving import export

    path = os.path.join(folder(), f"model-{form}-{quantize}")
    arguments = (answering(), run_config(), path)
    notes = export.Notes(calibration=CALIBRATION)
    if form == "saved_model":
        export.export_model(*arguments, notes=notes)
    else:
        export.export_converted(*arguments, form, quantize=quantize, notes=notes)
    return path


@functools.cache
def expected() -> dict[str, np.ndarray]:
    """What `model` should say of `images`, by NumPy from the method's answers."""
    found = {name: v.numpy() for name, v in answering().answers(images()).items()}
    powers = found["expression"] ** (1 / 1.5)
    return found | {"expression": powers / powers.sum(axis=1, keepdims=True)}


def history_row(step: int, scores: dict) -> dict:
    """An evaluation as the history has it; its loss falls with the step."""
    return {
        "step": step,
        "epoch": step / 3,
        "seconds": 2.0,
        "images_per_second": 16.0,
        "train": {
            "loss": 1 - step / 100,
            "gan_loss": 0.5,
            "annotator_1/accuracy": 0.25,
        },
        "test": {target: dict(row) for target, row in scores.items()},
    }


def images() -> np.ndarray:
    """The test split as float32 [20, 32, 32, 3] RGB in [-1, 1], by another decoder."""
    return np.stack([pixels(data) for data in encoded()]).astype("f4") / 127.5 - 1


@functools.cache
def encoded() -> tuple[bytes, ...]:
    """The test split's encoded pictures."""
    from kfer.data import record, shards

    return tuple(
        record.decode(serialized).image
        for path in dataset().files("test")
        for serialized in shards.read_shard(path)
    )


def pixels(data: bytes) -> np.ndarray:
    """uint8 [H, W, 3] RGB."""
    import cv2

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
