"""The tables of a summary made by hand."""

import numpy as np

from kfer.audit import audit, tables
from kfer.audit.label_sets import LabelSets
from kfer.data import record


def _summary():
    names = ("annotator_1", "annotator_2")
    columns = {name: record.categorical(name, ("cat", "dog")) for name in names}
    columns["value"] = record.valence_arousal("value")
    labels = {
        "annotator_1": np.array([0, 0, 1, -1]),
        "annotator_2": np.array([0, 1, 1, -1]),
        "value": np.array([[0.5, 0], [0.5, 0], [0.5, 1], [np.nan, np.nan]]),
    }
    clean = {"class": np.array([0, 0, 1, 1])}
    truth = {"class": record.categorical("class", ("cat", "dog"))}
    sets = LabelSets(list("abcd"), labels, clean, columns, truth)
    classes, _ = audit.of_classes(sets)
    return {
        "provenance": {"data": {"name": "toy", "root": "/toy"}},
        "split": "train",
        "pictures": 4,
        "missing": {"annotator_1": 1, "annotator_2": 1, "value": 1},
        "notes": audit.notes(sets, classes),
        "classes": classes,
        "values": [audit.of_values(sets, ["value"])],
    }


def test_cells():
    found = {table.title: table for table in tables.tables(_summary())}
    rows = found["Label sets against clean/class"].rows
    # Of 2, truth 0 0 1 and 0 1 1: 2/3 agree, chance 4/9: kappa 0.4.
    assert rows[1] == ["annotator_2", "3", "1", "3", "33.33 %", "0.4000"]
    (pair,) = found["Agreement of two annotators"].rows
    assert pair == ["annotator_1, annotator_2", "3", "66.67 %", "0.4000"]
    kept = found["Share of each class of clean/class that is labelled alike"]
    assert kept.rows[0][:3] == ["cat", "100.00 %", "50.00 %"]
    together = dict(found["All annotators together"].rows)
    assert together["pictures of 2 labels"] == "3"
    assert together["of these all labels agree"] == "66.67 %"
    values = found["Values"].rows
    assert values[0] == ["value valence", "3", "0.5000", "0.0000"]
    assert values[1] == ["value arousal", "3", "0.3333", "0.2222"]


def test_text_is_aligned_and_says_the_notes():
    lines = tables.text(_summary()).splitlines()
    assert lines[0] == "toy in /toy, train: 4 pictures"
    assert lines[1] == "Note: 1 of 4 pictures have no annotator's class"
    assert lines[2].startswith("Note: fewer than 3 annotators")
    start = lines.index("Label sets against clean/class")
    block = lines[start + 1 : lines.index("", start)]
    assert len({len(line) for line in block}) == 1


def test_contradictions_and_the_models_notes_are_shown():
    pair = {
        "classes": "expression",
        "values": "valence_arousal",
        "compared": 9,
        "count": 1,
        "by_class": {"happy": 1},
        "worst": [
            {"image_id": "x", "label": "happy", "values": [-0.5, 0.25], "excess": 0.3}
        ],
    }
    summary = _summary() | {"contradictions": [pair]}
    (table,) = [t for t in tables.tables(summary) if "contradicted" in t.title]
    assert table.title == (
        "expression contradicted by valence_arousal: 1 of 9 pictures (happy 1)"
    )
    assert table.rows == [["x", "happy", "-0.50 0.25", "0.3000"]]
    run = {"method": "joint", "step": 1}
    model = {"run": run, "notes": ["a word"], "values": [], "contradictions": []}
    assert "Note: a word" in tables.text(summary | {"model": model})


def test_what_no_picture_has_both_of_is_no_table():
    pair = {"classes": "ann", "values": "va", "compared": 0, "count": 0, "worst": []}
    summary = _summary() | {"contradictions": [pair | {"by_class": {}}]}
    assert "contradicted" not in tables.text(summary)
