"""A SavedModel in a process without Python: TensorFlow's own loader by its C API."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests import runs
from tests.serving import older_model

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "native_client.c"
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The C program, compiled against the headers and libraries of the wheel."""
    root = Path(tf.__file__).parent
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    if not (root / "include" / "tensorflow" / "c" / "c_api.h").is_file():
        pytest.skip("this TensorFlow comes without C headers")
    if not all((root / name).is_file() for name in LIBRARIES):
        pytest.skip("this TensorFlow comes without its C library")
    program = tmp_path_factory.mktemp("native") / "native_client"
    command = [compiler, "-O1", "-Wall", "-Werror", str(SOURCE), "-o", str(program)]
    command += [f"-I{root / 'include'}", f"-L{root}", f"-Wl,-rpath,{root}"]
    command += [f"-l:{name}" for name in LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def operations(output: str, path: str = "") -> list[str]:
    """Input and output operation, index and that of 'status', as saved_model_cli has."""
    with open(os.path.join(path or runs.model(), "saved_model.pb"), "rb") as file:
        graphs = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs
    signature = graphs[0].signature_def["serving_default"]
    entry = signature.inputs["image_bytes"].name.split(":")[0]
    has = "status" in signature.outputs
    status = signature.outputs["status"].name.split(":")[1] if has else "-1"
    return [entry, *signature.outputs[output].name.split(":"), status]


def run(client, *arguments):
    environment = {"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.run(
        [str(client), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def write(folder, pictures):
    paths = [folder / f"{i}.png" for i in range(len(pictures))]
    for path, data in zip(paths, pictures):
        path.write_bytes(data)
    return paths


@pytest.mark.parametrize("output", ["expression", "valence_arousal"])
def test_the_native_loader_gives_the_same_answers(client, output, tmp_path):
    paths = write(tmp_path, runs.encoded()[:4])
    done = run(client, runs.model(), *operations(output), *paths)
    assert done.returncode == 0, done.stderr
    found = [[float(v) for v in line.split()] for line in done.stdout.splitlines()]
    np.testing.assert_allclose(found, runs.expected()[output][:4], atol=1e-4)


def test_a_bad_picture_has_no_answer_and_the_others_have(client, tmp_path):
    good = runs.encoded()[:2]
    paths = write(tmp_path, [good[0], b"no picture", good[1]])
    done = run(client, runs.model(), *operations("expression"), *paths)
    first, bad, second = done.stdout.splitlines()
    assert done.returncode == 1
    assert bad == "no answer: no whole JPEG or PNG picture"
    found = [[float(v) for v in line.split()] for line in (first, second)]
    np.testing.assert_allclose(found, runs.expected()["expression"][:2], atol=1e-4)


def test_a_model_without_status_is_asked_as_ever(client, tmp_path):
    good = runs.encoded()[0]
    path = older_model.write(tmp_path / "old")
    entries = operations("expression", path)
    assert entries[-1] == "-1"
    done = run(client, path, *entries, *write(tmp_path, [good]))
    found = [float(v) for v in done.stdout.split()]
    np.testing.assert_allclose(found, runs.expected()["expression"][0], atol=1e-4)
    done = run(client, path, *entries, *write(tmp_path, [good, b"no picture"]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no whole JPEG or PNG picture at index] [1]" in done.stderr


def test_what_is_no_model_is_said(client, tmp_path):
    (path,) = write(tmp_path, [b""])
    done = run(client, tmp_path, "x", "y", "0", "-1", path)
    assert done.returncode == 1 and "Loading the model failed" in done.stderr
