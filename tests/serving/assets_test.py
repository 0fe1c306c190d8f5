import json

import pytest

from kfer.serving import assets
from tests import runs


@pytest.fixture(scope="module")
def described():
    functions = {}
    return assets.describe(
        runs.run_config(), functions, 7, {"data": "abc"}, runs.CALIBRATION
    )


def card_of(described, folder) -> str:
    labels, card = assets.write(str(folder), described)
    with open(labels) as file:
        assert json.load(file) == json.loads(json.dumps(described))
    with open(card) as file:
        return " ".join(file.read().split())


def test_labels_tell_the_calibration(described):
    assert described["calibration"]["expression"]["temperature"] == 1.5
    assert described["step"] == 7 and described["details"] == {"data": "abc"}


def test_the_card_tells_how_the_confidence_was_calibrated(described, tmp_path):
    card = card_of(described, tmp_path)
    assert "Temperature 1.500, fitted on 24 examples of the split `train`" in card
    assert "calibration error 0.1250 before, 0.0625 after" in card
    assert "rates of wrong labels found: 0.1, 0.2, 0.25." in card
    assert "has learned from these pictures" in card
    assert "{" not in card


def test_the_card_of_one_held_out_label_set(described, tmp_path):
    row = runs.CALIBRATION["expression"] | {"labels": ["label/x"], "split": "valid"}
    card = card_of(described | {"calibration": {"expression": row}}, tmp_path)
    assert "the confidence of agreeing with it." in card
    assert "has learned from these pictures" not in card


def test_the_card_without_calibration(described, tmp_path):
    card = card_of(described | {"calibration": {}}, tmp_path)
    assert "The largest probability, not calibrated." in card


def test_the_card_of_another_format(described, tmp_path):
    card = card_of(described | {"format": "tflite", "quantized": True}, tmp_path)
    assert "The range is not checked" in card and "stored as int8" in card
    assert "image_bytes" not in card and "expression_class" not in card
