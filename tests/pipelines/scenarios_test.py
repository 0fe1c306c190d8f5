"""The paper's two scenarios on drawn faces: a teacher of one set labels the other."""

import os

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import rewrite
from pipelines import config as config_lib
from tests.pipelines import drawn_roots, tiny

FACES = 800
TEACHER_STEPS = 300
TEACHER = {
    "image_size": 32,
    "width": 0.25,
    "batch_size": 32,
    "learning_rate": 5e-4,
    "dropout_rate": 0.2,
    "augmentation": "none",
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """(RAF-DB, AffectNet)."""
    folder = tmp_path_factory.mktemp("raw")
    drawn_roots.raf(str(folder / "raf"), FACES)
    drawn_roots.affectnet(str(folder / "affectnet"), FACES)
    return str(folder / "raf"), str(folder / "affectnet")


def noise_by_hand(dataset, split):
    wrong = [
        record.labels["expression"] != record.clean["expression"]
        for record in rewrite.records(dataset, split)
    ]
    return np.mean(wrong)


def run(name, root, *places, **settings):
    described = config_lib.named(
        name,
        tiny.SETTINGS | settings,
        TEACHER,
        minimum={"expression/accuracy": 0.0},
        steps=4,
        teacher_steps=TEACHER_STEPS,
    )
    return tiny.run(described, root, *places)


def test_the_two_sets_look_different(tmp_path):
    drawn_roots.raf(str(tmp_path / "raf"), 40)
    drawn_roots.affectnet(str(tmp_path / "affectnet"), 40)
    roots = str(tmp_path / "raf"), str(tmp_path / "affectnet")
    raf, affectnet = drawn_roots.gap(*roots)
    assert affectnet > 1.25 * raf  # grey ink against soft colours


@pytest.mark.slow
def test_raf_base(roots, tmp_path):
    """A teacher of AffectNet gives RAF-DB both kinds of labels."""
    raf, affectnet = roots
    result, lines = run("raf_base", tmp_path, raf, affectnet)
    before = dataset_lib.load(result.output("face_example_gen", "examples"))
    after = dataset_lib.load(result.output("relabeler", "relabeled"))
    assert "valence_arousal" not in before.columns
    given = after.splits["train"].given
    assert given["label/valence_arousal"] == given["label/expression"] == 600
    rate = after.noise["train"]["expression"]["achieved"]
    assert rate == noise_by_hand(after, "train")
    assert 0.05 < rate < 0.95
    assert f"wrong labels: expression {100 * rate:.1f} %" in lines["relabeler"][1]
    print(f"raf_base: {100 * rate:.1f} % of the machine's training labels are wrong")
    assert result.model.endswith("models/raf_base/1")
    _, again = run("raf_base", tmp_path, raf, affectnet)
    assert len(tiny.cached(again)) == len(again) - 1  # but the resolver
    # The teacher's model, taken as it is, gives the same labels.
    teacher = os.path.join(result.output("teacher_trainer", "model"), "Format-Serving")
    taken, lines = run("raf_base", tmp_path / "taken", raf, "", teacher)
    same = dataset_lib.load(taken.output("relabeler", "relabeled"))
    own = {r.image_id: r.labels for r in rewrite.records(after, "train")}
    for record in rewrite.records(same, "train"):
        labels = own[record.image_id]
        assert record.labels["expression"] == labels["expression"]
        pair = record.labels["valence_arousal"]
        np.testing.assert_allclose(pair, labels["valence_arousal"], atol=1e-4)
    assert "teacher_trainer" not in lines and "teacher_importer" in lines


@pytest.mark.slow
def test_affectnet_base(roots, tmp_path):
    """A teacher of RAF-DB gives AffectNet expressions; V and A stay its own."""
    raf, affectnet = roots
    result, _ = run("affectnet_base", tmp_path, affectnet, raf, method="joint")
    before = dataset_lib.load(result.output("face_example_gen", "examples"))
    after = dataset_lib.load(result.output("relabeler", "relabeled"))
    own = {r.image_id: r for r in rewrite.records(before, "train")}
    for record in rewrite.records(after, "train"):
        values = record.labels["valence_arousal"]
        assert values == own[record.image_id].labels["valence_arousal"]
        assert record.clean == own[record.image_id].clean
    rate = after.noise["train"]["expression"]["achieved"]
    assert rate == noise_by_hand(after, "train")
    assert 0.05 < rate < 0.95
    print(f"affectnet_base: {100 * rate:.1f} % of the machine's labels are wrong")
    assert result.model.endswith("models/affectnet_base/1")
