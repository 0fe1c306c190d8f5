"""Each face of a video is followed, and its answers are those of its crops."""

import numpy as np
import pytest
from skimage import data

from kfer.errors import UserError
from kfer.faces import framing
from kfer.faces.face import Face
from kfer.serving import predict, video
from kfer.serving.video_predict import FRAMES, Pace, VideoPredictor
from tests import runs
from tests.packages import needs_package
from tests.serving import clips

pytestmark = needs_package("yuface")

RAW = Pace(half_life=0.0)


@pytest.fixture(scope="module")
def predictor():
    return predict.Predictor(runs.model(), batch_size=4)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two astronauts that walk apart, 12 frames, then 2 of coffee."""
    one = data.astronaut()[:320, 100:356]
    frames = [
        np.concatenate([np.roll(one, -i, 1), np.roll(one, i, 1)], axis=1)
        for i in range(12)
    ]
    cup = np.tile(data.coffee()[:320, :256], (1, 2, 1))
    path = tmp_path_factory.mktemp("clips") / "two.avi"
    return clips.write(path, [*frames, cup, cup], codec="MJPG")


def rows_of(predictor, path, kind=framing.AS_GIVEN, pace=RAW, detector="yuface"):
    found = VideoPredictor(predictor, kind, detector, pace)
    return [row for _, rows in found.predict(video.open_file(path)) for row in rows]


def test_faces_keep_their_numbers_and_have_the_answers_of_their_crops(predictor, two):
    rows = rows_of(predictor, two)
    faces = [row for row in rows if "face" in row]
    assert [row["frame"] for row in faces] == [i // 2 for i in range(24)]
    assert faces[5]["time"] == 0.08
    for number in (0, 1):
        lefts = [row["box"][0] for row in faces if row["face"] == number]
        assert len(lefts) == 12
        assert abs(lefts[-1] - lefts[0]) == pytest.approx(11, abs=6)
        assert all((left < 256) == (lefts[0] < 256) for left in lefts)
    nothing = {"path": two, "no_face": "no face found"}
    assert rows[24:] == [nothing | {"frame": i, "time": i / 25} for i in (12, 13)]
    row = faces[0]
    frame = next(video.open_file(two).frames()).image
    crop = framing.crop(frame, Face(tuple(row["box"]), (), 1), framing.AS_GIVEN, 32)
    (expected,) = predictor.crops([crop])
    assert row["expression"]["probabilities"] == pytest.approx(
        expected["expression"]["probabilities"], abs=0.02
    )


def test_every_fifth_frame(predictor, two):
    rows = rows_of(predictor, two, pace=Pace(every=5))
    assert [row["frame"] for row in rows] == [0, 0, 5, 5, 10, 10]
    assert {row["face"] for row in rows} == {0, 1}


def test_averages_are_of_the_faces_own_answers(predictor, two):
    raw = [r for r in rows_of(predictor, two) if r.get("face") == 1]
    smooth = rows_of(predictor, two, pace=Pace(half_life=0.04))
    smooth = [r for r in smooth if r.get("face") == 1]
    # A frame is a half-life: half of what was, half of what is.
    expected = raw[0]["valence_arousal"]["valence"]
    for before, after in zip(raw[1:], smooth[1:], strict=True):
        expected = (expected + before["valence_arousal"]["valence"]) / 2
        assert after["valence_arousal"]["valence"] == pytest.approx(expected)


def test_whole_frames_have_one_answer_each(predictor, two):
    rows = rows_of(predictor, two, framing.NONE, Pace(every=4, half_life=0.04))
    assert [row["frame"] for row in rows] == [0, 4, 8, 12]
    assert all("face" not in row and "expression" in row for row in rows)
    raw = rows_of(predictor, two, framing.NONE, Pace(every=4, half_life=0.0))
    old, new = (row["valence_arousal"]["arousal"] for row in raw[:2])
    # Four frames are four half-lives.
    assert rows[1]["valence_arousal"]["arousal"] == pytest.approx(
        old / 16 + new * 15 / 16
    )


def test_an_early_end_is_the_last_row(predictor, two, tmp_path):
    rows = rows_of(predictor, clips.cut(two, tmp_path / "cut.avi"))
    assert rows[0]["face"] == 0 and len(rows) > 4
    assert rows[-1]["error"].startswith("ends early: ")
    assert set(rows[-1]) == {"path", "error"}


def test_a_face_that_cant_be_aligned_is_told_and_followed(predictor, two, monkeypatch):
    eyes = ((30.0, 30.0), (60.0, 30.0))
    blind = iter([False, True, False])
    found = VideoPredictor(predictor, framing.LANDMARKS, pace=Pace(every=5))
    monkeypatch.setattr(
        found._faces,
        "detect",
        lambda _: [Face((10.0, 10.0, 90.0, 90.0), () if next(blind) else eyes, 0.9)],
    )
    rows = [row for _, rows in found.predict(video.open_file(two)) for row in rows]
    assert [row["face"] for row in rows] == [0, 0, 0]
    assert rows[1]["error"].startswith("no eyes found")
    assert "expression" in rows[0] and "expression" in rows[2]


@pytest.mark.parametrize(("live", "most"), [(False, FRAMES), (True, 1)])
def test_no_more_frames_are_held_than_are_answered_together(
    predictor, monkeypatch, live, most
):
    camera = clips.Camera(clips.greys(20))
    read = []
    grab = camera.grab
    monkeypatch.setattr(camera, "grab", lambda: read.append(1) or grab())
    found = VideoPredictor(predictor, framing.AS_GIVEN, "yuface")
    next(found.predict(video.Footage("x", camera, live)))
    assert len(read) == most


@pytest.mark.parametrize(
    ("fields", "text"),
    [({"every": 0}, "every 0 is below 1"), ({"half_life": -1.0}, "-1.0 is below 0")],
)
def test_impossible_paces_are_refused(fields, text):
    with pytest.raises(UserError, match=text):
        Pace(**fields)
