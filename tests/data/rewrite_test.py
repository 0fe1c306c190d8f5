"""New labels under the same pictures: noise and machine labels, joined by image id."""

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import record as record_lib
from kfer.data import rewrite
from kfer.data.datasets.machine_labels import MachineLabels
from kfer.data.label_noise import LabelNoise
from kfer.data.record import Record, Rejected
from kfer.errors import UserError

CLASSES = ("a", "b", "c", "d")
COLUMNS = {"expression": record_lib.categorical("expression", CLASSES)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Forty training and eight test records of known truth, and one set aside."""

    def records(split, count):
        for i in range(count):
            labels = {"expression": i % 4}
            yield Record(f"{split}-{i}", b"png%d" % i, labels, dict(labels), "list:1")

    return dataset_lib.write(
        str(tmp_path_factory.mktemp("data") / "set"),
        "raf",
        {"train": records("train", 40), "test": records("test", 8)},
        COLUMNS,
        COLUMNS,
        rejected=[Rejected("bad", "corrupt", "no picture", "list:9")],
        image_size=8,
    )


def by_id(dataset, split):
    return {record.image_id: record for record in rewrite.records(dataset, split)}


def test_noise_changes_training_labels_alone(dataset, tmp_path):
    noise = LabelNoise("exclusive", (0.25, 0.5), seed=7)
    noisy = rewrite.with_noise(dataset, noise, str(tmp_path / "noisy"))
    before, after = by_id(dataset, "train"), by_id(noisy, "train")
    for name, rate in (("annotator_1", 0.25), ("annotator_2", 0.5)):
        wrong = [after[i].labels[name] != before[i].clean["expression"] for i in before]
        assert np.mean(wrong) == rate  # exclusive flips change exactly rate * n
        assert noisy.noise["train"][name] == {
            "requested": rate,
            "achieved": rate,
            "compared": 40,
        }
    assert all("expression" not in record.labels for record in after.values())
    assert by_id(noisy, "test") == by_id(dataset, "test")
    assert noisy.rejected == {"corrupt": 1}
    assert noisy.notes["labels_of"] == dataset.content_hash


def test_pictures_and_truth_stay(dataset, tmp_path):
    noise = LabelNoise("exclusive", (0.25,))
    noisy = rewrite.with_noise(dataset, noise, str(tmp_path / "noisy"))
    for split in ("train", "test"):
        before, after = by_id(dataset, split), by_id(noisy, split)
        assert list(before) == list(after)
        for image_id, record in before.items():
            assert after[image_id]._replace(labels=record.labels) == record


def test_equal_noise_gives_equal_bytes(dataset, tmp_path):
    hashes = {
        rewrite.with_noise(
            dataset, LabelNoise("exclusive", (0.25,), seed=seed), str(tmp_path / name)
        ).content_hash
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    }
    assert len(hashes) == 2


def test_machine_labels_are_joined_by_id(dataset, tmp_path):
    ids = [f"train-{i}" for i in range(40)] + [f"test-{i}" for i in range(8)]
    # every fifth training picture is mistaken for the next class
    wrong = {i for i in range(40) if i % 5 == 0}
    machine = MachineLabels(
        {
            image_id: (int(image_id.split("-")[1]) + (n in wrong)) % 4
            for n, image_id in enumerate(ids)
        },
        {image_id: (n / 100, -n / 100) for n, image_id in enumerate(ids)},
    )
    # read in another order than written: the join does not go by position
    shuffled = dict(reversed(list(machine.expression.items())))
    machine = MachineLabels(shuffled, machine.valence_arousal)
    found = rewrite.with_machine_labels(dataset, machine, str(tmp_path / "machine"))
    train = by_id(found, "train")
    assert train["train-10"].labels["expression"] == 3  # 10 % 4 = 2, mistaken
    assert train["train-11"].labels["expression"] == 3
    values = train["train-11"].labels["valence_arousal"]
    np.testing.assert_allclose(values, (0.11, -0.11), atol=1e-6)
    assert found.noise["train"]["expression"]["achieved"] == 0.2
    assert found.noise["test"]["expression"]["achieved"] == 0.0
    assert train["train-10"].clean == {"expression": 2}


def test_a_picture_without_a_machine_label(dataset, tmp_path):
    machine = MachineLabels({"train-0": 1})
    with pytest.raises(UserError, match="47 images have no machine expression label"):
        rewrite.with_machine_labels(dataset, machine, str(tmp_path / "machine"))
    assert not (tmp_path / "machine").exists()


def test_noise_on_what_is_not_known(dataset, tmp_path):
    with pytest.raises(UserError, match="Noise on 'class' needs its truth"):
        rewrite.with_noise(
            dataset,
            LabelNoise("exclusive", (0.1,), column="class"),
            str(tmp_path / "noisy"),
        )


def test_corrections_keep_what_was_given(dataset, tmp_path):
    changes = {"expression": {"train-3": 0, "train-5": 3}}
    notes = {"command": "kfer-audit", "run": {"step": 12}}
    new = rewrite.with_corrections(
        dataset, "train", changes, str(tmp_path / "new"), notes
    )
    before, after = by_id(dataset, "train"), by_id(new, "train")
    assert list(before) == list(after)
    for image_id, record in after.items():
        given = before[image_id].labels["expression"]
        assert record.labels["given_expression"] == given
        new_label = changes["expression"].get(image_id, given)
        assert record.labels["expression"] == new_label
        assert record.image == before[image_id].image
    assert by_id(new, "test") == by_id(dataset, "test")
    assert new.notes["corrections"] == notes and new.command == "kfer-audit"
    assert new.notes["labels_of"] == dataset.content_hash
    # Two of forty differ from the truth now, and it is told.
    assert new.noise["train"]["expression"]["achieved"] == 2 / 40
    assert new.noise["train"]["given_expression"]["achieved"] == 0
    # A second correction keeps what was given first.
    again = rewrite.with_corrections(
        new, "train", {"expression": {"train-3": 1}}, str(tmp_path / "again"), notes
    )
    labels = by_id(again, "train")["train-3"].labels
    assert labels == {"expression": 1, "given_expression": 3}


def test_corrections_that_cannot_be(dataset, tmp_path):
    out = str(tmp_path / "new")
    with pytest.raises(UserError, match="no label column happiness to correct"):
        rewrite.with_corrections(dataset, "train", {"happiness": {}}, out, {})
    with pytest.raises(UserError, match=r"train-3: expression 4 is not in 0\.\.3"):
        changes = {"expression": {"train-3": 4}}
        rewrite.with_corrections(dataset, "train", changes, out, {})
    assert not (tmp_path / "new").exists()
