"""kfer-audit: what it prints and writes; wrong use is one line, without TensorFlow."""

import subprocess
import sys

import pytest

from kfer.data import dataset as dataset_lib
from tests import runs
from tests.audit import small
from tests.bin.processes import run


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "kfer-audit needs --data_dir"),
        (["folder"], "kfer-audit takes flags only, got 'folder'"),
        (["--data_dir=nothing"], "There is no folder nothing"),
        (["--data_dir=a", "--step=3"], "--step needs --run"),
        (
            [
                "apply",
                "--data_dir=a",
                "--decisions=b",
                "--corrected_data_dir=c",
                "--score=model",
            ],
            "kfer-audit apply takes no --score",
        ),
        (
            ["--data_dir=a", "--corrected_data_dir=b"],
            "--corrected_data_dir needs --run",
        ),
    ],
)
def test_wrong_use(arguments, text):
    status, _, stderr = run("audit", *arguments)
    assert status == 2 and len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("kfer-audit: error: ") and text in stderr


def test_audit(tmp_path):
    small.write(tmp_path / "set")
    out = tmp_path / "audit"
    status, stdout, stderr = run(
        "audit", f"--data_dir={tmp_path / 'set'}", f"--out_dir={out}"
    )
    assert (status, stderr) == (0, "")
    assert "Note: annotator_4 has no label" in stdout
    assert stdout.splitlines()[-1] == str(out / "audit.json")
    assert (out / "consensus.csv").read_text().startswith("image_id,consensus,")


def test_audit_with_a_run(tmp_path):
    out, copy = tmp_path / "audit", tmp_path / "copy"
    arguments = [f"--data_dir={runs.dataset().root}", f"--run={runs.run()}"]
    arguments += [f"--out_dir={out}", f"--corrected_data_dir={copy}"]
    status, stdout, stderr = run("audit", *arguments)
    assert (status, stderr) == (0, "")
    assert "Note: method 'vgg_all' has no S_joint to ask" in stdout
    assert "Labels that should be another" in stdout  # the truth is not known
    assert (out / "corrected.csv").read_text().startswith("image_id,column,given,")
    assert (out / "audit.html").read_text().count('class="suspect"') == 24 + 24
    corrected = dataset_lib.load(str(copy))
    assert "given_annotator_1" in corrected.columns
    changed = corrected.notes["corrections"]["changed"]
    assert set(changed) == {*(f"annotator_{i}" for i in (1, 2, 3)), "valence_arousal"}
    assert corrected.notes["corrections"]["run"]["step"] == runs.STEP
    # The place is taken now, and that is told before any work.
    status, stdout, stderr = run("audit", *arguments)
    assert status == 2 and stdout == "" and "already holds a data set" in stderr


def test_a_run_that_cannot_judge(tmp_path):
    small.write(tmp_path / "set")
    data = f"--data_dir={tmp_path / 'set'}"
    status, _, stderr = run("audit", data, f"--run={tmp_path}")
    assert status == 2 and "is no run folder" in stderr
    status, _, stderr = run("audit", data, f"--run={runs.run()}", "--step=5")
    assert status == 2 and len(stderr.strip().splitlines()) == 1
    assert "has no checkpoint of step 5" in stderr


# In a process of its own: the flags of two commands can't be defined in one.
NOTHING_PROPOSED = """
import sys, types
from absl import flags
from kfer.audit import corrections
from kfer.bin import audit_main
corrections.of_judgement = lambda *_: {"a": {}, "b": {}}
flags.FLAGS(["kfer-audit", "--corrected_data_dir=" + sys.argv[1]])
judged = types.SimpleNamespace(rankings={}, crowds={})
assert audit_main._write_data(types.SimpleNamespace(sets=None), judged) == ""
"""


def test_no_copy_is_written_where_nothing_is_proposed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_PROPOSED, str(tmp_path / "copy")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing is proposed" in done.stdout
    assert not (tmp_path / "copy").exists()
