"""kfer.fit gives what kfer-train gives."""

import os

import numpy as np
import pytest
from tensorflow import keras

import kfer
from kfer import runs as runs_lib
from kfer.data import own_data
from kfer.errors import UserError
from kfer.settings import own_data as own_data_lib
from kfer.training import compiling
from kfer.training.loop import RunSettings
from tests import runs

SETTINGS = {
    "backbone": "vgg16",
    "width": 0.125,
    "batch_size": 8,
    "noise_size": 8,
    "embedding_size": 64,
}


def test_the_same_run(tmp_path):
    out_dir = str(tmp_path / "fitted")
    model = kfer.fit(
        runs.dataset(), "vgg_all", 1, out_dir=out_dir, seed=3, eval_every=2, **SETTINGS
    )
    assert isinstance(model, keras.Model)
    assert model.run.name == own_data_lib.NAME and model.run.seed == 3
    assert list(model.curves()["step"]) == [2, 3]
    assert model.origin.data == runs.dataset().content_hash

    config = own_data.experiment_of(
        runs.dataset(), method="vgg_all", epochs=1, seed=3, **SETTINGS
    )
    assert config == model.run
    other = str(tmp_path / "trained")
    runs_lib.train(config, runs.dataset(), other, RunSettings(eval_every=2))
    method, _, _ = compiling.restored(other)
    trained = {v.name: v.numpy() for v in method.encoder.variables}
    for variable in model.method.encoder.variables:
        np.testing.assert_allclose(variable, trained[variable.name], atol=1e-5)
    # the folder is a run as any other
    found = kfer.evaluate(method, runs.dataset(), config)
    assert model.evaluate(runs.dataset())["expression"]["accuracy"] == pytest.approx(
        found["expression"]["accuracy"], abs=0.051
    )
    assert os.path.isfile(os.path.join(out_dir, "config.json"))


@pytest.mark.parametrize(
    "arguments, settings, text",
    [
        (("data",), {}, "kfer.fit takes a kfer data set, got str; make one with"),
        ((None, "magic"), {}, "Unknown method 'magic'"),
        ((None,), {"depth": 3}, "Unknown setting ..depth"),
        ((None,), {"tasks": ["mood"]}, "no labels 'mood' in train"),
        ((None,), {"tasks": "mood"}, "no labels 'mood' in train"),
        (
            (None, "", 1),
            {"steps": 2},
            "^steps and epochs both say how long to train; g",
        ),
        ((None,), {"experiment": "x"}, "Unknown experiment 'x'"),
        ((None,), {"batch_size": 64}, "batch_size 64 is more than the 24 examples"),
        ((None,), {"holdout": 1.5}, "--holdout is a share between 0 and 1"),
    ],
)
def test_wrong_use(arguments, settings, text):
    data, *others = arguments
    with pytest.raises(UserError, match=text):
        kfer.fit(data or runs.dataset(), *others, **settings)


def test_a_signal_is_no_finished_model(monkeypatch, tmp_path):
    monkeypatch.setattr(runs_lib, "train", lambda *_: {"interrupted": True})
    with pytest.raises(UserError, match="with an out_dir the same call would go on"):
        kfer.fit(runs.dataset(), "vgg_all")
    with pytest.raises(UserError, match=f"the same call goes on in {tmp_path}"):
        kfer.fit(runs.dataset(), "vgg_all", out_dir=str(tmp_path))
