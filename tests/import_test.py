import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import types

import pytest

import kfer

PROGRAM = """
import json, os, sys, time
start = time.perf_counter()
import kfer
seconds = time.perf_counter() - start
heavy = {"tensorflow", "keras", "apache_beam", "tfx", "tensorflow_addons", "numpy"}
print(json.dumps({
    "seconds": seconds,
    "heavy": sorted(heavy & set(sys.modules)),
    "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
    "keras_2": os.environ.get("TF_USE_LEGACY_KERAS"),
}))
"""


def imported(program=PROGRAM, **variables):
    """What a fresh process says after importing kfer."""
    chosen = ("TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS")
    environment = {k: v for k, v in os.environ.items() if k not in chosen}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_import_is_quick_and_light():
    found = [imported() for _ in range(3)]
    assert min(f["seconds"] for f in found) < 0.3
    assert found[0]["heavy"] == []


def test_onednn_is_switched_on_unless_the_user_chose():
    assert imported()["onednn"] == "1"
    assert imported(TF_ENABLE_ONEDNN_OPTS="0")["onednn"] == "0"


def test_keras_2_is_asked_for_where_keras_3_is_installed():
    installed = importlib.metadata.version("keras")
    assert imported()["keras_2"] == (None if installed.startswith("2.") else "1")


class TestWhichKeras:
    @pytest.fixture
    def choose(self, monkeypatch, tmp_path):
        """TF_USE_LEGACY_KERAS after it, where tf.keras.Model is of module `model`."""

        def choose(keras_3, before=None, model=None):
            folder = tmp_path / "keras"
            (folder / "_tf_keras" if keras_3 else folder).mkdir(parents=True)
            found = types.SimpleNamespace(submodule_search_locations=[str(folder)])
            monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
            chosen = {"TF_USE_LEGACY_KERAS": before} if before else {}
            monkeypatch.setattr(os, "environ", chosen)
            monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
            if model:
                keras = types.SimpleNamespace(
                    Model=type("M", (), {"__module__": model})
                )
                tensorflow = types.SimpleNamespace(keras=keras)
                monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
            kfer._choose_keras()
            return chosen.get("TF_USE_LEGACY_KERAS")

        return choose

    def test_keras_2_is_left_alone(self, choose):
        assert choose(keras_3=False) is None

    def test_keras_3_gives_way_before_it_is_used(self, choose):
        assert choose(keras_3=True) == "1"

    def test_keras_2_chosen_by_the_user(self, choose):
        model = "tf_keras.src.engine.training"
        assert choose(keras_3=True, before="true", model=model) == "true"

    @pytest.mark.parametrize(
        "given", ({"before": "0"}, {"model": "keras.src.models.model"})
    )
    def test_keras_3_in_use_is_refused(self, choose, given):
        message = "kfer needs Keras 2 and tf.keras is Keras 3: import kfer before"
        with pytest.raises(ImportError, match=message):
            choose(keras_3=True, **given)


def test_configuration_needs_no_tensorflow():
    program = PROGRAM.replace(
        "import kfer\n",
        "import kfer, kfer.settings.config, kfer.methods, kfer.tasks\n"
        "kfer.experiment_config('cifar10_multi'); kfer.METHODS; kfer.UserError\n",
        1,
    )
    assert imported(program)["heavy"] == []


def test_public_names():
    assert set(kfer.__all__) == set(dir(kfer))
    for name in kfer.__all__:
        assert getattr(kfer, name) is not None, name


def test_an_unknown_name():
    try:
        kfer.Trainer  # noqa: B018
    except AttributeError as error:
        assert str(error) == "module 'kfer' has no attribute 'Trainer'"
    else:
        raise AssertionError("kfer.Trainer exists")


def test_data_sets_can_be_named_after_import_kfer_alone():
    code = "import kfer; print(kfer.data.dataset.load.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "kfer.data.dataset"
