"""A teacher whose Beam workers don't share the driver's /tmp."""

import shutil

import pytest

from kfer.errors import UserError
from kfer.serving import export, teacher
from tests import remote_workers, runs


@pytest.fixture(scope="module")
def shared():
    """A folder that driver and workers both see, with the data set and the model."""
    with remote_workers.shared_folder() as folder:
        shutil.copytree(runs.dataset().root, f"{folder}/data")
        export.export_run(runs.run(), f"{folder}/model")
        yield folder


@pytest.mark.slow
def test_answers_come_back_from_workers_with_another_tmp(shared):
    from kfer.data import dataset as dataset_lib

    data = dataset_lib.load(f"{shared}/data")
    here = teacher.label(data, f"{shared}/model", ["expression"])
    with remote_workers.beam_args() as remote:
        there = teacher.label(data, f"{shared}/model", ["expression"], remote, shared)
        assert there.expression == here.expression
        with pytest.raises(UserError, match="given 44 pictures .* but 0 answers"):
            teacher.label(data, f"{shared}/model", ["expression"], remote)
