"""kfer-audit: what it prints and writes; wrong use is one line, without TensorFlow."""

import pytest

from tests.audit import small
from tests.bin.processes import run


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "kfer-audit needs --data_dir"),
        (["folder"], "kfer-audit takes flags only, got 'folder'"),
        (["--data_dir=nothing"], "There is no folder nothing"),
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
