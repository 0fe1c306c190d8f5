import collections
import dataclasses

import numpy as np

from kfer.data.drawn_faces import parameters
from kfer.data.drawn_faces.expression import CLASSES, classify
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import INK, SOFT


def many(count=300, style=SOFT):
    return [sample_face(face_rng(0, i), style) for i in range(count)]


def test_a_face_depends_on_seed_and_index_alone():
    first = [sample_face(face_rng(5, i)) for i in range(4)]
    assert sample_face(face_rng(5, 3)) == first[3]
    assert len(set(first)) == 4
    assert sample_face(face_rng(6, 3)) != first[3]
    assert sample_face(face_rng(4, 4)) != first[3]


def test_the_label_is_what_the_features_show():
    for face in many(60):
        assert classify(face.expression) == face.label
    assert sample_face(face_rng(0, 0), SOFT, 4).label == 4


def test_classes_are_drawn_alike():
    counts = np.bincount([f.label for f in many(2100)], minlength=len(CLASSES))
    # 300 expected, standard deviation 16.
    assert np.all(np.abs(counts - 300) < 70)


def test_identity_pose_and_scene_vary_within_the_style():
    faces = many()
    for field in ("hair_style", "nose_kind", "glasses", "beard", "hat", "freckles"):
        assert len({getattr(f.identity, field) for f in faces}) >= 2, field
    assert {f.identity.hair_style for f in faces} == set(parameters.HAIR_STYLES)
    assert {f.scene.occluder for f in faces} == set(parameters.OCCLUDERS)
    assert len({f.identity.skin for f in faces}) > 250
    assert {f.scene.background for f in faces} == set(SOFT.backgrounds)
    for face in faces:
        assert abs(np.degrees(face.pose.roll)) <= SOFT.roll
        assert SOFT.scale[0] <= face.pose.scale <= SOFT.scale[1]
        assert abs(face.pose.x - SOFT.centre[0]) <= SOFT.offset
        assert 0 <= face.scene.blur <= SOFT.blur
        assert all(0 <= c <= 255 for c in face.identity.skin + face.identity.lip)


def test_rates_are_those_of_the_style():
    faces = many(1000)
    # Standard deviations of at most 0.013.
    for rate, found in (
        (SOFT.glasses_rate, [f.identity.glasses > 0 for f in faces]),
        (SOFT.beard_rate, [f.identity.beard != "none" for f in faces]),
        (SOFT.occlusion_rate, [f.scene.occluder != "none" for f in faces]),
    ):
        assert abs(np.mean(found) - rate) < 0.05
    bare = dataclasses.replace(SOFT, glasses_rate=0.0, hat_rate=0.0)
    counts = collections.Counter(
        (f.identity.glasses, f.identity.hat) for f in many(50, bare)
    )
    assert counts == {(0, "none"): 50}


def test_styles_share_people_but_not_framing():
    soft, ink = (sample_face(face_rng(1, 1), style, 2) for style in (SOFT, INK))
    assert soft.identity.skin == ink.identity.skin
    assert soft.expression == ink.expression
    assert ink.pose.scale > soft.pose.scale


def test_valence_arousal_is_of_the_drawn_expression():
    face = sample_face(face_rng(0, 1))
    calm = dataclasses.replace(face, expression=parameters.Expression(smile=0.5))
    assert parameters.valence_arousal(calm) == (0.35, 0.125)
