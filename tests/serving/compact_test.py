"""A small network with batch norm, whose averages answer, in every format."""

import numpy as np
import pytest

from kfer.serving import convert, export, runtimes
from kfer.settings import config as config_lib
from kfer.training import averaging, checkpoints, compiling, run_folder
from tests import runs


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run whose average stands far from its last weights, statistics too."""
    config = config_lib.experiment_config(
        "synthetic_faces",
        method="vgg_all",
        optimization="fast",
        backbone="compact_xs",
        width=0.5,
        noise_size=8,
        batch_size=8,
    )
    method = compiling.compiled(compiling.timed(config, 9))
    rng, average = np.random.default_rng(0), averaging.of(method)
    for head in method.encoder.heads:  # logits are a ninth of what they give
        head.kernel.assign(rng.normal(0.0, 3.0, head.kernel.shape).astype(np.float32))
    for _ in range(12):
        method.encoder(runs.images(), training=True)  # batch norm's statistics
    average.start()
    for fast in average.fast:
        fast.assign(0.8 * fast)
    path = str(tmp_path_factory.mktemp("compact") / "run")
    run_folder.claim(path, method.config, runs.dataset())
    checkpoints.Checkpoints(method, path).save(9)
    return path


@pytest.fixture(scope="module")
def expected(run_dir):
    """What the Keras model says with its averages, which isn't what it was left with."""
    method, config, _ = compiling.restored(run_dir)
    assert config.optimization.test_averaging == "flip_shift"
    found = {name: v.numpy() for name, v in method.answers(runs.images()).items()}
    last = compiling.compiled(config)
    checkpoints.restore_model(last, run_dir)
    others = last.answers(runs.images())["expression"].numpy()
    assert np.abs(found["expression"] - others).max() > 0.01
    assert np.ptp(found["expression"], axis=0).max() > 0.01
    return found


@pytest.mark.parametrize("form", (convert.SAVED_MODEL, convert.ONNX, convert.TFLITE))
def test_it_answers_as_the_keras_model(run_dir, expected, tmp_path, form):
    if form == convert.ONNX:
        pytest.importorskip("tf2onnx", reason="kfer[convert] is not installed")
        pytest.importorskip("onnxruntime", reason="kfer[convert] is not installed")
    path = str(tmp_path / "model")
    export.export_run(run_dir, path, calibrate_on="none", form=form)
    for part in (slice(0, 20), slice(3, 4)):
        found = runtimes.load(path)(runs.images()[part])
        for target, wanted in expected.items():
            np.testing.assert_allclose(
                found[target], wanted[part], rtol=1e-4, atol=1e-5, err_msg=target
            )
