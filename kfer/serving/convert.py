"""A trained method -> ONNX or TFLite.

Both are made of kfer.serving.signatures.answer_function: as a SavedModel's
'predict_images', but without class names and confidence, which follow from the
probabilities, and without a check of the images' range, since neither format has errors
to raise.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.serving import model_folder

SAVED_MODEL, ONNX, TFLITE = model_folder.FILES
_OPSET = 17


def to_onnx(function: Any) -> bytes:
    """The model in ONNX; its input is 'images', its outputs are called as the targets.

    Raises:
      UserError: tf2onnx is not installed.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise UserError(
            f"--format={ONNX} needs tf2onnx and onnx, and {error.name} is missing; "
            "install kfer[convert]"
        ) from error
    model, _ = tf2onnx.convert.from_function(
        function,
        function.input_signature,
        opset=_OPSET,
        custom_op_handlers={"Erfc": (_complement_of_erf, [])},
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _complement_of_erf(graph: Any, node: Any, *_: Any) -> None:
    """1 - erf(x) for erfc(x), which newer TensorFlows' gelu asks for and ONNX lacks.

    Args:
      graph: tf2onnx's, that `node` belongs to.
      node: an Erfc.
    """
    from tf2onnx import utils

    output, kind = node.output[0], graph.get_dtype(node.output[0])
    known = {"shapes": [graph.get_shape(output)], "dtypes": [kind]}
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", node.input, **known).output[0]
    one = np.array(1, utils.map_onnx_to_numpy_type(kind))
    one = graph.make_const(utils.make_name("one"), one).output[0]
    graph.make_node("Sub", [one, erf], outputs=[output], name=node.name, **known)


def to_tflite(function: Any, quantize: bool = False) -> bytes:
    """The model in TFLite; its signature is 'serving_default'.

    Args:
      function: of kfer.serving.signatures.answer_function.
      quantize: weights as int8 (dynamic range): a quarter of the size.
    """
    import tensorflow as tf

    module = tf.Module()
    module.function = function
    concrete = function.get_concrete_function()
    module.captured = list(concrete.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    if quantize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with _quiet():
        return converter.convert()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what the converter writes to stderr's descriptor when all is well."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def write(folder: str, function: Any, form: str, quantize: bool = False) -> str:
    """Converts into `folder`; the file's path. `form` is ONNX or TFLITE."""
    data = to_onnx(function) if form == ONNX else to_tflite(function, quantize)
    path = os.path.join(folder, model_folder.FILES[form])
    with open(path, "wb") as file:
        file.write(data)
    return path
