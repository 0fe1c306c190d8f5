"""Bodies in and out as TensorFlow Serving documents them."""

import json

import numpy as np
import pytest

from kfer.server import rest
from kfer.server.refusal import Refused

B64 = {"b64": "/9hh"}
BYTES = b"\xff\xd8a"


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({"instances": [{"image_bytes": B64}, {"image_bytes": B64}]}, False),
        ({"instances": [B64, B64]}, False),
        ({"inputs": {"image_bytes": [B64, B64]}}, True),
        ({"inputs": [B64, B64], "signature_name": "serving_default"}, True),
    ],
)
def test_every_form_of_the_same_request(asked, columns):
    found = rest.parse(json.dumps(asked).encode())
    assert found == ("serving_default", [BYTES, BYTES], columns)


def test_one_column_of_one_picture_and_none():
    assert rest.parse(json.dumps({"inputs": B64}).encode()).rows == [BYTES]
    assert rest.parse(b'{"instances": []}').rows == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "JSON Parse error: "),
        (b"\xff\xfe", "JSON Parse error: "),
        (b"[" * 100_000, "JSON Parse error: "),
        (b"[]", "The body must be an object"),
        (b"{}", 'Give one of "instances" and "inputs"'),
        (b'{"inputs": [], "instances": []}', 'Give one of "instances" and "inputs"'),
        (b'{"instances": 3}', "The pictures must be a list, not int"),
        (b'{"instances": ["a"]}', 'Picture 0 must be {"b64": "..."}, not a text'),
        (b'{"instances": [{"b64": 3}]}', 'Picture 0 must be {"b64": "..."}'),
        (b'{"instances": [{"b64": "/9hh"}, {"b64": "?"}]}', "Picture 1 is no base64: "),
        (b'{"instances": [{"x": {"b64": ""}}]}', "Instance 0 must have 'image_bytes'"),
        (b'{"inputs": {"a": []}}', "\"inputs\" must have 'image_bytes' alone"),
        (b'{"signature_name": "generate"}', "signature name 'generate' not found"),
        (b'{"signature_name": ["a"]}', "signature name"),
    ],
)
def test_what_is_wrong_with_a_body_is_said(body, text):
    with pytest.raises(Refused) as caught:
        rest.parse(body)
    assert caught.value.status == 400 and text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pictures_of_numbers():
    image = [[[0.5, -1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0.25]]]
    asked = {"signature_name": "predict_images", "instances": [{"images": image}]}
    (row,) = rest.parse(json.dumps(asked).encode()).rows
    found = rest.pixels(row, 0, 2)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32(image))


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ([[1, 2], [3]], "Picture 4 is no array"),
        ([[["a"] * 3]], "Picture 4 is no array"),
        ([[[0, 0]]], r"Picture 4 is (1, 1, 2), not (1, 1, 3)"),
        ([[[0, 0, 1.01]]], "images must lie in [-1, 1]; not at index [4]"),
        ([[[0, 0, float("nan")]]], "images must lie in [-1, 1]; not at index [4]"),
    ],
)
def test_numbers_that_are_no_picture(row, text):
    with pytest.raises(Refused) as caught:
        rest.pixels(row, 4, 1)
    assert text in str(caught.value)


def test_answers_are_rows_or_columns():
    rows = [
        {
            "p": np.float32([0.25, 0.75]),
            "p_class": b"b",
            "p_confidence": np.float32(0.75),
        },
        {"p": np.float32([0.5, 0.5]), "p_class": b"a", "p_confidence": np.float32(0.5)},
    ]
    request = rest.Request("serving_default", [b"", b""], False)
    assert rest.answer(request, rows) == {
        "predictions": [
            {"p": [0.25, 0.75], "p_class": "b", "p_confidence": 0.75},
            {"p": [0.5, 0.5], "p_class": "a", "p_confidence": 0.5},
        ]
    }
    assert rest.answer(request._replace(columns=True), rows) == {
        "outputs": {
            "p": [[0.25, 0.75], [0.5, 0.5]],
            "p_class": ["b", "a"],
            "p_confidence": [0.75, 0.5],
        }
    }


def test_a_single_output_stands_bare():
    rows = [{"v": np.float32([0.5, -1])}]
    request = rest.Request("serving_default", [b""], False)
    assert rest.answer(request, rows) == {"predictions": [[0.5, -1.0]]}
    columns = request._replace(columns=True)
    assert rest.answer(columns, rows) == {"outputs": [[0.5, -1.0]]}
