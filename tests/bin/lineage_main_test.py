"""kfer-lineage: wrong use is one line; TensorFlow is not needed."""

import pytest

from tests.bin.processes import run
from tests.packages import needs_package

pytestmark = needs_package("ml_metadata")


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "kfer-lineage takes one model folder, got []"),
        (["a", "b"], "takes one model folder"),
        (["nothing"], "There is no model folder "),
        (["nothing", "--picture=a.gif"], "--picture is a .png, .svg or .pdf file"),
    ],
)
def test_wrong_use(arguments, text):
    status, _, stderr = run("lineage", *arguments)
    assert status == 2 and len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("kfer-lineage: error: ") and text in stderr


def test_a_pushed_model(first, tmp_path):
    _, (result, _), _ = first
    picture = tmp_path / "lineage.png"
    status, stdout, stderr = run("lineage", result.model, f"--picture={picture}")
    assert (status, stderr) == (0, "")
    notes = result.nodes["face_example_gen"].outputs["examples"].notes
    assert f"data       {notes['content_hash']}" in stdout
    assert "model_pusher on " in stdout and picture.stat().st_size > 5000


def test_help():
    status, stdout, _ = run("lineage", "--help")
    assert status == 0 and "--metadata" in stdout
