"""Strategies by name, the chief's folder, rows of each worker, bytes summed."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import input_pipeline
from kfer.errors import UserError
from kfer.training import compiling, strategies
from tests import runs


def cluster(kind="worker", index=0, **hosts):
    hosts = hosts or {"worker": ["a:1", "b:1"]}
    return json.dumps({"cluster": hosts, "task": {"type": kind, "index": index}})


def test_one_device_needs_no_strategy():
    assert strategies.make_strategy("default").num_replicas_in_sync == 1


def test_mirrored_on_a_cpu_has_one_replica():
    strategy = strategies.make_strategy("mirrored")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert strategy.num_replicas_in_sync == 1


def test_unknown_strategy():
    with pytest.raises(
        UserError, match="'gpu'; known: default, mirrored, multi_worker, tpu"
    ):
        strategies.make_strategy("gpu")


def test_no_tpu(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(UserError, match="There is no TPU 'local'.*set TPU_NAME"):
        strategies.make_strategy("tpu")


@pytest.mark.parametrize(
    "text, chief",
    [
        (cluster(index=0), True),
        (cluster(index=1), False),
        (cluster("chief", chief=["a:1"], worker=["b:1"]), True),
        (cluster("worker", 0, chief=["a:1"], worker=["b:1"]), False),
    ],
)
def test_one_worker_is_chief(monkeypatch, text, chief):
    monkeypatch.setenv("TF_CONFIG", text)
    assert strategies.is_chief("multi_worker") is chief
    assert strategies.is_chief("mirrored")


@pytest.mark.parametrize(
    "text",
    ("", "{", "[]", '{"cluster": {}}', cluster(index=2), cluster("ps", ps=["a:1"])),
)
def test_a_wrong_cluster_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="needs a TF_CONFIG with all workers"):
        strategies.make_strategy("multi_worker")


def test_only_the_chief_writes_the_folder(monkeypatch, tmp_path):
    run_dir = str(tmp_path / "run")
    monkeypatch.setenv("TF_CONFIG", cluster(index=0))
    with strategies.own_folder("multi_worker", run_dir) as own:
        assert own == run_dir
    monkeypatch.setenv("TF_CONFIG", cluster(index=1))
    with strategies.own_folder("multi_worker", run_dir) as own:
        assert os.path.isdir(own) and own != run_dir
    assert not os.path.exists(own)
    with strategies.own_folder("mirrored", run_dir) as own:
        assert own == run_dir


def test_a_lost_worker_is_one_line():
    lost = tf.errors.UnavailableError(None, None, "Socket closed\nmore")
    with pytest.raises(UserError, match=r"\(Socket closed\); stop them all"):
        with strategies.one_line_if_lost("multi_worker"):
            raise lost
    with pytest.raises(tf.errors.UnavailableError):
        with strategies.one_line_if_lost("mirrored"):
            raise lost


def test_replicas_get_the_rows_of_one_batch(two_replicas):
    config, dataset = runs.run_config(), runs.dataset()

    def make(context):
        return input_pipeline.train_dataset(dataset, config, 1, input_context=context)

    whole = next(iter(strategies.distribute(tf.distribute.get_strategy(), make)))
    parts = next(iter(strategies.distribute(two_replicas, make)))
    joined = tf.nest.map_structure(
        lambda part: np.concatenate(two_replicas.experimental_local_results(part)),
        parts,
        expand_composites=False,
    )
    for expected, found in zip(tf.nest.flatten(whole), tf.nest.flatten(joined)):
        np.testing.assert_array_equal(found, expected)
    assert len(two_replicas.experimental_local_results(parts.index)[0]) == 4


def test_bytes_summed_by_a_step(joint, tiny_config):
    """Four bytes a value: D's twice, batch norm's sums forward and backward."""
    found = strategies.allreduce_bytes(joint, joint.config)
    values = {
        part: sum(np.prod(v.shape) for v in getattr(joint, part).trainable_variables)
        for part in ("encoder", "decoder", "discriminator")
    }
    assert found["generator"] == 4 * (values["encoder"] + values["decoder"])
    assert found["discriminator"] == 2 * 4 * values["discriminator"]
    # Width 1/8 of 512, 512, 256 and 128 channels.
    channels = 64 + 64 + 32 + 16
    assert found["batch_norm"] == 4 * 4 * channels
    assert found["total"] == sum(v for k, v in found.items() if k != "total")
    paper = strategies.allreduce_bytes(joint, tiny_config("paper"))
    assert paper["discriminator"] == 4 * values["discriminator"]
    assert paper["batch_norm"] == 6 * 4 * channels


def test_bytes_summed_by_the_encoder_alone():
    config = runs.run_config()
    found = strategies.allreduce_bytes(compiling.compiled(config), config)
    assert found["discriminator"] == found["batch_norm"] == 0
    assert found["total"] == found["generator"] > 0


def test_one_replica_is_compiled_without_mirroring():
    mirrored = strategies.make_strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    alone = strategies.make_strategy("mirrored", jit_compile=True)
    assert alone is tf.distribute.get_strategy()
