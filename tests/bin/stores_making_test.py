"""Importing, preparing and auditing on an object store, as on folders."""

import json
import os

import fsspec
import numpy as np
import pytest

from kfer.data.datasets import raf
from kfer.data.datasets import table as tables
from kfer.storage import fetching
from tests import stores
from tests.bin import processes

pytestmark = pytest.mark.slow

BUCKET = "s3://making"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder with a table of ratings, its pictures, and RAF-DB."""
    root = tmp_path_factory.mktemp("raw")
    tables.make_fake_root(str(root / "table"), 8, np.random.default_rng(0))
    raf.make_fake_root(str(root / "raf"), 20, np.random.default_rng(0))
    return str(root)


@pytest.fixture(scope="module")
def store(raw, tmp_path_factory):
    """The cache's folder; the store is up and holds what `raw` holds."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, stores.s3("making"):
        patch.setenv(fetching.CACHE, str(folder))
        fsspec.filesystem("s3").put(raw, f"{BUCKET}/raw", recursive=True)
        yield str(folder)


def commands(raw, made):
    """The three commands, from a raw place to one for what is made."""
    table = f"{raw}/table/ratings.csv"
    return (
        ["data", "import", table, f"--images={raw}/table", f"--out_dir={made}/mine"],
        [
            *("preprocess", "--dataset=raf", f"--source_dir={raw}/raf"),
            *("--image_size=32", "--processes=1", f"--out_dir={made}/faces"),
        ],
        ["audit", f"--data_dir={made}/mine", f"--out_dir={made}/audit"],
    )


@pytest.mark.timeout(1800)
def test_what_is_made_is_that_of_folders(raw, store, tmp_path):
    for words in (*commands(raw, tmp_path), *commands(f"{BUCKET}/raw", BUCKET)):
        status, _, errors = processes.run(*words)
        assert status == 0, errors
    there = stores.content(BUCKET)
    for name in ("mine", "faces"):
        with open(tmp_path / name / "dataset.json") as file:
            here = json.load(file)
        made = json.loads(there[f"{name}/dataset.json"])
        assert made["content_hash"] == here["content_hash"] and here["splits"]
    audit = sorted(os.listdir(tmp_path / "audit"))
    assert [f"audit/{name}" for name in audit] == [k for k in there if "audit/" in k]
    with open(tmp_path / "audit/consensus.csv", "rb") as file:
        assert there["audit/consensus.csv"] == file.read()
    assert not [k for k, data in there.items() if store.encode() in data]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_bucket_that_is_not_there_is_one_line(raw, store, which):
    before = stores.content(BUCKET)
    words = commands(raw, "s3://no-such-bucket")
    status, _, errors = processes.run(*words[which])
    last = errors.strip().splitlines()[-1]
    assert status == 2 and "no-such-bucket" in last and "Traceback" not in errors
    assert stores.content(BUCKET) == before
