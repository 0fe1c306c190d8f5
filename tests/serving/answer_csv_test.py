"""Rows of answers as CSV, by hand."""

from kfer.serving import answer_csv

TARGETS = [
    {"name": "mood", "classes": ["sad", "glad"]},
    {"name": "va", "classes": [], "dimensions": ["valence", "arousal"]},
]
ANSWER = {
    "mood": {
        "class": "glad",
        "confidence": 0.75,
        "probabilities": {"sad": 0.25, "glad": 0.75},
    },
    "va": {"valence": 0.5, "arousal": -1.0},
}


def test_rows_by_hand():
    face = {"path": "a,b.png", "face": 1, "box": [1.0, 2.0, 3.0, 4.0], "score": 0.9}
    rows = [
        face | ANSWER,
        {"path": "c.png"} | ANSWER,
        {"path": "d.png", "no_face": "no face found"},
        face | {"error": "no eyes"},
    ]
    found = [answer_csv.cells(row, TARGETS) for row in rows]
    assert {len(row) for row in found} == {len(answer_csv.header(TARGETS))}
    text = answer_csv.lines([answer_csv.header(TARGETS), *found])
    assert text.splitlines() == [
        "path,frame,time,face,x,y,width,height,score,note,"
        "mood,mood confidence,mood sad,mood glad,va valence,va arousal",
        '"a,b.png",,,1,1.0,2.0,3.0,4.0,0.9,,glad,0.75,0.25,0.75,0.5,-1.0',
        "c.png,,,,,,,,,,glad,0.75,0.25,0.75,0.5,-1.0",
        "d.png,,,,,,,,,no face found,,,,,,",
        '"a,b.png",,,1,1.0,2.0,3.0,4.0,0.9,no eyes,,,,,,',
    ]


def test_numbers_of_another_tool_have_a_column():
    numbered = [TARGETS[0] | {"numbered": True}]
    row = {"path": "a", "mood": ANSWER["mood"] | {"label": 7}}
    names = answer_csv.header(numbered)
    found = dict(zip(names, answer_csv.cells(row, numbered), strict=True))
    assert names[-5:] == [
        *("mood", "mood label", "mood confidence", "mood sad", "mood glad"),
    ]
    assert (found["mood"], found["mood label"], found["mood sad"]) == ("glad", 7, 0.25)
