import dataclasses

import pytest

from kfer.data import verification
from tests.data import prepared


@pytest.fixture
def small(tmp_path):
    return prepared.write(tmp_path / "set")


def with_split(dataset, split: str, **fields):
    changed = dataclasses.replace(dataset.splits[split], **fields)
    return dataclasses.replace(dataset, splits={**dataset.splits, split: changed})


def test_a_whole_data_set_has_no_problems(small):
    assert verification.problems(small) == []


def test_counts_are_compared(small):
    given = {**small.splits["train"].given, "label/annotator_1": 19}
    (problem,) = verification.problems(with_split(small, "train", given=given))
    assert problem == "train: the class counts are not those of dataset.json"
    (problem,) = verification.problems(with_split(small, "test", num_records=7))
    assert problem == "test: the shards' counts don't add up to 7"


def test_record_counts_are_compared(small):
    shard = small.splits["test"].shards[0]
    shards = (dataclasses.replace(shard, num_records=5),)
    found = verification.problems(with_split(small, "test", shards=shards))
    assert "has 6 records, dataset.json says 5" in found[0]


def test_repeated_ids_are_found(small):
    train = small.splits["train"]
    twice = with_split(small, "train", shards=train.shards + train.shards[:1])
    found = verification.problems(twice)
    assert any("8 image ids are used twice: ['train-0', 'train-1'" in f for f in found)


def test_the_meaning_of_columns_is_part_of_the_hash(small):
    column = small.columns["annotator_1"]
    classes = (*column.classes[1::-1], *column.classes[2:])
    columns = {
        **small.columns,
        "annotator_1": dataclasses.replace(column, classes=classes),
    }
    (problem,) = verification.problems(dataclasses.replace(small, columns=columns))
    assert "content hash doesn't fit" in problem


def test_pictures_are_what_the_manifest_says(small):
    (problem, *_) = verification.problems(dataclasses.replace(small, image_size=64))
    assert "record train-0: the picture is (32, 32), not (64, 64)" in problem
    (problem, *_) = verification.problems(
        dataclasses.replace(small, image_format="jpeg")
    )
    assert "the picture is PNG, not jpeg" in problem
