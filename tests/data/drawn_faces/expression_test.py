import dataclasses
import pathlib

import numpy as np
import pytest

from kfer.data.drawn_faces import expression
from kfer.data.drawn_faces.expression import CLASSES, Expression
from kfer.data.drawn_faces.style import SOFT

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "design"


def sample(label, count, style=SOFT, seed=0):
    rng = np.random.default_rng(seed)
    return [expression.sample_expression(rng, label, style) for _ in range(count)]


def test_every_prototype_is_of_its_class():
    for label, values in enumerate(expression.PROTOTYPES):
        assert expression.classify(Expression(*values)) == label


def test_direction_gives_the_class_and_length_whether_it_is_neutral():
    smile = Expression(smile=1.0, cheek=0.7)
    happy, neutral = CLASSES.index("happy"), CLASSES.index("neutral")
    for strength in (0.45, 0.8):
        weaker = Expression(*(strength * np.array(smile)))
        assert expression.classify(weaker) == happy
    # |smile| = sqrt(1 + 0.49) = 1.221; 0.4 times that is 0.488 < 0.5.
    assert expression.classify(Expression(*(0.4 * np.array(smile)))) == neutral


def test_opposites():
    assert CLASSES[expression.classify(Expression(smile=-1.0, eye_open=-0.5))] == "sad"
    assert (
        CLASSES[expression.classify(Expression(open=1.0, eye_open=1.0))] == "surprise"
    )
    assert CLASSES[expression.classify(Expression(nose_wrinkle=1.0))] == "disgust"
    assert (
        CLASSES[expression.classify(Expression(brow_slope=-1.0, furrow=1))] == "anger"
    )
    frightened = Expression(brow_slope=0.8, eye_open=0.8, brow_raise=0.5)
    assert CLASSES[expression.classify(frightened)] == "fear"


def test_a_strong_prototype_has_no_advantage():
    sad, disgust = (expression.PROTOTYPES[CLASSES.index(n)] for n in ("sad", "disgust"))
    lengths = np.linalg.norm(sad), np.linalg.norm(disgust)
    assert lengths[1] > 1.2 * lengths[0]
    nearer_sad = sad / lengths[0] + 0.95 * disgust / lengths[1]
    assert CLASSES[expression.classify(Expression(*nearer_sad))] == "sad"


def test_valence_and_arousal_by_hand():
    face = Expression(smile=0.5, open=0.2, cheek=0.4)
    # Valence 0.70 * 0.5 + 0.05 * 0.2 + 0.25 * 0.4; arousal 0.25 * 0.5 + 0.35 * 0.2 +
    # 0.15 * 0.4.
    assert expression.valence_arousal(face) == pytest.approx((0.46, 0.255))
    assert expression.valence_arousal(Expression()) == (0.0, 0.0)


def test_valence_and_arousal_stay_in_range():
    assert expression.valence_arousal(
        Expression(smile=-1, lip_raise=1, teeth=1, furrow=1, nose_wrinkle=1)
    ) == (-1.0, 1.0)


def test_classes_lie_on_the_circumplex():
    means = {
        name: np.mean([expression.valence_arousal(e) for e in sample(i, 200)], axis=0)
        for i, name in enumerate(CLASSES)
    }
    valence, arousal = ({k: v[i] for k, v in means.items()} for i in (0, 1))
    assert valence["happy"] > 0.35 and 0.2 < arousal["happy"] < arousal["surprise"]
    assert abs(valence["surprise"]) < 0.2 and arousal["surprise"] > 0.5
    assert valence["fear"] < -0.25 and arousal["fear"] > 0.4
    assert valence["anger"] < -0.3 and arousal["anger"] > 0.4
    assert valence["disgust"] < -0.35 and 0.1 < arousal["disgust"] < arousal["anger"]
    assert valence["sad"] < -0.4 and arousal["sad"] < 0.0
    assert np.all(np.abs(means["neutral"]) < 0.15)


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_samples_are_right_in_range_and_spread(label):
    faces = sample(label, 100)
    assert {expression.classify(e) for e in faces} == {label}
    values = np.array(faces)
    assert np.all(values >= expression.LOW) and np.all(values <= expression.HIGH)
    assert np.all(values.std(axis=0)[expression.LOW < 0] > 0.05)


def test_classes_meet_at_their_borders():
    fear, surprise = CLASSES.index("fear"), CLASSES.index("surprise")
    towards = expression.PROTOTYPES[surprise] / np.linalg.norm(
        expression.PROTOTYPES[surprise]
    )
    reach = [towards @ np.array(e) / np.linalg.norm(e) for e in sample(fear, 300)]
    # The prototypes' own cosine is below 0.5; the nearest fears reach much further.
    assert max(reach) > 0.65


def test_the_prototype_serves_where_nothing_fits():
    never = dataclasses.replace(SOFT, strength=(0.0, 0.0), spread=0.0)
    assert sample(3, 1, never) == [Expression(*expression.PROTOTYPES[3])]


def test_the_documents_weights_are_those_used():
    text = (DOCS / "synthetic_faces.md").read_text()
    for name, weights in (
        ("valence", expression.VALENCE),
        ("arousal", expression.AROUSAL),
    ):
        line = text.split(f"\n| {name} | ")[1].split(" |\n")[0]
        np.testing.assert_allclose([float(v) for v in line.split(" | ")], weights)


def test_the_documents_prototypes_are_those_used():
    text = (DOCS / "synthetic_faces.md").read_text()
    for label, name in list(enumerate(CLASSES))[1:]:
        line = text.split(f"\n| {name} | ")[1].split(" |\n")[0]
        fields = dict(part.split() for part in line.split(", "))
        shown = Expression(**{key: float(value) for key, value in fields.items()})
        np.testing.assert_allclose(shown, expression.PROTOTYPES[label])
