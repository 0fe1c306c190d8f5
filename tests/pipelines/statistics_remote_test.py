"""TFDV's statistics by Beam workers that don't share the driver's /tmp."""

import glob
import os
import shutil

import pytest

from kfer.data import label_schema
from tests import remote_workers, runs


@pytest.fixture
def shared():
    with remote_workers.shared_folder() as folder:
        yield folder


def count(data, out, beam_args):
    """What label_gate says of the training split's statistics."""
    import tensorflow as tf
    import tensorflow_data_validation as tfdv
    from apache_beam.options.pipeline_options import PipelineOptions

    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "FeatureStats.pb")
    try:
        found = tfdv.generate_statistics_from_tfrecord(
            f"{data}/train-*.tfrecord",
            path,
            tfdv.StatsOptions(feature_allowlist=["label/annotator_1"]),
            PipelineOptions(list(beam_args)),
        )
    except (OSError, tf.errors.OpError):
        # TFDV reads what its workers wrote, which TFX's component does not.
        assert not os.path.exists(path)
    else:
        with open(path, "wb") as file:  # as TFX's component writes it
            file.write(found.SerializeToString())
    return label_schema.miscounted({"train": out}, {"train": 24})


@pytest.mark.slow
def test_statistics_count_every_record_or_are_refused(shared, tmp_path):
    data = f"{shared}/data"
    shutil.copytree(runs.dataset().root, data)
    assert len(glob.glob(f"{data}/train-*.tfrecord")) == 1
    with remote_workers.beam_args() as remote:
        assert count(data, f"{shared}/statistics", remote) == []
        # /tmp is another one there: what the workers write is never seen here.
        assert count(data, str(tmp_path / "lost"), remote) == [
            "train has 24 records, its statistics count 0"
        ]
