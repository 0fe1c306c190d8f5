import dataclasses
import json
import os
import resource

import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import shards, verification
from kfer.data.record import Rejected
from kfer.errors import UserError
from tests.data import prepared


@pytest.fixture
def small(tmp_path):
    return prepared.write(tmp_path / "set", noise={"annotator_2": 0.25})


def edit_manifest(dataset, **fields) -> None:
    path = os.path.join(dataset.root, "dataset.json")
    with open(path) as file:
        content = json.load(file)
    with open(path, "w") as file:
        json.dump({**content, **fields}, file)


def shard_bytes(dataset) -> dict[str, bytes]:
    found = {}
    for name in sorted(os.listdir(dataset.root)):
        if name.endswith(".tfrecord"):
            with open(os.path.join(dataset.root, name), "rb") as file:
                found[name] = file.read()
    return found


def test_written_data_set_reads_back(small):
    assert small == dataset_lib.load(small.root)
    assert small.columns == prepared.COLUMNS
    assert small.clean_columns == prepared.CLEAN
    train, test = small.splits["train"], small.splits["test"]
    assert [shard.num_records for shard in train.shards] == [8, 8, 4]
    assert (train.num_records, test.num_records) == (20, 6)
    assert train.class_counts["clean/class"] == (2,) * 10
    assert test.given == {"clean/class": 6}
    verification.verify(small)


def test_noise_is_stated(small):
    # Of 0..19 annotator_2 misses 0 5 10 15; of the other 16, 4 8 12 16 are wrong.
    assert small.noise == {
        "train": {
            "annotator_1": {"requested": None, "achieved": 0.0, "compared": 20},
            "annotator_2": {"requested": 0.25, "achieved": 0.25, "compared": 16},
        }
    }


def test_equal_input_gives_equal_bytes(small, tmp_path):
    again = prepared.write(tmp_path / "again", command="another")
    assert shard_bytes(again) == shard_bytes(small)
    assert len(shard_bytes(small)) == 4
    assert again.content_hash == small.content_hash


def test_rejected_are_kept_with_their_reasons(tmp_path):
    rejected = [Rejected("x", "blurred", "very", "list:1")] * 3
    small = prepared.write(tmp_path / "set", rejected=rejected)
    assert small.rejected == {"blurred": 3}
    with open(os.path.join(small.root, "rejected.jsonl")) as file:
        assert len(file.readlines()) == 3


def test_splits_may_come_mixed(tmp_path):
    items = [("test", prepared.make_record(0, "test"))]
    items += [("train", prepared.make_record(i)) for i in range(3)]
    items += [
        Rejected("r", "blurred", "", ""),
        ("test", prepared.make_record(1, "test")),
    ]
    small = dataset_lib.write_items(
        str(tmp_path / "set"),
        "small",
        iter(items),
        prepared.COLUMNS,
        prepared.CLEAN,
        splits=("train", "valid"),
    )
    counts = {split: info.num_records for split, info in small.splits.items()}
    assert counts == {"train": 3, "valid": 0, "test": 2}
    verification.verify(small)


def test_a_failing_input_leaves_nothing(tmp_path):
    def records():
        yield prepared.make_record(0)
        raise RuntimeError("the reader broke")

    with pytest.raises(RuntimeError, match=r"the reader broke"):
        dataset_lib.write(
            str(tmp_path / "set"),
            "small",
            {"train": records()},
            prepared.COLUMNS,
            prepared.CLEAN,
        )
    assert os.listdir(tmp_path) == []


def test_a_real_write_limit_is_one_line_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(
            UserError, match=r"Can't write to .*set: .*as it was"
        ) as caught:
            prepared.write(tmp_path / "set", num_train=40, records_per_shard=100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_load_names_a_missing_folder_and_manifest(tmp_path):
    with pytest.raises(UserError, match=r"There is no folder .*none; make one with"):
        dataset_lib.load(str(tmp_path / "none"))
    with pytest.raises(
        UserError, match=r"is not a prepared data set: it has no dataset"
    ):
        dataset_lib.load(str(tmp_path))


def test_load_refuses_other_versions_and_damage(small):
    edit_manifest(small, format_version=99)
    with pytest.raises(UserError, match=r"format version 99, this kfer reads 1"):
        dataset_lib.load(small.root)
    edit_manifest(small, format_version=1, splits={"train": {}})
    with pytest.raises(UserError, match=r"is damaged \(KeyError: 'shards'\)"):
        dataset_lib.load(small.root)
    with open(os.path.join(small.root, "dataset.json"), "w") as file:
        file.write('{"format_ver')
    with pytest.raises(UserError, match=r"is damaged \(JSONDecodeError"):
        dataset_lib.load(small.root)


def test_load_names_a_missing_or_cut_shard(small):
    path = small.files("train")[1]
    size = os.path.getsize(path)
    os.truncate(path, size - 1)
    text = f"has {size - 1} bytes, dataset.json says {size}"
    with pytest.raises(UserError, match=text):
        dataset_lib.load(small.root)
    os.remove(path)
    with pytest.raises(UserError, match=r"train-00001-of-00003.tfrecord is missing"):
        dataset_lib.load(small.root)


def test_a_shard_outside_the_folder_is_refused(small):
    splits = json.loads(json.dumps(dataclasses.asdict(small)["splits"]))
    splits["train"]["shards"][0]["file"] = "../set/train-00000-of-00003.tfrecord"
    edit_manifest(small, splits=splits)
    with pytest.raises(UserError, match=r"is outside the folder"):
        dataset_lib.load(small.root)


def test_a_changed_byte_is_found(small):
    path = small.files("train")[2]
    with open(path, "r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"?")
    assert len(small.files("test")) == len(small.split("test").shards)
    with pytest.raises(UserError, match=r"00002-of-00003.* has changed since"):
        small.files("train")
    with pytest.raises(UserError, match=r"is damaged: train: .* has another SHA-256"):
        verification.verify(small)


def test_a_shard_cut_between_records_is_found(small):
    # Whole as a TFRecord file; only the manifest knows that records are gone.
    path = small.files("train")[0]
    kept = list(shards.read_shard(path))[:5]
    size = sum(len(serialized) + 16 for serialized in kept)
    os.truncate(path, size)
    assert list(shards.read_shard(path)) == kept
    with pytest.raises(UserError, match=r"bytes, dataset.json says"):
        dataset_lib.load(small.root)
    with pytest.raises(UserError, match=r"has changed since"):
        small.files("train")


def test_unknown_and_empty_splits_are_named(small):
    with pytest.raises(
        UserError, match=r"no examples in a split 'valid'; it has \['tr"
    ):
        small.split("valid")
