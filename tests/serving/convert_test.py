import math
import os
import sys

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.serving import convert, export, model_folder, runtimes
from tests import runs

pytest.importorskip("tf2onnx", reason="kfer[convert] is not installed")
pytest.importorskip("onnxruntime", reason="kfer[convert] is not installed")


@pytest.mark.parametrize("form", [convert.ONNX, convert.TFLITE])
def test_drawn_faces_get_the_answers_of_the_trained_network(form):
    answers = runtimes.load(runs.model(form))
    for part in (slice(0, 20), slice(3, 4), slice(5, 8)):
        found = answers(runs.images()[part])
        assert sorted(found) == ["expression", "valence_arousal"]
        for target, wanted in runs.expected().items():
            np.testing.assert_allclose(found[target], wanted[part], atol=1e-4)


def test_onnx_has_erfc_though_it_has_no_such_operation():
    import onnxruntime
    import tensorflow as tf

    points = np.linspace(-4, 4, 33, dtype=np.float32)[None]
    signature = [tf.TensorSpec((None, 33), tf.float32, "images")]
    function = tf.function(lambda images: {"y": tf.math.erfc(images)}, signature)
    session = onnxruntime.InferenceSession(convert.to_onnx(function))
    (found,) = session.run(["y"], {"images": points})
    np.testing.assert_allclose(
        found, [[math.erfc(x) for x in points[0]]], rtol=0, atol=1e-6
    )


def test_int8_weights_take_a_quarter_and_cost_little():
    plain, small = (runs.model(convert.TFLITE, quantize) for quantize in (False, True))
    sizes = [os.path.getsize(os.path.join(p, "model.tflite")) for p in (plain, small)]
    assert sizes[1] < 0.4 * sizes[0]
    found = runtimes.load(small)(runs.images())
    wanted = runs.expected()["expression"]
    # Random weights make answers that hang on small differences, unlike trained ones.
    assert 0 < np.abs(found["expression"] - wanted).mean() < 0.1
    assert np.sum(found["expression"].argmax(1) == wanted.argmax(1)) >= 15


def test_bgr_networks_take_rgb_pictures(tmp_path):
    config = runs.config(method="vgg_all", recipe="authors_2021")
    assert config.recipe.channel_order == "bgr"
    method = runs.method(config)
    path = str(tmp_path / "model")
    export.export_converted(method, config, path, convert.TFLITE)
    found = runtimes.load(path)(runs.images())
    wanted = method.answers(runs.images()[..., ::-1])["expression"]
    np.testing.assert_allclose(found["expression"], wanted, atol=1e-4)


def test_the_folder_tells_what_it_holds():
    described = model_folder.read_description(runs.model(convert.ONNX))
    assert (described["format"], described["quantized"]) == ("onnx", False)
    assert described["signatures"]["predict_images"] == {
        "inputs": {"images": "float32 [batch, 32, 32, 3]"},
        "outputs": {
            "expression": "float32 [batch, 7]",
            "valence_arousal": "float32 [batch, 2]",
        },
    }
    assert sorted(os.listdir(runs.model(convert.ONNX))) == ["assets", "model.onnx"]


def test_a_missing_converter_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UserError, match=r"tf2onnx is missing; install kfer\[convert\]"):
        export.export_converted(
            runs.answering(), runs.run_config(), str(tmp_path / "m"), convert.ONNX
        )
    assert os.listdir(tmp_path) == []
