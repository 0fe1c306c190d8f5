"""Rows as text, piece by piece."""

import json

from kfer.serving import answer_text

TARGETS = [
    {"name": "expression", "classes": ["sad", "happy"], "dimensions": []},
    {"name": "va", "classes": [], "dimensions": ["valence", "arousal"], "words": True},
]
ANSWER = {
    "expression": {
        "class": "happy",
        "confidence": 0.876,
        "probabilities": {"sad": 0.124, "happy": 0.876},
    },
    "va": {"valence": 0.5, "arousal": -0.25},
    "va words": {"quadrant": "q", "affect": "relaxation", "expression": "happy"},
}
UNSURE = ANSWER | {"expression": ANSWER["expression"] | {"class": None}}
PARTS = [
    [{"path": "a.png"} | ANSWER, {"path": "folder/b.png", "error": "no image: text"}],
    [{"path": "c.mp4", "frame": 5, "time": 0.2, "face": 1} | UNSURE],
]


def test_a_table_stands_in_line_as_far_as_it_is_known():
    whole = "".join(answer_text.pieces("table", [PARTS[0] + PARTS[1]], TARGETS))
    assert whole.splitlines() == [
        "picture              expression   valence  arousal  affect",
        "a.png                happy 88 %   +0.50    -0.25    relaxation",
        "folder/b.png         error: no image: text",
        "c.mp4 0.20 s face 1  unsure 88 %  +0.50    -0.25    relaxation",
    ]
    first, second = answer_text.pieces("table", PARTS, TARGETS)
    assert first.splitlines()[1].startswith("a.png         happy 88 %  +0.50")
    assert second.startswith("c.mp4 0.20 s face 1  unsure 88 %  +0.50")


def test_nothing_is_a_head_alone():
    assert "".join(answer_text.pieces("table", [], TARGETS)).startswith("picture  expr")
    assert "".join(answer_text.pieces("json", [], TARGETS)) == "[]\n"


def test_json_is_one_list():
    text = "".join(answer_text.pieces("json", PARTS, TARGETS))
    assert json.loads(text) == PARTS[0] + PARTS[1]


def test_csv_comes_as_its_rows_do():
    head, first, second = answer_text.pieces("csv", PARTS, TARGETS)
    assert head.startswith("path,frame,time,face,x,")
    assert first.splitlines()[0].startswith("a.png,,,,,,,,,,happy,0.876,0.124,0.876,")
    # The class that is not told is an empty cell.
    assert second == (
        "c.mp4,5,0.2,1,,,,,,,,0.876,0.124,0.876,0.5,-0.25,q,relaxation,happy\n"
    )
