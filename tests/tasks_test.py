import dataclasses

import pytest

from kfer import tasks
from kfer.errors import UserError
from kfer.settings.config import experiment_config


def test_expression_has_seven_or_eight_classes():
    seven, eight = tasks.expression_task(), tasks.expression_task(8)
    assert seven.classes == (
        "neutral",
        "happy",
        "sad",
        "surprise",
        "fear",
        "disgust",
        "anger",
    )
    assert eight.classes == (*seven.classes, "contempt")
    assert (seven.size, eight.size) == (7, 8)
    with pytest.raises(UserError, match="has 7 or 8 classes, not 6"):
        tasks.expression_task(6)


def test_valence_and_arousal():
    task = tasks.valence_arousal_task()
    assert task.outputs == task.dimensions == ("valence", "arousal")
    assert (task.low, task.high, task.size) == (-1.0, 1.0, 2)
    assert not task.is_categorical
    assert task.loss == "ccc"


def test_annotators_share_one_truth():
    label_tasks = tasks.annotator_tasks(3, tasks.CIFAR10_CLASSES, "class", weight=0.5)
    assert [t.name for t in label_tasks] == [
        "annotator_1",
        "annotator_2",
        "annotator_3",
    ]
    assert {t.target for t in label_tasks} == {"class"}
    assert [t.column for t in label_tasks] == [t.name for t in label_tasks]
    assert all(t.is_categorical and t.size == 10 for t in label_tasks)
    assert all(t.loss == "cross_entropy" and t.weight == 0.5 for t in label_tasks)


def test_column_and_target_default_to_the_name():
    task = tasks.expression_task()
    assert task.column == task.target == task.name == "expression"
    other = tasks.expression_task(column="majority", target="truth")
    assert (other.column, other.target) == ("majority", "truth")


def test_lists_become_tuples():
    task = tasks.LabelTask("a", "categorical", classes=["x", "y"])
    assert task.classes == ("x", "y")
    hash(task)


def test_tasks_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        tasks.expression_task().weight = 2.0


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"kind": "ordinal"}, r"has kind 'ordinal'; known: \['categorical', 'conti"),
        ({"kind": "categorical", "classes": ("x",)}, "names too few outputs"),
        ({"kind": "categorical"}, "names too few outputs"),
        ({"kind": "continuous"}, "names too few outputs"),
        (
            {"kind": "categorical", "classes": ("x", "y"), "loss": "ccc"},
            r"Task 'a' \(categorical\) has loss 'ccc'; known: \('cross_entropy',\)",
        ),
        (
            {"kind": "continuous", "dimensions": ("x",), "loss": "cross_entropy"},
            r"has loss 'cross_entropy'; known: \('ccc', 'mse'\)",
        ),
    ],
)
def test_wrong_rows_say_why_in_one_line(fields, message):
    with pytest.raises(UserError, match=message) as error:
        tasks.LabelTask("a", **fields)
    assert "\n" not in str(error.value)


def test_one_value_is_enough_for_a_continuous_task():
    assert tasks.LabelTask("pain", "continuous", dimensions=("level",)).size == 1


def test_check_tasks():
    row = tasks.expression_task()
    assert tasks.check_tasks([row]) == (row,)
    with pytest.raises(UserError, match=r"got \[\]"):
        tasks.check_tasks(())
    with pytest.raises(UserError, match="unique names.*'expression', 'expression'"):
        tasks.check_tasks((row, tasks.expression_task(8)))


@pytest.mark.parametrize("name", ("x", "y0", "joint"))
def test_names_of_the_discriminator_s_streams_are_taken(name):
    taken = tasks.LabelTask(name, "categorical", ("a", "b"))
    with pytest.raises(UserError, match=f"A task can't be named {name}: ") as error:
        tasks.check_tasks((tasks.expression_task(), taken))
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=f"can't be named {name}"):
        experiment_config("cifar10_multi", tasks=(taken,))


class TestShareHeads:
    def test_label_sets_of_one_truth_become_one(self):
        rows = (
            *tasks.annotator_tasks(2, ("a", "b"), "class", weight=0.5),
            tasks.valence_arousal_task(),
        )
        found = tasks.share_heads(rows, tasks.CATEGORICAL)
        assert [(t.name, t.target) for t in found] == [
            ("class", "class"),
            ("valence_arousal", "valence_arousal"),
        ]
        assert (found[0].classes, found[0].weight) == (("a", "b"), 0.5)
        assert tasks.share_heads(rows, tasks.CONTINUOUS) == rows

    def test_other_classes_or_another_range(self):
        rows = (
            *tasks.annotator_tasks(1, ("a", "b"), "class"),
            tasks.LabelTask("second", "categorical", ("b", "a"), target="class"),
        )
        with pytest.raises(UserError, match="'second' can't share a head .* 'class'"):
            tasks.share_heads(rows, tasks.CATEGORICAL)
        rows = tuple(
            tasks.LabelTask(n, "continuous", dimensions=("p",), high=h, target="pain")
            for n, h in (("one", 1.0), ("two", 10.0))
        )
        with pytest.raises(UserError, match="'two' can't share a head"):
            tasks.share_heads(rows, tasks.CONTINUOUS)

    def test_a_target_of_another_task_s_name(self):
        rows = (
            *tasks.annotator_tasks(2, ("a", "b"), "pain"),
            tasks.LabelTask("pain", "continuous", dimensions=("p",)),
        )
        with pytest.raises(UserError, match="'pain' can't share a head"):
            tasks.share_heads(rows, tasks.CATEGORICAL)


def test_values_of_several_annotators_are_of_one_truth():
    first, second = tasks.value_tasks(2)
    assert (first.name, second.name) == ("valence_arousal_1", "valence_arousal_2")
    assert first.target == second.target == "valence_arousal"
    assert first.dimensions == ("valence", "arousal") and not first.is_categorical
