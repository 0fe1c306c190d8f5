import pathlib

import numpy as np
import pytest

from kfer.data.drawn_faces import annotators
from kfer.data.drawn_faces.expression import CLASSES
from kfer.errors import UserError
from kfer.noise import transition

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "design"
INDEX = {name: i for i, name in enumerate(CLASSES)}


@pytest.mark.parametrize("annotator", range(3))
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.4])
def test_the_mean_noise_is_the_rate(annotator, rate):
    matrix = annotators.confusion(annotator, rate)
    np.testing.assert_allclose(matrix.sum(axis=1), np.ones(7))
    assert transition.expected_noise(matrix) == pytest.approx(rate)


@pytest.mark.parametrize("annotator", range(3))
def test_the_truth_stays_the_most_frequent_answer(annotator):
    matrix = annotators.confusion(annotator, 0.4)
    np.testing.assert_array_equal(matrix.argmax(axis=1), np.arange(7))


def test_an_entry_by_hand():
    matrix = annotators.confusion(0, 0.2)
    # The difficulties sum to 7, so fear is wrong 0.2 * 1.4 = 0.28 of the time; half of
    # it goes to surprise, the other half to all six others alike.
    assert matrix[INDEX["fear"], INDEX["fear"]] == pytest.approx(0.72)
    assert matrix[INDEX["fear"], INDEX["surprise"]] == pytest.approx(0.14 + 0.14 / 6)
    assert matrix[INDEX["fear"], INDEX["happy"]] == pytest.approx(0.14 / 6)


def test_happy_is_mistaken_least_and_fear_most():
    wrong = 1 - np.diag(annotators.confusion(1, 0.3))
    assert CLASSES[wrong.argmin()] == "happy" and CLASSES[wrong.argmax()] == "fear"


def test_annotators_differ_and_repeat_after_three():
    first, second, third, fourth = (annotators.confusion(i, 0.3) for i in range(4))
    assert np.abs(first - second).max() > 0.05 and np.abs(second - third).max() > 0.05
    np.testing.assert_array_equal(first, fourth)


def test_habits_leave_room_for_every_answer():
    for i in range(3):
        answers = annotators.wrong_answers(i)
        assert np.all(np.diag(answers) == 0)
        assert np.all(answers[~np.eye(7, dtype=bool)] > 0)


def test_a_rate_too_high_is_told():
    with pytest.raises(UserError, match=r"0\.9 is too high.*at most 0\.71"):
        annotators.confusion(0, 0.9)


def test_the_documents_tables_are_the_matrices():
    text = (DOCS / "synthetic_faces.md").read_text()
    for i, rate in enumerate(annotators.RATES["habits"]):
        table = text.split(f"| annotator_{i + 1} |")[1].split("\n\n")[0]
        rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
        assert [row[0] for row in rows] == list(CLASSES)
        shown = np.array([row[1:] for row in rows], float)
        # Printed with one digit after the point.
        np.testing.assert_allclose(
            shown, 100 * annotators.confusion(i, rate), atol=0.051
        )


def test_values_are_judged_by_one_of_three():
    rng = np.random.default_rng(0)
    given = np.array([annotators.judged((0.0, 0.1), rng) for _ in range(3000)])
    error = given - (0.0, 0.1)
    # Mean biases: (.05 - .10 + .10) / 3 and (-.05 + .05 + .10) / 3.
    assert error.mean(0) == pytest.approx([0.0167, 0.0333], abs=0.015)
    # Variances .15, .20, .25 squared: mean .041667; of the biases .0072 and .0039.
    assert error.var(0) == pytest.approx([0.0489, 0.0456], abs=0.005)
    again = annotators.judged((0.0, 0.1), np.random.default_rng(0))
    assert again == tuple(given[0])
    assert np.abs(annotators.judged((1.0, -1.0), rng)).max() <= 1.0


def test_pairs_err_alike_and_to_one_class():
    for matrix, rate in zip(annotators.matrices("pairs", (0.2, 0.4)), (0.2, 0.4)):
        assert matrix[INDEX["fear"], INDEX["surprise"]] == pytest.approx(rate)
        assert matrix[INDEX["happy"], INDEX["surprise"]] == pytest.approx(rate)
        np.testing.assert_allclose(np.diag(matrix), 1 - rate)
        np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_a_spammer_answers_anything():
    *others, last = annotators.matrices("spammer", (0.2, 0.3, 0.9))
    np.testing.assert_allclose(last, np.full((7, 7), 1 / 7))
    np.testing.assert_array_equal(others[1], annotators.confusion(1, 0.3))


def test_two_of_five_label_a_picture():
    rng = np.random.default_rng(0)
    who = np.array([annotators.who_labels("sparse", 5, rng) for _ in range(2000)])
    assert set(who.sum(axis=1)) == {2}
    assert who.mean(axis=0) == pytest.approx([0.4] * 5, abs=0.04)
    assert annotators.who_labels("habits", 3, rng).tolist() == [True] * 3


def test_an_unknown_crowd():
    with pytest.raises(UserError, match="Unknown crowd 'x'; known: habits, pairs"):
        annotators.rates_of("x")


def test_each_of_a_crowd_of_judges_sees_values_their_own_way():
    assert annotators.value_columns("judges", 2) == (
        *("valence_arousal_1", "valence_arousal_2"),
    )
    assert annotators.value_columns("pairs", 3) == ("valence_arousal",)
    rng = np.random.default_rng(0)
    given = np.array(
        [annotators.judged_by_each(4, (0.2, 0.1), rng) for _ in range(3000)]
    )
    assert given.shape == (3000, 4, 2)
    # scale x truth + bias; the fourth is the first again
    means = [[0.51, -0.07], [0.2, 0.1], [0.18, 0.09], [0.51, -0.07]]
    np.testing.assert_allclose(given.mean(axis=0), means, atol=0.03)
    spreads = given.std(axis=0)[:, 1]
    np.testing.assert_allclose(spreads, [0.10, 0.45, 0.15, 0.10], atol=0.02)
    errors = given[:, :3, 1] - given[:, :3, 1].mean(axis=0)
    together = np.corrcoef(errors.T)[np.triu_indices(3, 1)]
    assert np.abs(together).max() < 0.06
