"""Labels of pictures in memory beside a model's answers."""

import numpy as np
import pytest

from kfer import tasks
from kfer.errors import UserError
from kfer.python import compared

MOOD = tasks.LabelTask("mood", tasks.CATEGORICAL, classes=("calm", "tense"))
TWO = tasks.valence_arousal_task()
ONE = tasks.LabelTask(
    "warmth", tasks.CONTINUOUS, dimensions=("warmth",), low=1.0, high=9.0
)
NAN = np.nan


@pytest.mark.parametrize(
    "rows, classes, known",
    [
        (["Calm ", "TENSE", "", "calm"], [0, 1, 0, 0], [1, 1, 0, 1]),
        (["calm", None, NAN, "tense"], [0, 0, 0, 1], [1, 0, 0, 1]),
        ([0, 1, -1, 0], [0, 1, 0, 0], [1, 1, 0, 1]),
        (np.array([0.0, 1.0, NAN, -1.0]), [0, 1, 0, 0], [1, 1, 0, 0]),
        (np.array([True, False, True, False]), [1, 0, 1, 0], [1, 1, 1, 1]),
    ],
)
def test_classes(rows, classes, known):
    found, mask = compared.truth(MOOD, rows, 4)
    assert (found.tolist(), mask.tolist()) == (classes, known)
    assert (found.dtype, mask.dtype) == (np.int64, np.float32)


def test_values():
    found, mask = compared.truth(TWO, [[0.5, -1], [None, 1], [NAN, ""]], 3)
    assert found.tolist() == [[0.5, -1.0], [0.0, 0.0], [0.0, 0.0]]
    assert mask.tolist() == [1, 0, 0]
    for rows in ([1, 9, -1], [[1.0], [9.0], [NAN]]):
        found, mask = compared.truth(ONE, rows, 3)
        assert (found.tolist(), mask.tolist()) == ([[1.0], [9.0], [0.0]], [1, 1, 0])


@pytest.mark.parametrize(
    "task, rows, text",
    [
        (MOOD, ["calm"], r"^3 pictures need labels \[3\] of 'mood'; got \[1\]$"),
        (MOOD, [["calm"]] * 3, r"labels \[3\] of 'mood'; got \[3, 1\]$"),
        (MOOD, ["calm", "tense", "glad"], "^mood has 'glad', which is none of .'calm'"),
        (MOOD, [0, 1, 2], "^mood has the number 2; classes are 0 to 1, and -1 is none"),
        (MOOD, [0.5, 1, 0], "^mood has 0.5, which is no class's number$"),
        (TWO, [0.5, 0.5, 0.5], r"labels \[3, 2\] of 'valence_arousal'; got \[3\]$"),
        (TWO, [[0.5, 5], [0, 0], [0, 0]], r"arousal has the value 5; .* in \[-1, 1\]$"),
        (ONE, ["warm", 1, 2], "^warmth has values, and 'warm' is no number$"),
    ],
)
def test_what_does_not_fit(task, rows, text):
    with pytest.raises(UserError, match=text):
        compared.truth(task, rows, 3)


def test_names_that_differ_in_case_alone():
    both = tasks.LabelTask("mood", tasks.CATEGORICAL, classes=("Calm", "calm"))
    assert compared.truth(both, ["calm", "Calm"], 2)[0].tolist() == [1, 0]
