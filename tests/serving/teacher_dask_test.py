"""A teacher on Dask's workers, one of which is killed while it works."""

import glob

import pytest

from kfer.data import datasets
from kfer.serving import export
from tests import runs
from tests.packages import needs_package
from tests.preprocess import dask_workers
from tests.preprocess.job_test import content


def relabelled(data, model, out, beam_args):
    """What components.relabeler makes of a data set, file -> bytes."""
    from tfx.types import standard_artifacts

    from components import artifacts
    from components.relabeler import executor

    examples, teacher = standard_artifacts.Examples(), standard_artifacts.Model()
    relabeled = standard_artifacts.Examples()
    examples.uri, teacher.uri, relabeled.uri = data, model, str(out)
    context = executor.Executor.Context(
        beam_pipeline_args=list(beam_args), tmp_dir=str(out), unique_id="1"
    )
    out.mkdir()
    executor.Executor(context).Do(
        {executor.EXAMPLES: [examples], executor.TEACHER: [teacher]},
        {executor.RELABELED: [relabeled]},
        {executor.COLUMNS: "expression,valence_arousal", executor.CODE_VERSION: ""},
    )
    assert artifacts.load_examples(relabeled).splits["train"].num_records == 150
    return content(out)


@pytest.mark.slow
@needs_package("tfx")
def test_a_killed_worker_changes_no_answer(tmp_path):
    options = datasets.ReaderOptions(limit={"train": 150, "test": 70})
    data, model = str(tmp_path / "data"), str(tmp_path / "model")
    datasets.make("synthetic_faces", "", data, options)
    export.export_run(runs.run(), model)
    here = relabelled(data, model, tmp_path / "here", [])

    def begun():
        return bool(glob.glob(f"{tmp_path}/there/tmp*/beam-temp-answers-*"))

    with dask_workers.cluster(2) as cluster:
        with dask_workers.killing(cluster, begun) as killed:
            flags = dask_workers.flags_of(cluster)
            there = relabelled(data, model, tmp_path / "there", flags)
    assert len(killed) == 1
    assert here == there and len(here) >= 2
