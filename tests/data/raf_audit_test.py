"""The audit of RAF-DB's machine labels, by hand and on the published files."""

import os

import numpy as np
import pytest

from kfer.data import raf_audit
from kfer.errors import UserError

PUBLISHED = os.path.join("..", "shared", "raf_labels")


def _write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def test_by_hand(tmp_path):
    # Seven training rows, one a class; the machine takes disgust (3) for anger (6),
    # fear (2) for surprise (1): noise 2 / 7. Of 8 test rows one neutral of two is off:
    # accuracy 7 / 8, mean class accuracy (6 + 1 / 2) / 7.
    train = [f"train_{i}.jpg {i}" for i in range(1, 8)]
    test = [f"test_{i}.jpg {i}" for i in range(1, 8)] + ["test_8.jpg 7"]
    _write(tmp_path, "list_patition_label.txt", "\n".join(train + test))
    lines = "\n".join(train + test) + "\n"
    lines = lines.replace("train_3.jpg 3", "train_3.jpg 6")
    lines = lines.replace("train_2.jpg 2", "train_2.jpg 1")
    _write(
        tmp_path,
        "machine_expression.txt",
        lines.replace("test_8.jpg 7", "test_8.jpg 1"),
    )
    found = raf_audit.audit(str(tmp_path))
    assert (found.num_train, found.num_test) == (7, 8)
    assert found.train_noise == pytest.approx(2 / 7)
    assert found.test_accuracy == pytest.approx(7 / 8)
    assert found.test_mean_class_accuracy == pytest.approx(6.5 / 7)
    assert found.kept["disgust"] == 0 and found.kept["happy"] == 1
    # kfer's order: disgust 5, anger 6, fear 4, surprise 3.
    assert found.confusion[5, 6] == 1 and found.confusion[4, 3] == 1


def test_missing_id_is_named(tmp_path):
    _write(tmp_path, "list_patition_label.txt", "train_1.jpg 1\ntrain_2.jpg 2")
    _write(tmp_path, "machine_expression.txt", "train_1.jpg 1\n")
    with pytest.raises(UserError, match=r"1 images have no machine .*train_2\.jpg"):
        raf_audit.audit(str(tmp_path))


@pytest.mark.skipif(not os.path.isdir(PUBLISHED), reason=f"{PUBLISHED} is absent")
def test_published_files():
    found = raf_audit.audit(PUBLISHED)
    assert (found.num_train, found.num_test) == (12271, 3068)
    assert round(100 * found.train_noise, 2) == 22.69
    assert round(100 * found.test_accuracy, 2) == 77.54
    assert round(100 * found.test_mean_class_accuracy, 2) == 65.75
    assert {name: round(kept, 3) for name, kept in found.kept.items()} == {
        "surprise": 0.650,
        "fear": 0.488,
        "disgust": 0.310,
        "happy": 0.904,
        "sad": 0.714,
        "anger": 0.726,
        "neutral": 0.811,
    }
    assert found.values_clipped == 94 + 1345
    # Mean machine valence and arousal of happy pictures.
    np.testing.assert_allclose(found.value_means[1], (0.56, 0.17), atol=0.005)
