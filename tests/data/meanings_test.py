"""Columns that mean something else than a model answers are told as such."""

import dataclasses

import pytest

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.data import labels, meanings, record
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.evaluation import yardstick
from kfer.serving import confidence
from tests.data import prepared

CLASSES = ("calm", "sunny", "tense")
TASKS = (
    tasks.LabelTask("annotator_ann", tasks.CATEGORICAL, CLASSES, target="mood"),
    tasks.LabelTask("annotator_bob", tasks.CATEGORICAL, CLASSES, target="mood"),
)


def made(path, classes, annotators=("eve",)) -> Dataset:
    """Labels of mood by these annotators in train and test."""
    columns = {
        f"annotator_{a}": record.categorical(f"annotator_{a}", classes)
        for a in annotators
    }
    rows = {
        split: [
            record.Record(f"{split}{i}", prepared.png(i), dict.fromkeys(columns, 0), {})
            for i in range(2)
        ]
        for split in ("train", "test")
    }
    return dataset_lib.write(str(path), "mood", rows, columns, {}, image_size=32)


def config(of=TASKS):
    return dataclasses.replace(prepared.small_config(), tasks=of)


def test_contrast():
    columns = [record.categorical("a", ("fury", "joy"))]
    assert (
        meanings.contrast(TASKS, columns)
        == "mood: calm, sunny, tense; the label columns are of fury, joy"
    )
    columns.append(record.categorical("b", CLASSES[::-1]))
    assert meanings.contrast((*TASKS, tasks.valence_arousal_task()), columns) == (
        "mood: calm, sunny, tense; valence_arousal: valence, arousal; the label columns "
        "are of fury, joy and of tense, sunny, calm (the same in another order)"
    )


@pytest.mark.parametrize(
    "classes, told",
    [
        (
            ("fury", "joy"),
            "^The model answers mood: calm, .* are of fury, joy: nothing",
        ),
        (CLASSES[::-1], r"are of tense, sunny, calm \(the same in another order\): no"),
    ],
)
def test_every_comparison_says_which_classes_differ(classes, told, tmp_path):
    data, run = made(tmp_path / "set", classes), config()
    for compare in (
        lambda: yardstick.choose(data, run),
        lambda: yardstick.choose(data, run, "test"),
        lambda: yardstick.choose(data, run, "train"),
        lambda: labels.compared_columns(data, TASKS, "test", "labels"),
        lambda: labels.target_columns(data, TASKS, "test"),
        lambda: confidence.calibrate(None, run, data),
    ):
        with pytest.raises(UserError, match=told):
            compare()


def test_other_annotators_of_the_same_classes(tmp_path):
    data, run = made(tmp_path / "set", CLASSES), config()
    assert meanings.unlike(data, TASKS) == ""
    text = (
        "labels of annotator_eve alone; the model learned those of annotator_ann, ann"
    )
    with pytest.raises(yardstick.NothingToCompareError, match=text):
        yardstick.choose(data, run)
    # of one who is known, there is something
    known = made(tmp_path / "known", CLASSES, ("ann",))
    assert yardstick.choose(known, run) == ("test", "labels")


def test_a_target_that_is_not_there_is_no_error_of_the_others(tmp_path):
    data = made(tmp_path / "set", CLASSES, ("ann",))
    run = config((*TASKS, tasks.valence_arousal_task()))
    found = yardstick.choose(data, run)
    assert yardstick.elsewhere(data, run, found) == {"valence_arousal": None}
