"""The RAF-DB reader on the official layout."""

import os

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, raf
from kfer.data.fake_roots.files import write_text
from kfer.errors import UserError

OPTIONS = ReaderOptions()


@pytest.fixture
def root(tmp_path):
    raf.make_fake_root(str(tmp_path), 8, np.random.default_rng(0))
    return str(tmp_path)


def numbers(root):
    with open(os.path.join(root, raf.LISTS[0]), encoding="utf-8") as file:
        return {line.split()[0]: int(line.split()[1]) for line in file}


def test_labels_by_name(root):
    names = ["surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"]
    classes = raf.columns(OPTIONS)["expression"].classes
    for example in raf.read(root, OPTIONS):
        expected = names[numbers(root)[example.image_id] - 1]
        assert classes[example.labels["expression"]] == expected
        assert example.clean == example.labels
        assert example.split == example.image_id.split("_")[0]


def test_eyes_are_the_manual_points_else_the_automatic_ones(root):
    found = {e.image_id: e for e in raf.read(root, OPTIONS)}
    manual = os.path.join(root, "Annotation/manual/train_00001_manu_attri.txt")
    with open(manual, encoding="utf-8") as file:
        lines = [tuple(map(float, line.split())) for line in file.readlines()[:2]]
    assert found["train_00001.jpg"].eyes == tuple(lines)
    os.remove(manual)
    again = {e.image_id: e for e in raf.read(root, OPTIONS)}["train_00001.jpg"]
    # The automatic outline of the fake root has the same centres.
    np.testing.assert_allclose(again.eyes, lines, atol=1e-5)
    os.remove(manual.replace("/manual/", "/auto/").replace("manu_", "auto_"))
    assert {e.image_id: e for e in raf.read(root, OPTIONS)}[
        "train_00001.jpg"
    ].eyes == ()


def test_points_separated_by_blanks_and_boxes(root):
    path = "Annotation/manual/train_00001_manu_attri.txt"
    write_text(root, path, "10.5 20\n30 22.25\n1 1\n1 1\n1 1\n0\n1\n2\n")
    write_text(root, "Annotation/boundingbox/train_00001_boundingbox.txt", "5 6 25 46 ")
    example = next(raf.read(root, OPTIONS))
    assert example.eyes == ((10.5, 20.0), (30.0, 22.25))
    assert example.box == (5.0, 6.0, 20.0, 40.0)


def test_the_folder_above_basic_and_images_in_a_subfolder(tmp_path):
    base = tmp_path / "basic"
    raf.make_fake_root(str(base), 3, np.random.default_rng(0))
    (base / "Image/original").rename(base / "imgs")
    (base / "Image/original").mkdir()
    (base / "imgs").rename(base / "Image/original/imgs")
    example = next(raf.read(str(tmp_path), OPTIONS))
    assert example.image == "basic/Image/original/imgs/train_00001.jpg"
    assert example.source == "basic/EmoLabel/list_patition_label.txt:1"
    assert os.path.isfile(tmp_path / example.image)


@pytest.mark.parametrize("last_newline", [True, False])
def test_aligned_pictures_and_no_last_newline(tmp_path, last_newline):
    ids = raf.make_fake_root(
        str(tmp_path), 5, np.random.default_rng(0), True, last_newline
    )
    found = list(raf.read(str(tmp_path), OPTIONS))
    assert [e.image_id for e in found] == ids
    assert found[0].image == "Image/aligned/train_00001_aligned.jpg"
    assert found[0].eyes == () and raf.is_aligned(str(tmp_path), OPTIONS)


def test_originals_are_not_aligned(root):
    assert not raf.is_aligned(root, OPTIONS)


def test_machine_labels_become_the_labels(root):
    ids = list(numbers(root))
    write_text(root, "m.txt", "".join(f"{i} 3\n" for i in reversed(ids)))
    write_text(root, "v.txt", "".join(f"{i} 0.5 {n / 10}\n" for n, i in enumerate(ids)))
    options = ReaderOptions(machine_labels=f"{root}/m.txt,{root}/v.txt")
    found = list(raf.read(root, options))
    assert [e.labels["expression"] for e in found] == [5] * 8  # disgust
    assert [e.labels["valence_arousal"] for e in found] == [
        (0.5, n / 10) for n in range(8)
    ]
    truth = [e.clean["expression"] for e in raf.read(root, OPTIONS)]
    assert [e.clean["expression"] for e in found] == truth
    assert set(raf.columns(options)) == {"expression", "valence_arousal"}


def test_a_machine_file_must_name_every_image(root):
    write_text(root, "m.txt", "train_00001.jpg 3\n")
    with pytest.raises(UserError, match="7 images have no machine expression"):
        list(raf.read(root, ReaderOptions(machine_labels=f"{root}/m.txt")))
