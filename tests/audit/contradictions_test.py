"""The circumplex rule on a few faces."""

import numpy as np

from kfer import tasks
from kfer.audit import contradictions
from kfer.audit.label_sets import LabelSets
from kfer.data import record

CLASSES = tasks.EXPRESSIONS


def index(name):
    return CLASSES.index(name)


def test_excess_by_hand():
    faces = [
        ("happy", (-0.7, 0.0), 0.5),  # 0.7 on the unpleasant side, 0.2 is allowed
        ("happy", (0.5, -0.9), -0.7),  # arousal is free
        ("fear", (-0.5, -0.3), 0.1),  # unpleasant, but calm
        ("fear", (0.6, -0.3), 0.4),  # the worse of the two counts
        ("surprise", (-0.9, 0.1), -0.3),  # valence is free
        ("neutral", (0.6, -0.8), 0.4),  # 1 from the middle, 0.6 is allowed
        ("neutral", (0.0, 0.3), -0.3),
    ]
    labels = np.array([index(name) for name, _, _ in faces] + [-1, 0])
    values = np.array([v for _, v, _ in faces] + [(0, 0), (np.nan, 0)])
    found = contradictions.excess(labels, CLASSES, values)
    expected = [e for _, _, e in faces] + [np.nan, np.nan]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_class_that_the_rule_does_not_know_is_never_contradicted():
    found = contradictions.excess(np.array([1]), ("happy", "frog"), np.array([[-1, 1]]))
    assert found[0] == -np.inf


def sets(names):
    columns = {n: record.categorical(n, CLASSES) for n in names}
    columns["valence_arousal"] = record.valence_arousal()
    labels = {n: np.array([1, 1, 2, -1]) for n in names}
    labels["valence_arousal"] = np.array([[-0.5, 0], [-0.9, 0], [-0.5, 0], [1, 1]])
    return LabelSets(list("abcd"), labels, {}, columns, {})


def test_find_counts_and_lists_the_worst_first():
    (found,) = contradictions.find(sets(["expression"]))
    assert (found["classes"], found["values"]) == ("expression", "valence_arousal")
    assert (found["compared"], found["count"]) == (3, 2)
    assert found["by_class"] == {"happy": 2}
    assert [row["image_id"] for row in found["worst"]] == ["b", "a"]
    assert (
        found["worst"][0]["values"] == [-0.9, 0] and found["worst"][0]["excess"] > 0.6
    )


def test_pairs_are_of_annotators_who_name_expressions():
    both = sets(["annotator_1", "annotator_2", "majority"])
    names = [name for name, _ in contradictions.pairs(both)]
    assert names == ["annotator_1", "annotator_2"]
    columns = {"class": record.categorical("class", tasks.CIFAR10_CLASSES)}
    columns |= {"valence_arousal": both.columns["valence_arousal"]}
    labels = {"class": np.zeros(4, int), "valence_arousal": np.zeros((4, 2))}
    others = LabelSets(list("abcd"), labels, {}, columns, {})
    assert contradictions.find(others) == []
