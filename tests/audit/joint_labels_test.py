"""What is made of S_joint's scores, with scores by hand."""

import numpy as np
import pytest

from kfer.audit import joint_labels
from tests.audit import judged


def test_scores_of_a_label_set():
    sets, answers = judged.sets(), judged.answers(judged.joint())
    found = joint_labels.scores(answers, "annotator_2", sets.labels["annotator_2"])
    assert list(found) == ["s_joint", "s_joint drop"]
    np.testing.assert_array_equal(found["s_joint"], [-1, -1, -1, 1, -1, np.nan])
    np.testing.assert_array_equal(found["s_joint drop"], [0, 0, 0, 3, 0, np.nan])
    values = sets.labels["valence_arousal"]
    drop = joint_labels.scores(answers, "valence_arousal", values)["s_joint drop"]
    np.testing.assert_array_equal(drop, [-0.5] * 5 + [np.nan])


def test_what_s_joint_does_not_see_has_no_score():
    labels = judged.sets().labels["annotator_1"]
    assert joint_labels.scores(judged.answers(), "annotator_1", labels) == {}
    answers = judged.answers(judged.joint())
    assert joint_labels.scores(answers, "majority", labels) == {}


def test_contradictions_by_the_drop():
    found = joint_labels.listed(judged.answers(judged.joint()), judged.sets())
    assert [pair["classes"] for pair in found] == list(judged.NAMES)
    pair = found[1]
    # By the rule a is no contradiction for annotator_2, nor is d: happy and pleasant.
    assert (pair["compared"], pair["by_rule"], pair["auprc"]) == (5, 0, None)
    assert pair["worst"][0] == {
        "image_id": "d",
        "label": "happy",
        "values": [0.9, 0.0],
        "rather": "sad",
        "drop": 3.0,
        "by_rule": False,
    }
    # Annotator 1 says sad of d, against the rule, and of a nothing wrong; S_joint finds
    # all alike: it ranks as chance does.
    assert found[0]["by_rule"] == 1
    assert found[0]["auprc"] == pytest.approx(found[0]["chance"]) == 1 / 5
