"""What methods have learned of annotators, by hand."""

import types

import numpy as np
import pytest

from kfer import tasks
from kfer.audit import crowd_judgement, learned, model_tables
from kfer.methods.gaussian import Annotators
from tests.audit import crowd_judgement_test, judged

# Of three annotators; the second calls three of ten happy pictures sad.
MATRICES = np.array(
    [[[1, 0], [0, 1]], [[0.7, 0.3], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]]
)


def truth_of(columns, counts, target="expression"):
    sets = tuple(tasks.LabelTask(n, tasks.CATEGORICAL, judged.CLASSES) for n in columns)
    return types.SimpleNamespace(target=target, tasks=sets, counts_of=counts)


def em(columns, counts):
    """A method whose matrices are filed under the target."""
    return types.SimpleNamespace(
        truths={"expression": truth_of(columns, counts)},
        transitions=lambda: {"expression": MATRICES},
    )


def test_matrices_that_are_filed_under_the_target():
    answers = judged.answers(method=em(judged.NAMES, (1, 1, 1)))
    for index, name in enumerate(judged.NAMES):
        found = learned.account(answers, name)
        np.testing.assert_allclose(found["confusion"], MATRICES[index])
    # By the model 2.7 of 6 pictures are happy.
    second = learned.account(answers, "annotator_2")
    assert second["reliability"] == pytest.approx((2.7 * 0.7 + 3.3 * 0.9) / 6)
    assert learned.account(answers, "majority") is None
    assert learned.account(judged.answers(), "annotator_2") is None


def test_a_crowd_column_has_as_many_as_it_has_people():
    method = em(("expert", "mood"), (1, 2))
    answers = judged.answers(method=method)
    found = learned.confusions(answers, "mood")
    np.testing.assert_allclose(found, MATRICES[1:])


def test_people_of_a_crowd_are_sorted_and_shown():
    answers, sets = crowd_judgement_test.made(0.7)
    matrices = np.tile(np.eye(7), (50, 1, 1))
    matrices[3] = 1 / 7
    column = sets.crowd_columns["mood"]
    task = tasks.LabelTask("mood", "categorical", column.classes, target="truth")
    method = types.SimpleNamespace(
        truths={
            "truth": types.SimpleNamespace(
                target="truth", tasks=(task,), counts_of=(50,)
            )
        },
        transitions=lambda: {"truth": matrices},
    )
    config = type(answers.config)("t", "em", (task,))
    answers = answers._replace(method=method, config=config)
    # Of other data the numbers may be other people's.
    assert learned.people(answers, "mood", column.annotators) is None
    answers.run["learned_these_labels"] = True
    found = learned.people(answers, "mood", column.annotators)
    assert [row["annotator"] for row in found[:2]] == ["w3", "w0"]
    assert found[0]["reliability"] == pytest.approx(1 / 7)
    summary = crowd_judgement.judge(answers, sets, "mood", "truth", 0.5).summary
    table = model_tables._people(summary, "em at step 12")
    assert table.rows[0] == ["w3", "14.29 %"] and len(table.rows) == 40
    assert "the first and last 20 of 50" in table.title


def test_values_in_their_unit():
    truth = types.SimpleNamespace(
        target="valence_arousal",
        tasks=(tasks.valence_arousal_task(),),
        counts_of=(1,),
    )
    found = Annotators(*(np.array([[x, -x]]) for x in (0.1, 0.9, 0.3)))
    method = types.SimpleNamespace(
        value_truths={"valence_arousal": truth},
        value_annotators=lambda: {"valence_arousal": found},
    )
    name = truth.tasks[0].column
    assert learned.values(judged.answers(method=method), name) == {
        "bias": [0.1, -0.1],
        "scale": [0.9, -0.9],
        "sigma": [0.3, -0.3],
    }
    assert learned.values(judged.answers(), name) is None
