import pathlib

import pytest

from kfer.data import input_pipeline, rewrite, shard_files, shards
from kfer.errors import UserError
from tests.data import prepared


def test_a_length_beyond_the_file_is_refused_before_tensorflow_reads_it(tmp_path):
    made = prepared.write(tmp_path / "set")
    path = made.files("train")[0]
    data = bytearray(pathlib.Path(path).read_bytes())
    data[:8] = (2**40 - 16).to_bytes(8, "little")
    pathlib.Path(path).write_bytes(data)
    message = r"record 0 has a length of 1099511627760 bytes, \d+ are left"
    with pytest.raises(UserError, match=message):
        next(shards.read_shard(path))
    with pytest.raises(UserError, match="has changed since it was written"):
        made.files("train")
    with pytest.raises(UserError, match=message):
        shard_files.check(path, shard_files.sha256(path))


def test_every_split_is_compared_with_what_was_written(tmp_path):
    made = prepared.write(tmp_path / "set")
    other = prepared.write(tmp_path / "other", num_test=6, records_per_shard=8)
    path = made.files("test")[0]
    data = bytearray(pathlib.Path(path).read_bytes())
    data[20] ^= 1
    pathlib.Path(path).write_bytes(data)
    for read in (
        lambda: made.files("test"),
        lambda: list(rewrite.records(made, "test")),
        lambda: input_pipeline.eval_batches(made, prepared.small_config()),
    ):
        with pytest.raises(UserError, match=r"SHA-256 differs from dataset\.json"):
            read()
    assert len(made.files("train")) == 3 and other.files("test")
