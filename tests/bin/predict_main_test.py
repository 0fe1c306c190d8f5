import csv
import json
import os

import pytest
from PIL import Image
from skimage import data

from kfer.data import label_orders
from kfer.faces import recorded
from kfer.faces.detectors import Detector
from kfer.serving import export, publish
from tests import runs
from tests.bin.processes import run as run_command
from tests.packages import needs_package
from tests.serving import clips


def run(*arguments):
    return run_command("predict", *arguments)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("model") / "model")
    method = runs.method(runs.run_config())
    export.export_model(method, method.config, path)
    return path


def test_answers_are_json_and_a_bad_picture_is_status_1(model, tmp_path):
    good = tmp_path / "face.png"
    good.write_bytes(runs.encoded()[0])
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    status, out, err = run(good, bad, f"--model={model}", "--format=json")
    assert (status, err) == (1, "")
    first, second = json.loads(out)
    assert first["path"] == str(good)
    assert sum(first["expression"]["probabilities"].values()) == pytest.approx(1)
    assert -1 <= first["valence_arousal"]["arousal"] <= 1
    assert second == {
        "path": str(bad),
        "error": "not an image: starts with b'no pictu'",
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Name pictures and a model: kfer-predict FILE... --model=DIR"),
        (["a.png", "--model=/nowhere"], "/nowhere is no kfer model: it lacks"),
        (["a.png", "--model=m", "--every=2"], "--every is for videos and a camera"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, text):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"kfer-predict: error: {text}") and err.count("\n") == 1


def test_help_tells_how():
    status, out, _ = run("--help")
    assert status == 0
    assert "kfer-predict FILE... --model=DIR" in out and "--format" in out


@needs_package("yuface")
def test_faces_are_found_and_a_picture_without_one_is_no_failure(model, tmp_path):
    for name in ("astronaut", "coffee"):
        Image.fromarray(getattr(data, name)()).save(tmp_path / f"{name}.png")
    status, out, err = run(
        tmp_path,
        f"--model={model}",
        "--format=json",
        "--framing=as_given",
        "--detector=yuface",
    )
    assert (status, err) == (0, "")
    face, none = json.loads(out)
    assert face["face"] == 0 and len(face["box"]) == 4
    assert sum(face["expression"]["probabilities"].values()) == pytest.approx(1)
    assert none == {
        "path": str(tmp_path / "coffee.png"),
        "no_face": "no face found",
    }


@needs_package("yuface")
def test_the_models_folder_says_how_faces_are_cut(tmp_path):
    """An ONNX model, published; its newest version was trained on aligned faces."""
    method = runs.method(runs.run_config())
    notes = export.Notes(framing=recorded.note("landmarks", "yuface"))
    model = str(tmp_path / "model")
    export.export_converted(method, method.config, model, "onnx", notes=notes)
    publish.publish(model, str(tmp_path / "served"))
    Image.fromarray(data.astronaut()).save(tmp_path / "a.png")
    arguments = (tmp_path / "a.png", f"--model={tmp_path}/served", "--format=json")
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    own, whole = json.loads(out), json.loads(run(*arguments, "--framing=none")[1])
    assert own[0]["face"] == 0 and "expression" in own[0]
    assert "face" not in whole[0]
    (face,) = Detector("yuface").detect(data.astronaut())
    assert own[0]["box"] == pytest.approx(face.box, abs=0.1)


@needs_package("yuface")
def test_a_video_is_told_in_csv_and_drawn(model, tmp_path):
    clips.write(tmp_path / "in.avi", [data.astronaut()] * 6, codec="MJPG")
    status, out, err = run(
        tmp_path / "in.avi",
        f"--model={model}",
        "--framing=as_given",
        "--detector=yuface",
        "--every=3",
        "--format=csv",
        "--words",
        "--label_order=raf",
        f"--annotate={tmp_path}/out",
    )
    assert (status, err) == (0, "")
    first, second = csv.DictReader(out.splitlines())
    assert (first["frame"], second["frame"]) == ("0", "3")
    assert (first["time"], second["time"]) == ("0.0", "0.12")
    assert first["face"] == second["face"] == "0"
    number = label_orders.order("raf").first + label_orders.order("raf").classes.index(
        first["expression"]
    )
    assert int(first["expression label"]) == number
    assert first["valence_arousal quadrant"]
    assert os.listdir(tmp_path / "out") == ["in.avi.mp4"]


def test_a_camera_that_is_not_there_is_one_line(model):
    status, out, err = run(f"--model={model}", "--camera=97")
    assert (status, out) == (2, "")
    assert err.startswith("kfer-predict: error: Camera 97 isn't there")
    assert err.count("\n") == 1


def test_answers_are_csv(model, tmp_path):
    (tmp_path / "face.png").write_bytes(runs.encoded()[0])
    status, out, err = run(tmp_path, f"--model={model}", "--format=csv")
    assert (status, err) == (0, "")
    head, row = csv.reader(out.splitlines())
    found = dict(zip(head, row, strict=True))
    assert found["path"] == str(tmp_path / "face.png")
    assert found[f"expression {found['expression']}"] == found["expression confidence"]
