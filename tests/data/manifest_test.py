import json

import fsspec
import pytest

from kfer.data import manifest, record
from kfer.data.record import Rejected
from kfer.data.shards import ShardInfo, Tally
from kfer.errors import UserError
from kfer.storage import fetching
from tests import stores

COLUMNS = {"a": record.categorical("a", ("x", "y"))}
SHARDS = {"train": [ShardInfo("t0", 3, 10, "00"), ShardInfo("t1", 1, 5, "11")]}


def build(shards=SHARDS, **fields):
    tally = Tally({"label/a": [3, 1]}, {"label/a": 4}, {"a": (1, 4)})
    return manifest.build_manifest(
        "small", shards, {"train": tally}, COLUMNS, COLUMNS, **fields
    )


def test_manifest_counts_and_states_noise():
    got = build(noise={"a": 0.3}, rejected={"z": 1, "b": 2}, command="make it")
    assert got["splits"]["train"]["num_records"] == 4
    assert got["splits"]["train"]["class_counts"] == {"label/a": [3, 1]}
    # 1 of 4 labels differs from the truth.
    row = {"requested": 0.3, "achieved": 0.25, "compared": 4}
    assert got["noise"] == {"train": {"a": row}}
    assert list(got["rejected"].items()) == [("b", 2), ("z", 1)]
    assert got["command"] == "make it"
    assert build()["noise"]["train"]["a"]["requested"] is None
    known = {"train": {"b": {"achieved": 0.5}}, "valid": {"a": {"achieved": 0.1}}}
    # Splits that were not written are left out.
    assert build(known_noise=known)["noise"] == {
        "train": {"a": {**row, "requested": None}, "b": {"achieved": 0.5}}
    }
    assert set(got["versions"]) == {"kfer", "python", "tensorflow", "numpy"}


def test_noise_in_words():
    assert manifest.noise_text({"achieved": 0.25}) == "noise 25.00%"
    # such are labels that are the only truth there is
    own = {"achieved": 0.0, "requested": None}
    assert manifest.noise_text(own) == "no label differs from what counts as its truth"
    row = own | {"requested": 0.0}
    assert manifest.noise_text(row) == "noise 0.00%, requested 0.00%"
    row = {"achieved": 0.25, "requested": 0.3}
    assert manifest.noise_text(row) == "noise 25.00%, requested 30.00%"
    row = {"compared": 2, "rmse": [0.1, 0.25], "ccc": None, "bias": [0.0, -0.5]}
    assert manifest.noise_text(row) == "noise rmse 0.100 0.250, bias 0.000 -0.500"
    assert manifest.noise_text({"compared": 0, "rmse": None}) == "noise unknown"
    own = {"compared": 2, "rmse": [0.0, 0.0], "ccc": [1.0, 1.0], "bias": [0.0, 0.0]}
    assert manifest.noise_text(own) == "no value differs from what counts as its truth"


def test_content_hash_follows_shards_and_meaning_only():
    first = build()["content_hash"]
    assert build(command="other", notes={"a": 1})["content_hash"] == first
    changed = {"train": [SHARDS["train"][0], ShardInfo("t1", 1, 5, "12")]}
    assert build(changed)["content_hash"] != first
    turned = {"a": record.categorical("a", ("y", "x"))}
    assert manifest.content_hash(SHARDS, turned, COLUMNS) != first
    assert manifest.content_hash(SHARDS, COLUMNS, COLUMNS) == first


def test_no_record_at_all_is_an_error():
    with pytest.raises(UserError, match=r"No example of small.*set aside: \{'b': 2\}"):
        build({"train": []}, rejected={"b": 2})


def test_rejected_are_written_and_counted(tmp_path):
    items = [Rejected("i1", "bad", "ü", "f:1"), Rejected("i2", "bad", "", "f:2")]
    items.append(Rejected("i3", "worse", "", "f:3"))
    assert manifest.write_rejected(str(tmp_path), items) == {"bad": 2, "worse": 1}
    lines = (tmp_path / "rejected.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [item._asdict() for item in items]


def test_what_is_written_names_places_and_no_copies(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))
    place = stores.memory_place()
    fsspec.filesystem("memory").pipe(f"{place}/ratings.csv", b"a,b")
    path = f"{fetching.local_copy(place)}/ratings.csv"
    manifest.write_manifest(
        str(tmp_path), build(options={"table": {"path": path}, "machine_labels": path})
    )
    manifest.write_rejected(str(tmp_path), [Rejected("i", "bad", path, f"{path}:1")])
    said = json.loads((tmp_path / "dataset.json").read_text())["options"]
    named = f"{place}/ratings.csv"
    assert said == {"table": {"path": named}, "machine_labels": named}
    assert named in (tmp_path / "rejected.jsonl").read_text()
    for name in ("dataset.json", "rejected.jsonl"):
        assert str(tmp_path / "cache") not in (tmp_path / name).read_text()
