"""Pictures and videos together, told and drawn."""

import os

import cv2
import pytest
from PIL import Image
from skimage import data

from kfer.faces import framing
from kfer.serving import annotate, predict, video
from kfer.serving.answer_rules import Rules
from kfer.serving.answering import Answering
from kfer.serving.video_predict import Pace
from tests import runs
from tests.packages import needs_package
from tests.serving import clips


@pytest.fixture(scope="module")
def predictor():
    return predict.Predictor(runs.model(), batch_size=4)


@pytest.fixture
def paths(tmp_path):
    """A face, a clip, a bad picture and a bad clip."""
    Image.fromarray(data.astronaut()).save(tmp_path / "a.png")
    clips.write(tmp_path / "b.avi", [data.astronaut()] * 6, codec="MJPG")
    (tmp_path / "c.png").write_text("no picture")
    (tmp_path / "d.mp4").write_text("no video")
    return [str(tmp_path / name) for name in ("a.png", "b.avi", "c.png", "d.mp4")]


def gallery(tmp_path, paths):
    pictures = [path for path in paths if not video.is_video(path)]
    return annotate.Gallery(
        str(tmp_path / "out"), pictures, [p for p in paths if video.is_video(p)]
    )


@needs_package("yuface")
def test_rows_come_in_the_order_of_the_paths_and_all_is_drawn(
    predictor, paths, tmp_path
):
    asked = Answering(
        predictor,
        framing.AS_GIVEN,
        "yuface",
        Pace(every=2),
        Rules(min_confidence=1.0),
        gallery(tmp_path, paths),
    )
    rows = [row for part in asked.files(paths) for row in part]
    assert [(os.path.basename(r["path"]), r.get("frame")) for r in rows] == [
        *[("a.png", None), ("b.avi", 0), ("b.avi", 2), ("b.avi", 4)],
        *[("c.png", None), ("d.mp4", None)],
    ]
    assert [r["expression"]["class"] for r in rows[:4]] == [None] * 4
    assert rows[4]["error"].startswith("not an image")
    assert rows[5]["error"].startswith("no video")
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.avi.mp4"]
    drawn = cv2.VideoCapture(str(tmp_path / "out" / "b.avi.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert drawn.get(cv2.CAP_PROP_FPS) == 12.5
    x, y = (round(value) for value in rows[0]["box"][:2])
    picture = cv2.imread(str(tmp_path / "out" / "a.png"))
    assert picture[y + 5, x].tolist() == [100, 220, 80]


def test_whole_pictures_are_drawn_too(predictor, paths, tmp_path):
    asked = Answering(
        predictor, framing.NONE, "yuface", gallery=gallery(tmp_path, paths)
    )
    rows = [row for part in asked.files(paths) for row in part]
    assert len(rows) == 1 + 6 + 2 and "box" not in rows[0]
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.avi.mp4"]


@needs_package("yuface")
def test_a_camera_is_drawn_to_one_video(predictor, tmp_path, monkeypatch):
    camera = clips.Camera([data.astronaut()] * 3)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: camera)
    footage = video.open_camera(0)
    monkeypatch.undo()
    drawn = annotate.Gallery(str(tmp_path / "out"), [], [footage.name])
    asked = Answering(predictor, framing.AS_GIVEN, "yuface", gallery=drawn)
    rows = [row for part in asked.footage(footage) for row in part]
    assert [row.get("face") for row in rows] == [0, 0, 0, None]
    assert rows[-1]["error"].startswith("no more pictures after")
    assert os.listdir(tmp_path / "out") == ["camera 0.mp4"]
