import dataclasses

import pytest

from kfer.data.drawn_faces import style
from kfer.errors import UserError


def test_styles_by_name():
    assert style.face_style("soft") is style.SOFT
    assert style.face_style("ink").outline > 0
    with pytest.raises(UserError, match="Unknown face style 'oil'; known: ink, soft"):
        style.face_style("oil")


def test_the_two_styles_frame_and_draw_differently():
    differ = {
        field.name
        for field in dataclasses.fields(style.FaceStyle)
        if getattr(style.SOFT, field.name) != getattr(style.INK, field.name)
    }
    assert {"outline", "iris", "shoulders", "scale", "centre", "backgrounds"} <= differ


def test_lists_become_tuples():
    assert style.FaceStyle(scale=[0.3, 0.4]).scale == (0.3, 0.4)
    assert hash(style.FaceStyle(backgrounds=["dots"]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"backgrounds": ("sea",)}, r"backgrounds \('sea',\); expected some of"),
        ({"backgrounds": ()}, "expected some of"),
        ({"hat_rate": 1.2}, "hat_rate 1.2; expected a probability"),
    ],
)
def test_a_bad_style_is_told(fields, message):
    with pytest.raises(UserError, match=message):
        style.FaceStyle(name="mine", **fields)
