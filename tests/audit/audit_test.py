"""The audit of a small data set by hand, and of CIFAR-10N's published labels."""

import json
import pathlib

import numpy as np
import pytest

from kfer import tasks
from kfer.audit import audit, files, tables
from kfer.audit.label_sets import LabelSets
from kfer.data import dataset, record
from kfer.data.datasets import ReaderOptions, cifar10n
from kfer.noise import flips
from tests.audit import small
from tests.crowd import crowds
from tests.data import prepared

SHARED = pathlib.Path(__file__).parents[2] / "../shared/data/cifar10n_human_labels.npz"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit") / "set"
    small.write(folder)
    return audit.audit(str(folder), command="kfer-audit")


def test_classes_by_hand(found):
    classes = found.summary["classes"]
    assert classes["reference"] == "clean/class"
    noise = {name: row["noise"] for name, row in classes["against"].items()}
    # One of five pictures is a fox that both call a dog; 2 and 3 are wrong once more.
    assert noise["annotator_1"] == 1 / 5 and noise["annotator_2"] == 2 / 5
    assert noise["annotator_3"] == 1 / 4 and noise["annotator_4"] is None
    assert noise["first"] == noise[audit.MAJORITY] == 1 / 5
    assert classes["against"]["annotator_1"]["kept"] == [1, 1, 0]
    assert classes["pairwise"]["agreement"][0] == [1, 4 / 5, 3 / 4, None]
    one = classes["unanimity"]
    assert (one["labels"], one["all_agree"]) == ([1, 0, 1, 4], 3 / 5)
    assert found.consensus.classes[5] == -1
    assert classes["dawid_skene"]["prior"][2] == 0


def test_values_by_hand(found):
    (group,) = found.summary["values"]
    truth = group["against"]["clean/valence_arousal"]["value_2"]
    np.testing.assert_allclose(truth["bias"], [0.1, 0.1], atol=1e-6)
    np.testing.assert_allclose(truth["scale"][0], 1, atol=1e-5)
    others = group["against"]["the mean of the others"]["value_1"]
    np.testing.assert_allclose(others["bias"], [-0.1, -0.1], atol=1e-6)
    # Valences 0 to 0.4: variance 0.02; CCC 0.04 / (0.04 + 0.01).
    assert group["pairwise"]["ccc"][0][1][0] == pytest.approx(0.8, abs=1e-5)
    assert group["spread"]["value_1"]["variance"][0] == pytest.approx(0.02, abs=1e-6)


def test_what_is_missing_is_said_and_counted(found):
    assert found.summary["missing"]["annotator_4"] == 6
    assert found.summary["missing"]["annotator_3"] == 2
    assert found.summary["notes"] == [
        "annotator_4 has no label",
        "1 of 6 pictures have no annotator's class",
        "no annotator gives fox",
    ]


def test_summary_is_plain_and_has_its_provenance(found):
    again = json.loads(json.dumps(found.summary, allow_nan=False))
    assert again == found.summary
    assert again["provenance"]["command"] == "kfer-audit"
    assert len(again["provenance"]["data"]["content_hash"]) == 64


def test_without_the_truth_the_consensus_is_the_reference(tmp_path):
    small.write(tmp_path / "set", truth=False)
    summary = audit.audit(str(tmp_path / "set")).summary
    classes = summary["classes"]
    assert classes["reference"] == audit.CONSENSUS
    assert audit.CONSENSUS not in classes["against"]
    assert classes["against"]["annotator_1"]["compared"] == 5
    assert summary["notes"][-1].startswith("the truth is not known")
    assert list(summary["values"][0]["against"]) == ["the mean of the others"]


def test_no_class_from_any_annotator():
    columns = {"annotator_1": record.categorical("annotator_1", ("a", "b"))}
    sets = LabelSets(["x"], {"annotator_1": np.array([-1])}, {}, columns, {})
    assert audit.of_classes(sets) == (None, None)
    assert audit.notes(sets, None) == [
        "annotator_1 has no label",
        "no annotator gives a class",
    ]


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not here")
def test_published_cifar10n_labels():
    arrays = np.load(SHARED)
    truth = arrays["clean_label"].astype(np.int64)
    labels = cifar10n.read_labels(str(SHARED), truth)
    labels = {name: labels[array] for name, array in cifar10n.COLUMNS.items()}
    people = np.stack([labels[f"annotator_{i}"] for i in (1, 2, 3)])
    labels["majority"] = flips.majority_vote(people, 10)
    columns = cifar10n.columns(ReaderOptions())
    clean = {"class": record.categorical("class", tasks.CIFAR10_CLASSES)}
    ids = [f"train-{i:05d}" for i in range(len(truth))]
    sets = LabelSets(ids, labels, {"class": truth}, columns, clean)
    classes, consensus = audit.of_classes(sets)
    noise = {n: round(100 * r["noise"], 2) for n, r in classes["against"].items()}
    assert [noise[f"annotator_{i}"] for i in (1, 2, 3)] == [17.23, 18.12, 17.64]
    assert noise["aggregate"] == 9.01 and noise["worst"] == 40.21
    assert round(100 * classes["unanimity"]["all_agree"], 2) == 60.36
    assert round(100 * classes["unanimity"]["no_majority"], 2) == 6.08
    # The aggregate is the majority wherever there is one.
    votes = np.sort(np.sum(people[:, :, None] == np.arange(10), axis=0), axis=1)
    clear = votes[:, -1] > votes[:, -2]
    assert np.all(labels["aggregate"][clear] == labels["majority"][clear])
    assert consensus.converged and noise[audit.CONSENSUS] < noise["annotator_1"]
    assert "9.01 %" in "\n".join(
        " ".join(row) for row in tables.tables(_summary(classes))[0].rows
    )


def _summary(classes):
    return {"classes": classes, "missing": {}, "values": []}


def test_annotators_who_share_no_picture_are_not_judged():
    columns = {
        name: record.categorical(name, ("a", "b"))
        for name in ("annotator_1", "annotator_2")
    }
    labels = {"annotator_1": [0, 1, -1, -1], "annotator_2": [-1, -1, 1, 0]}
    stacks = {name: np.array(rows) for name, rows in labels.items()}
    sets = LabelSets(list("wxyz"), stacks, {}, columns, {})
    classes, _ = audit.of_classes(sets)
    assert [row["noise"] for row in classes["against"].values()] == [None] * 3
    assert not np.any(list(classes["dawid_skene"]["confusions"].values()))
    (note,) = [n for n in audit.notes(sets, classes) if "share a picture" in n]
    assert note.startswith("no two annotators")


def test_labels_that_are_the_truth_themselves_have_no_noise():
    columns = {"mood": record.categorical("mood", ("a", "b"))}
    said = {"mood": np.array([0, 1, 1, -1])}
    sets = LabelSets(list("wxyz"), said, said, columns, columns)
    classes, _ = audit.of_classes(sets)
    # nor has what is computed of them alone
    assert {name: row["noise"] for name, row in classes["against"].items()} == {
        "mood": None,
        audit.MAJORITY: None,
        audit.CONSENSUS: None,
    }
    assert "mood is the reference itself, or its copy: its noise can't be told" in (
        audit.notes(sets, classes)
    )


def test_values_that_are_the_truth_themselves_have_no_noise():
    columns = {name: record.valence_arousal(name) for name in ("mood", "other")}
    said = {"mood": np.array([[0.5, 0.0], [-0.25, 0.5], [np.nan, np.nan]])}
    clean = {"mood": columns["mood"]}
    sets = LabelSets(list("xyz"), said, said, clean, clean)
    assert audit.of_values(sets, ["mood"])["against"] == {}
    assert "mood is the reference itself, or its copy: its noise can't be told" in (
        audit.notes(sets, None)
    )
    both = said | {"other": np.array([[0.25, 0.0], [0.25, 0.0], [0.0, 0.0]])}
    sets = LabelSets(list("xyz"), both, said, columns, clean)
    found = audit.of_values(sets, ["mood", "other"])["against"]["clean/mood"]
    assert list(found) == ["other"]
    # errors -1/4 and 1/2 of valence, 0 and -1/2 of arousal
    np.testing.assert_allclose(found["other"]["rmse"], np.sqrt([5 / 32, 1 / 8]))


def test_many_annotators_are_a_crowd_instead_of_pairs(tmp_path):
    truth, triples = crowds.sparse(annotators=30, share=0.1, items=200)
    names = [f"annotator_{a:02d}" for a in range(30)]
    columns = {name: record.categorical(name, tasks.EXPRESSIONS[:7]) for name in names}
    clean = {"expression": record.categorical("expression", tasks.EXPRESSIONS[:7])}
    said = [{} for _ in truth]
    for i, a, label in zip(triples.item, triples.annotator, triples.label, strict=True):
        said[i][names[a]] = int(label)
    rows = [
        record.Record(f"p{i}", prepared.png(i, 8), labels, {"expression": int(t)})
        for i, (labels, t) in enumerate(zip(said, truth, strict=True))
    ]
    dataset.write(str(tmp_path / "set"), "crowd", {"train": rows}, columns, clean)
    found = audit.audit(str(tmp_path / "set"))
    (crowd,) = found.summary["crowds"]
    assert found.summary["classes"]["pairwise"] is None and crowd["people"] == 30
    text = tables.text(found.summary)
    assert "Agreement of two annotators" not in text
    assert "expression: annotators by clean/expression" in text
    right = {name: row["right"] for name, row in crowd["consensus"].items()}
    # What consensus.csv says is that of the crowd.
    labelled = found.consensus.classes >= 0
    shared = found.sets.clean["expression"][labelled]
    assert np.mean(found.consensus.classes[labelled] == shared) == pytest.approx(
        right["the one written"]
    )
    files.write(str(tmp_path / "out"), found)
    assert (tmp_path / "out" / "audit.html").exists()
