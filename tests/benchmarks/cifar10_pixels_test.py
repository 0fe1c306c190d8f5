"""Sheets of CIFAR-10's pixels become the batches that the reader reads."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import cifar10_pixels
from kfer.data import safe_pickle
from kfer.errors import UserError


@pytest.fixture
def package(tmp_path):
    rng = np.random.default_rng(0)
    sheets = {}
    for names, file in cifar10_pixels.SPLITS.values():
        for name in names:
            sheets[name] = rng.integers(0, 256, (2, 1024, 3), np.uint8)
            Image.fromarray(sheets[name]).save(tmp_path / f"{name}.png")
        (tmp_path / file).write_text(json.dumps(list(range(2 * len(names)))))
    return tmp_path, sheets


def test_the_batches_of_the_official_archive(package):
    folder, sheets = package
    out = folder / "cifar-10-batches-py"
    cifar10_pixels.convert(str(folder), str(out), batch=2)
    found = safe_pickle.load(str(out / "data_batch_3"))
    assert found[b"labels"] == [4, 5]
    planes = found[b"data"].reshape(2, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(planes, sheets["data_batch_3"].reshape(2, 32, 32, 3))
    assert safe_pickle.load(str(out / "test_batch"))[b"labels"] == [0, 1]
    assert safe_pickle.load(str(out / "batches.meta"))[b"label_names"][6] == b"frog"


def test_what_is_no_such_package(package):
    folder, _ = package
    with pytest.raises(UserError, match=r"is \(2, 1024, 3\), not \(10000, 1024, 3\)"):
        cifar10_pixels._sheet(str(folder / "test_batch.png"), 10_000)
    (folder / "test_lables.json").write_text("[1]")
    with pytest.raises(UserError, match="test_lables.json holds no list of 2 labels"):
        cifar10_pixels.convert(str(folder), str(folder / "out"), batch=2)
    (folder / "data_batch_1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="data_batch_1.png is no sheet"):
        cifar10_pixels.convert(str(folder), str(folder / "out"), batch=2)
