import dataclasses

import numpy as np
import pytest

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.evaluation import results, scoring, yardstick
from kfer.evaluation.yardstick import Yardstick
from tests.data import prepared


def write(path, splits, clean=()):
    """Ten records in each split; labels everywhere, the truth in the clean ones."""

    def rows(split):
        for i in range(10):
            made = prepared.make_record(i, "train")
            truth = made.clean if split in clean else {}
            yield made._replace(image_id=f"{split}{i}", clean=truth)

    content = {split: list(rows(split)) for split in splits}
    return dataset_lib.write(
        str(path), "small", content, prepared.COLUMNS, prepared.CLEAN, image_size=32
    )


@pytest.mark.parametrize(
    ("splits", "clean", "expected"),
    [
        (("train", "test"), ("test",), ("test", "truth")),
        (("train", "valid", "test"), ("valid",), ("valid", "truth")),
        (("train", "valid", "test"), (), ("test", "labels")),
        (("train", "valid"), ("train",), ("valid", "labels")),
    ],
)
def test_the_truth_comes_first_then_what_was_held_out(
    splits, clean, expected, tmp_path
):
    config = prepared.small_config()
    made = write(tmp_path / "set", splits, clean)
    assert yardstick.choose(made, config) == expected


def test_training_labels_are_no_yardstick_unless_asked_for(tmp_path):
    config = prepared.small_config()
    made = write(tmp_path / "set", ("train", "valid"))
    with pytest.raises(UserError, match="has no truth of "):
        yardstick.choose(made, config, "train")
    assert yardstick.choose(made, config, "train", "labels") == ("train", "labels")
    assert yardstick.choose(made, config, "valid") == ("valid", "labels")
    with pytest.raises(UserError, match=r"no truth and no labels .*--holdout=0\.1"):
        yardstick.choose(made, config, against="truth")


def test_labels_of_a_truth_are_pooled(tmp_path):
    """annotator_1 is right on 10, annotator_2 on 2 of 8 ... as the records are made."""
    label_tasks = tasks.annotator_tasks(2, prepared.CLASSES, "class")
    config = dataclasses.replace(prepared.small_config(), tasks=label_tasks)
    made = write(tmp_path / "set", ("train", "valid"))

    def answers(image):
        return {"class": np.tile(np.eye(10, dtype=np.float32)[3], (len(image), 1))}

    found = scoring.collect(answers, made, config, "valid", 4, "labels")["class"]
    assert found.prediction.shape == (20, 10)
    # annotator_2 has no label on 0 and 5, and says one more on 0, 4 and 8.
    assert found.mask.sum() == 18
    scores = scoring.scores(config, {"class": found})["class"]
    # The label 3 is given by both annotators to picture 3, and by no one else.
    assert scores["accuracy"] == pytest.approx(2 / 18)


def test_describe():
    assert yardstick.CLEAN_TEST.describe() == "the clean test split"
    held_out = Yardstick("valid", "labels")
    assert "no truth is known" in held_out.describe()
    assert (yardstick.CLEAN_TEST.brief, held_out.brief) == (
        ("clean test", "held-out valid")
    )
    assert yardstick.of_metrics({}) == yardstick.CLEAN_TEST
    assert yardstick.of_metrics({"scored_on": held_out.as_dict()}) == held_out


def test_each_target_has_a_yardstick_of_its_own(tmp_path):
    """The class has its truth in test; the mood only labels in valid, tone nothing."""
    made, config = prepared.three_targets(str(tmp_path / "set"), (3,) * 8)
    main = yardstick.choose(made, config)
    assert main == yardstick.CLEAN_TEST
    found = yardstick.elsewhere(made, config, main)
    assert found == {"mood": Yardstick("valid", "labels"), "tone": None}

    def answers(image):
        sure = np.tile(np.eye(10, dtype=np.float32)[3], (len(image), 1))
        return {"class": sure, "mood": sure, "tone": sure}

    scored = scoring.elsewhere(answers, made, config, main, 4)["elsewhere"]
    assert scored["tone"] is None and scored["mood"]["split"] == "valid"
    assert scored["mood"]["scores"]["accuracy"] == 1.0
    assert scored["mood"]["scores"]["num_examples"] == 8
    result = {"run": "r", "step": 1, "data": {"root": "d"}, "split": "test"}
    text = results.describe(result | {"scores": {}, "elsewhere": scored})
    assert "against the labels of the split valid" in text
    assert "tone  no score: no truth and no label held out" in text
