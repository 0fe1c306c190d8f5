"""One way to ask a kfer model of any format."""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.serving import model_folder

Answers = Callable[[np.ndarray], Mapping[str, Any]]


def load(model_dir: str, threads: int = 0) -> Answers:
    """The model's function of float32 images [B, S, S, 3] in [-1, 1], RGB.

    It returns target -> probabilities [B, K] or values [B, D]; a SavedModel also what
    kfer.serving.signatures.outputs adds.

    Args:
      model_dir: of kfer-export, in any format.
      threads: of ONNX Runtime and TFLite; 0 takes all cores. TensorFlow's are set
        for the process.

    Raises:
      UserError: no model, a damaged one, or its runtime is not installed.
    """
    model_folder.read_description(model_dir)
    form = model_folder.format_of(model_dir)
    path = os.path.join(model_dir, model_folder.FILES[form])
    if form == "saved_model":
        return _saved_model(model_dir)
    load_file = _onnx if form == "onnx" else _tflite
    try:
        # Threads beyond the cores this process may use would wait for each other.
        return load_file(path, threads or len(os.sched_getaffinity(0)))
    except ImportError as error:
        raise UserError(
            f"{path} needs {error.name}, which is missing; install kfer[convert]"
        ) from error
    # ONNX Runtime has exceptions of its own, which derive from Exception alone.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} is damaged ({reason}); export it again") from error


def _saved_model(model_dir: str) -> Answers:
    predict = model_folder.load(model_dir).signatures["predict_images"]

    def answers(images: Any) -> Mapping[str, Any]:
        found = predict(images=images)
        if bad := model_folder.faults(found):
            said = next(iter(bad.values()))
            raise ValueError(f"{said}; not at index {list(bad)[:16]}")
        return found

    return answers


def _onnx(path: str, threads: int) -> Answers:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]

    def answers(images: Any) -> dict[str, Any]:
        found = session.run(names, {"images": np.asarray(images, np.float32)})
        return dict(zip(names, found, strict=True))

    return answers


def _tflite(path: str, threads: int) -> Answers:
    import tensorflow as tf

    with warnings.catch_warnings():
        # Newer TensorFlows announce its end, which is the maintainers' concern.
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is")
        interpreter = tf.lite.Interpreter(path, num_threads=threads)
    runner = interpreter.get_signature_runner()
    outputs = {n: row["index"] for n, row in runner.get_output_details().items()}
    (entry,) = (row["index"] for row in runner.get_input_details().values())
    shape: tuple[int, ...] = ()

    # Not by the runner, which lays out its memory anew at each call.
    def answers(images: Any) -> dict[str, Any]:
        nonlocal shape
        images = np.asarray(images, np.float32)
        if not len(images):  # its int8 kernels divide by the batch's size
            one = answers(np.zeros((1, *images.shape[1:]), np.float32))
            return {name: value[:0] for name, value in one.items()}
        if images.shape != shape:
            interpreter.resize_tensor_input(entry, images.shape)
            interpreter.allocate_tensors()
            shape = images.shape
        interpreter.set_tensor(entry, images)
        interpreter.invoke()
        return {name: interpreter.get_tensor(i) for name, i in outputs.items()}

    return answers
