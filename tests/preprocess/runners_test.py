"""Beam's flags and the runner that they name."""

import pytest

from kfer.errors import UserError
from kfer.preprocess import runners

OWN = "kfer.preprocess.dask_runner.DaskRunner"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], ["--runner=FnApiRunner"]),
        (["--x=1"], ["--runner=FnApiRunner", "--x=1"]),
        (["--runner=FlinkRunner"], ["--runner=FlinkRunner"]),
        (["--runner=DaskRunner", "--x"], [f"--runner={OWN}", "--x"]),
        (["--x", "--runner", "dask"], ["--x", "--runner", OWN]),
    ],
)
def test_the_runner_is_named(args, expected):
    assert runners.flags(args) == expected
    assert runners.is_own(args) is (OWN in " ".join(expected))


def test_what_beam_does_not_know_is_one_line():
    with pytest.raises(UserError, match="Beam refuses --runner=NoRunner: Unexpected"):
        runners.pipeline(["--runner=NoRunner"])
    with pytest.raises(UserError, match="Beam refuses --runner=no.module.Runner"):
        runners.pipeline(["--runner=no.module.Runner"])
