"""The AffectNet reader on both official layouts."""

import os

import numpy as np
import pytest

from kfer.data import affectnet_labels
from kfer.data.datasets import ReaderOptions, affectnet
from kfer.data.fake_roots.files import write_text
from kfer.data.record import RawExample

EIGHT = ReaderOptions(num_classes=8)


@pytest.mark.parametrize("layout", [2017, 2021])
def test_both_layouts_hold_the_same_examples(tmp_path, layout):
    ids = affectnet.make_fake_root(
        str(tmp_path), 12, np.random.default_rng(0), layout=layout
    )
    found = list(affectnet.read(str(tmp_path), EIGHT))
    assert [e.image_id for e in found] == ids
    assert [e.split for e in found] == ["train"] * 9 + ["test"] * 3
    for example in found:
        assert os.path.isfile(tmp_path / example.image)
        assert set(example.labels) == {"expression", "valence_arousal"}
        assert example.clean == example.labels
        (x0, y0), (x1, y1) = example.eyes
        assert x0 < x1 and abs(y1 - y0) < x1 - x0


def test_the_layouts_agree_on_labels_and_eyes(tmp_path):
    found = {}
    for layout in (2017, 2021):
        root = str(tmp_path / str(layout))
        affectnet.make_fake_root(root, 8, np.random.default_rng(0), layout=layout)
        found[layout] = list(affectnet.read(root, EIGHT))
    for old, new in zip(found[2017], found[2021]):
        assert old.labels == new.labels
        np.testing.assert_allclose(old.eyes, new.eyes, atol=0.01)


def test_validate_csv_is_validation_csv(tmp_path):
    affectnet.make_fake_root(str(tmp_path), 8, np.random.default_rng(0))
    (tmp_path / "validation.csv").rename(tmp_path / "validate.csv")
    assert len(list(affectnet.read(str(tmp_path), EIGHT))) == 8


def test_columns_in_another_order_and_without_header(tmp_path):
    (tmp_path / "Manually_Annotated_Images").mkdir()
    points = ";".join(["5"] * 136)
    write_text(
        str(tmp_path),
        "training.csv",
        "expression,subDirectory_filePath,face_x,face_y,face_width,face_height,"
        f"facial_landmarks,valence,arousal\n4,1/a.jpg,1,2,3,4,{points},0.5,-0.5\n",
    )
    write_text(
        str(tmp_path), "validation.csv", f"1/b.jpg,1,2,3,4,{points},6,-0.25,0.75\n"
    )
    a, b = affectnet.read(str(tmp_path), EIGHT)
    assert a.labels == {"expression": 4, "valence_arousal": (0.5, -0.5)}
    assert b.labels == {"expression": 6, "valence_arousal": (-0.25, 0.75)}
    assert a.box == (1.0, 2.0, 3.0, 4.0) and b.source == "validation.csv:1"


def test_rows_without_landmarks_or_face_box(tmp_path):
    (tmp_path / "Manually_Annotated_Images").mkdir()
    write_text(str(tmp_path), "training.csv", "1/a.jpg,NULL,NULL,NULL,NULL,,1,0,0\n")
    (example,) = affectnet.read(str(tmp_path), EIGHT)
    assert (example.eyes, example.box) == ((), ())


def test_eyes_are_the_means_of_their_outlines():
    points = np.zeros((68, 2))
    points[36:42] = [[10, 20], [12, 18], [14, 18], [16, 20], [14, 22], [12, 22]]
    points[42:48] = points[36:42] + np.array([30, 1])
    assert affectnet_labels.eyes_of(points) == ((13.0, 20.0), (43.0, 21.0))


def test_minus_two_is_missing_and_not_a_value():
    labels = affectnet_labels.parse_labels("1", "-2", "-2", 7)
    assert labels == {"expression": 1}


def test_seven_classes_leave_contempt_out():
    with pytest.raises(affectnet_labels.SetAside) as error:
        affectnet_labels.parse_labels("7", "0", "0", 7)
    assert error.value.reason == "class not asked for: contempt"
    assert affectnet_labels.parse_labels("7", "0", "0", 8)["expression"] == 7


def test_machine_labels_become_the_labels(tmp_path):
    ids = affectnet.make_fake_root(str(tmp_path), 6, np.random.default_rng(0))
    text = "id,expression,valence,arousal\n" + "".join(f"{i},2,0.5,-0.5\n" for i in ids)
    write_text(str(tmp_path), "m.csv", text)
    options = ReaderOptions(num_classes=8, machine_labels=str(tmp_path / "m.csv"))
    for example, own in zip(
        affectnet.read(str(tmp_path), options), affectnet.read(str(tmp_path), EIGHT)
    ):
        assert isinstance(example, RawExample)
        assert example.labels == {"expression": 2, "valence_arousal": (0.5, -0.5)}
        assert example.clean == own.clean


def test_a_header_with_more_columns_than_are_needed(tmp_path):
    """Rows have the header's columns; those as short as the needed ones are faulty."""
    affectnet.make_fake_root(str(tmp_path), 6, np.random.default_rng(0))
    path = tmp_path / "training.csv"
    head, first, *rows = path.read_text().splitlines()
    lines = [f"note,{head}", f"x,{first}", *rows]
    path.write_text("\n".join(lines) + "\n")
    found = list(affectnet.read(str(tmp_path), EIGHT))
    train = [item for item in found if "training" in item.source]
    assert isinstance(train[0], RawExample)
    assert {item.reason for item in train[1:]} == {"wrong column count"}
