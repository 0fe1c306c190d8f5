"""A run folder of an earlier kfer (commit aed7d31, before the modules moved) loads.

tests/testdata/run_before_rooms.tar.xz is what these commands left, without pictures,
TensorBoard's files, warm-up requests and the first checkpoint:

    kfer-data make --dataset=synthetic_faces --num_train=64 --num_test=16 --out_dir=..
    kfer-train --experiment=synthetic_faces --method=joint --width=0.01 --steps=2
      --eval_every=1 --batch_size=8 --set=noise_size=2 --set=gan_start_epoch=-1 ..

Its SavedModel holds the network as that kfer computed it, so it says what the
checkpoint must answer today.
"""

import tarfile
import types
from pathlib import Path

import numpy as np
import pytest

from kfer.evaluation import report, results
from kfer.serving import confidence, model_folder, runtimes, signatures
from kfer.settings import config as config_lib
from kfer.training import compiling, run_folder

STORED = Path(__file__).parent / "testdata" / "run_before_rooms.tar.xz"
STEP = 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(STORED) as archive:
        archive.extractall(folder, filter="data")
    return str(folder / "run")


def pictures():
    return np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)


def test_its_config_is_that_of_the_same_command(run):
    expected = config_lib.experiment_config(
        "synthetic_faces",
        method="joint",
        recipe="kfer",
        width=0.01,
        batch_size=8,
        noise_size=2,
        gan_start_epoch=-1,
    )
    assert config_lib.differences(run_folder.load_config(run), expected) == []
    # So the same command on the same data goes on.
    versions = run_folder.read_json(f"{run}/{run_folder.VERSIONS}")
    data = types.SimpleNamespace(**versions["data"])
    run_folder.claim(run, expected, data)


def test_its_checkpoint_answers_as_its_model_does(run):
    model = f"{run}/{run_folder.MODEL}"
    old = runtimes.load(model)(pictures())
    method, config, step = compiling.restored(run)
    calibration = model_folder.read_description(model)["calibration"]
    function = signatures.answer_function(
        method, config, confidence.temperatures(calibration)
    )
    new = function(pictures())
    assert step == STEP and set(new) <= set(old)
    for target in ("expression", "valence_arousal"):
        np.testing.assert_allclose(new[target], old[target], rtol=1e-4, atol=1e-6)
    # A fresh network of these sizes does not answer so.
    fresh = signatures.answer_function(
        compiling.compiled(config), config, confidence.temperatures(calibration)
    )
    assert not np.allclose(fresh(pictures())["expression"], old["expression"], 1e-4)


def test_its_scores_and_report_are_made(run):
    found = results.load_run(run)
    assert [row["step"] for row in found.history] == [1, STEP]
    assert found.metrics["last"]["step"] == STEP
    page = Path(report.write_report(run)).read_text()
    accuracy = found.metrics["last"]["test"]["expression"]["accuracy"]
    assert f"{accuracy:.2%}".replace("%", "") in page
