import json

import pytest

from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from tests.data import prepared


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return prepared.write(tmp_path_factory.mktemp("set") / "set")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("splits", "train", "num_records"), 21, "is 21, its shards have 20"),
        (("splits", "train", "num_records"), "20", "is a str, not a int"),
        (("splits", "train", "num_records"), True, "is a bool, not a int"),
        (("splits", "train", "given", "label/annotator_1"), -1, "is -1, below 0"),
        (("splits", "train", "class_counts", "clean/class"), 3, "is a int, not a list"),
        (("splits", "train"), [], "splits.train is a list, not a dict"),
        (("columns", "annotator_1", "classes"), "abc", "classes is a str, not a list"),
        (("columns", "annotator_1", "low"), "x", "low is no number"),
        (("splits",), None, "splits is a NoneType"),
        (("image_size",), "32", "image_size is a str"),
        (("notes",), [[]], "notes is a list"),
    ],
)
def test_odd_kinds_and_wrong_counts_are_named(made, tmp_path, place, value, message):
    with open(f"{made.root}/dataset.json", encoding="utf-8") as file:
        content = json.load(file)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"is damaged .*{message}"):
        dataset_lib.load(str(tmp_path))


@pytest.mark.parametrize("text", ["[" * 100_000, "[1]", '"x"', "{}", '{"a":' * 9999])
def test_other_json_is_damaged(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(UserError, match="is damaged"):
        dataset_lib.load(str(tmp_path))
