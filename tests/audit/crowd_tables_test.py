"""The crowd's tables by hand."""

from kfer.audit import crowd_tables

FOUND = {
    "column": "mood",
    "labels": 6,
    "people": 3,
    "pictures": 4,
    "noise": 0.25,
    "judged_by": "clean/mood",
    "dawid_skene": {"strength": None},
    "identity": {"ratio": 0.907},
    "consensus": {"majority, ties drawn": {"right": 0.5, "unlike_majority": 0.0}},
    "annotators": [
        {
            "annotator": "a",
            "labels": 4,
            "right": 0.75,
            "low": 0.6,
            "high": 0.8,
            "group": 1,
        },
        {
            "annotator": "b",
            "labels": 2,
            "right": None,
            "low": None,
            "high": None,
            "group": None,
        },
    ],
    "groups": [
        {
            "people": 1,
            "right": 0.75,
            "says": "x",
            "for": "y",
            "how_often": 0.2,
            "first": ["a"],
        },
        {
            "people": 7,
            "right": 0.5,
            "says": "y",
            "for": "x",
            "how_often": 0.4,
            "first": ["c"],
        },
    ],
}


def test_tables_by_hand():
    counts, consensus, people, groups = crowd_tables.tables(FOUND)
    assert ["labels a picture", "1.50"] in counts.rows
    assert ["shrinkage that foretells best", "one rate an annotator"] in counts.rows
    assert ["spread of annotators' agreement, 1 is chance", "0.91"] in counts.rows
    assert consensus.rows == [["majority, ties drawn", "50.00 %", "0.00 %"]]
    assert people.title == "mood: annotators by clean/mood"
    assert people.rows == [
        ["a", "4", "75.00 %", "60.00 % to 80.00 %", "1"],
        ["b", "2", "", "too few labels to say", ""],
    ]
    assert groups.rows[1] == ["2", "7", "50.00 %", "y for x (40%)", "c ..."]
