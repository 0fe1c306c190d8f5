import dataclasses
import glob
import json
import os

import cv2
import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import near_copies, record
from kfer.data.record import Record
from tests.data import shared_cases

COLUMNS = {"label": record.categorical("label", ("a", "b"))}


def smooth(seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 6, 3), np.uint8)
    return cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)


def png(picture):
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def test_look_is_brighter_than_the_left_neighbour():
    ramp = np.repeat(np.arange(0, 170, 10, dtype=np.uint8)[None], 16, axis=0)
    picture = np.repeat(ramp[..., None], 3, axis=2)
    plain, mirrored = near_copies.look(picture)
    assert plain.all() and not mirrored.any()
    turned = near_copies.look(np.ascontiguousarray(picture[:, ::-1]))
    assert not turned[0].any() and turned[1].all()


@pytest.fixture
def made(tmp_path):
    one, other = smooth(1), smooth(2)
    brighter = np.clip(one * 1.1, 0, 255).astype(np.uint8)
    train = [Record("t1", png(one), {"label": 0}, {})]
    train += [
        Record("t2", png(other), {"label": 1}, {}),
    ]
    flat = np.full((48, 48, 3), 9, np.uint8)
    test = [
        Record("mirror", png(one[:, ::-1]), {"label": 1}, {}),
        Record("brighter", png(brighter), {"label": 0}, {}),
        Record("new", png(smooth(3)), {"label": 0}, {}),
        Record("flat", png(flat), {"label": 0}, {}),
    ]
    splits = {"train": train, "test": test}
    return dataset_lib.write(str(tmp_path / "set"), "x", splits, COLUMNS, {})


def test_copies_are_found_and_listed(made):
    same, found = near_copies.report(made, remove=False)
    assert same is made
    pairs = [(c.image_id, c.of, c.contrary) for c in found]
    assert pairs == [("mirror", "t1", True), ("brighter", "t1", False)]
    with open(f"{made.root}/{near_copies.FILE}", encoding="utf-8") as file:
        assert [json.loads(line)["image_id"] for line in file] == ["mirror", "brighter"]
    assert "2 pictures look like one of another split, 1 of them with other labels" in (
        near_copies.describe(found)
    )


def test_copies_are_set_aside(made):
    rest, _ = near_copies.report(made, remove=True)
    assert rest.splits["test"].num_records == 2
    assert rest.rejected == {"leak: test picture looks like one in train": 2}
    assert near_copies.find(rest) == [] and near_copies.describe([]) == ""


def test_the_last_split_may_keep_them(made):
    notes = {near_copies.KEPT_BY: ["test", "valid", "train"]}
    found = near_copies.find(dataclasses.replace(made, notes=notes))
    pairs = [(c.split, c.image_id, c.of_split, c.of) for c in found]
    assert [pair[:3] for pair in pairs] == [("train", "t1", "test")]
    odd = dataclasses.replace(made, notes={near_copies.KEPT_BY: 3})
    assert [c.split for c in near_copies.find(odd)] == ["test", "test"]


def test_forty_of_forty_copies(tmp_path):
    root = shared_cases.make("near_copies", str(tmp_path))
    names = {"train": [], "test": []}
    for path in sorted(glob.glob(f"{root}/*.[pj][np]g")):
        name = os.path.basename(path)
        picture = cv2.resize(cv2.imread(path), (64, 64))
        split = "test" if name.startswith("t") else "train"
        data = cv2.imencode(".png", picture)[1].tobytes()
        names[split].append(Record(name, data, {"label": 0}, {}))
    for kind in ("mirror", "bright", "big", "j"):
        train = [r for r in names["train"] if r.image_id.startswith(kind)]
        splits = {"train": train, "test": names["test"]}
        path = str(tmp_path / f"set-{kind}")
        found = near_copies.find(dataset_lib.write(path, "x", splits, COLUMNS, {}))
        assert len(found) == len(train) == 10, kind
        digits = [
            [c for c in n if c.isdigit()] for f in found for n in (f.of, f.image_id)
        ]
        assert digits[::2] == digits[1::2]
