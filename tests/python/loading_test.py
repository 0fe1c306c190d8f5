"""Files that are models, and others. What is loaded is in model_test."""

import json
import zipfile

import pytest
from tensorflow import keras

import kfer
from kfer.errors import UserError
from tests.python.small import model


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m.keras"
    model().save(path)
    return str(path)


def test_other_files(path, tmp_path):
    with pytest.raises(UserError, match="There is no model /no.keras"):
        kfer.load("/no.keras")
    with pytest.raises(UserError, match="is no .keras file of kfer's"):
        kfer.load(__file__)
    other = str(tmp_path / "other.keras")
    keras.Sequential([keras.layers.Dense(1, input_shape=(1,))]).save(other)
    with pytest.raises(UserError, match="no model of kfer's"):
        kfer.load(other)


def test_a_damaged_file(path, tmp_path):
    damaged = str(tmp_path / "damaged.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                del config["config"]["run"]["recipe"]
                data = json.dumps(config)
            new.writestr(name, data)
    with pytest.raises(UserError, match="does not fit this version|is damaged"):
        kfer.load(damaged)
