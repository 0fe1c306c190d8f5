"""Whether an exported model answers in a fresh process as it does here.

`python -m kfer.serving.check MODEL_DIR REQUESTS OUT` is the fresh process: it loads the
SavedModel, sends each signature its request and writes the answers.
"""

import base64
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from kfer.data import dataset as dataset_lib
from kfer.data import record, rewrite
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import model_folder

COUNT = 8
TOLERANCE = 1e-4
SECONDS = 300

# Signatures that answer for pictures; models of earlier versions lack the last.
_ANSWERING = ("serving_default", "predict_images", "predict_examples")
# Inputs that are bytes.
_ENCODED = ("image_bytes", "examples")

Arrays = dict[str, np.ndarray]


def check(
    model_dir: str, data_dir: str, predictions_path: str = "", split: str = "test"
) -> list[str]:
    """Sends requests to each signature of a SavedModel in a process of its own.

    Args:
      model_dir: a SavedModel of kfer.serving.export.
      data_dir: a prepared data set, whose first pictures are sent.
      predictions_path: predictions.npz of the trained method over that split, in its
        order; the answers must be those as well.
      split: whose pictures are sent.

    Returns:
      The signatures that were checked.

    Raises:
      UserError: the model can't be loaded, a signature fails, or answers differ.
    """
    requests = requests_of(model_dir, data_dir, split)
    model = model_folder.load(model_dir)
    here = {name: _call(model, name, request) for name, request in requests.items()}
    there = _in_fresh_process(model_dir, requests)
    for name, answers in here.items():
        _compare(f"{name} in a fresh process", answers, there[name])
    if predictions_path:
        count = len(requests["predict_images"]["images"])
        expected = _expected(predictions_path, model_dir, count)
        for name in filter(there.__contains__, _ANSWERING):
            _compare(f"{name} beside the trained method", expected, there[name])
    return list(requests)


def _expected(predictions_path: str, model_dir: str, count: int = COUNT) -> Arrays:
    """What the method said, with the temperatures of a calibrated export applied.

    Against labels each label set's predictions follow, so only `count` are the first.
    """
    calibration = model_folder.read_description(model_dir).get("calibration") or {}
    found = {}
    for name, part in scoring.read_predictions(predictions_path).items():
        values = part.prediction[:count]
        if name in calibration:
            values = values ** (1.0 / calibration[name]["temperature"])
            values = values / values.sum(axis=1, keepdims=True)
        found[name] = values
    return found


def requests_of(
    model_dir: str, data_dir: str, split: str = "test"
) -> dict[str, Arrays]:
    """Signature -> input name -> array; bytes are base64 text."""
    import tensorflow as tf

    described = model_folder.read_description(model_dir)
    dataset = dataset_lib.load(data_dir)
    dataset.split(split)
    found = itertools.islice(rewrite.records(dataset, split), COUNT)
    encoded = [record.image for record in found]
    size = described["image_size"]
    pixels = [tf.io.decode_jpeg(data, channels=3) for data in encoded]
    resized = [tf.image.resize(p, [size, size], antialias=True) for p in pixels]
    texts = np.array([base64.b64encode(data).decode() for data in encoded])
    images = np.stack([picture.numpy() for picture in resized]) / 127.5 - 1.0
    examples = np.array([_example(data) for data in encoded])
    known = {"image_bytes": texts, "images": images.astype(np.float32)}
    known["examples"] = examples

    def value(name: str, text: str) -> np.ndarray:
        return known[name] if name in known else _zeros(text, len(encoded))

    return {
        name: {key: value(key, text) for key, text in spec["inputs"].items()}
        for name, spec in described["signatures"].items()
    }


def _example(image: bytes) -> str:
    """An example that holds a picture alone, in base64."""
    import tensorflow as tf

    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    features = tf.train.Features(feature={record.IMAGE: value})
    made = tf.train.Example(features=features).SerializeToString()
    return base64.b64encode(made).decode()


def _zeros(text: str, count: int) -> np.ndarray:
    """Zeros for an input described as 'float32 [batch, 100]'."""
    dtype, _, shape = text.partition(" ")
    sizes = [count if s == "batch" else int(s) for s in shape.strip("[]").split(", ")]
    return np.zeros(sizes, dtype if dtype != "string" else "U1")


def _call(model: Any, name: str, request: Mapping[str, np.ndarray]) -> Arrays:
    import tensorflow as tf

    inputs = {
        key: [base64.b64decode(text) for text in value] if key in _ENCODED else value
        for key, value in request.items()
    }
    try:
        found = model.signatures[name](
            **{key: tf.constant(value) for key, value in inputs.items()}
        )
    except (KeyError, TypeError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"The signature {name} failed: {reason}") from error
    return {key: value.numpy() for key, value in found.items()}


def _in_fresh_process(
    model_dir: str, requests: Mapping[str, Arrays]
) -> dict[str, Arrays]:
    with tempfile.TemporaryDirectory() as folder:
        sent, got = os.path.join(folder, "sent.npz"), os.path.join(folder, "got.npz")
        np.savez(sent, **_joined(requests))
        command = [sys.executable, "-m", "kfer.serving.check", model_dir, sent, got]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"The model in {model_dir} does not serve: {last}")
        return _parted(got)


def _joined(arrays: Mapping[str, Arrays]) -> Arrays:
    return {f"{n}/{key}": v for n, part in arrays.items() for key, v in part.items()}


def _parted(path: str) -> dict[str, Arrays]:
    found: dict[str, Arrays] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name, value in arrays.items():
            signature, _, key = name.partition("/")
            found.setdefault(signature, {})[key] = value
    return found


def _compare(what: str, expected: Arrays, found: Arrays) -> None:
    for name, value in expected.items():
        if name not in found:
            raise UserError(f"{what} gives no {name}; it gives {', '.join(found)}")
        other = found[name]
        if value.dtype.kind in "OSU":
            same = np.array_equal(value.astype("S"), other.astype("S"))
        else:
            same = value.shape == other.shape and np.allclose(
                value, other, rtol=0.0, atol=TOLERANCE
            )
        if not same:
            raise UserError(f"{what} gives another {name} than the model in process")


def _main(model_dir: str, sent: str, got: str) -> None:
    model = model_folder.load(model_dir)
    answers = {n: _call(model, n, request) for n, request in _parted(sent).items()}
    plain = {
        key: value.astype("S") if value.dtype.kind == "O" else value
        for key, value in _joined(answers).items()
    }
    np.savez(got, **plain)


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
