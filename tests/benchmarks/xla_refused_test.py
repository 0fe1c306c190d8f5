"""What the exported step alone would learn wrongly is refused in one line."""

import sys
import types
from pathlib import Path

import pytest

from kfer import methods
from kfer.errors import UserError
from kfer.settings import config as config_lib
from tests import runs

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "xla"))
import exporting


@pytest.mark.parametrize(
    "fields, found",
    [
        ({"backbone": "compact_xs"}, "'compact_xs'"),
        ({"optimization": "fast"}, "an optimization"),
    ],
)
def test_more_than_steps_of_adam(fields, found):
    run = config_lib.experiment_config("synthetic_faces", method="vgg_all", **fields)
    with pytest.raises(UserError, match=f"can't be exported with .*{found}"):
        exporting.check(types.SimpleNamespace(said_tasks=()), run)


def test_labels_that_are_counted_beforehand():
    run = methods.resolve_tasks(
        config_lib.experiment_config("synthetic_faces", method="em", width=0.1)
    )
    with pytest.raises(UserError, match="can't be exported with method 'em', which"):
        exporting.build(methods.fit_to_data(run, runs.dataset()))
