"""The tables of an audit with a model, cell by cell."""

from kfer.audit import judgement, model_tables
from tests.audit import judged


def tables(truth=True):
    sets = judged.sets(truth)
    answers = judged.answers(judged.joint())
    summary = judgement.judge(judged.found(sets), answers, "model").summary
    return {table.title: table for table in model_tables.tables(summary)}


def test_cells():
    found = tables()
    title = (
        "How often a label is right, by what stands for the truth (joint at step 12)"
    )
    second = found[title].rows[1]
    # (0.9 + 0.8 + 0.9 + 0.2 + 0.3) / 5 by the model, 4 of 5 by the truth.
    assert second[:2] == ["annotator_2", "5"]
    assert (second[3], second[5], second[6]) == ("62.00 %", "n/a", "80.00 %")
    areas = found["Area under the precision-recall curve of 'this label is wrong'"]
    assert areas.heads[:4] == ["label set", "compared", "chance", "model"]
    row = dict(zip(areas.heads, areas.rows[1], strict=True))
    assert row["chance"] == "0.2000" and row["s_joint drop"] == "1.0000"
    changed = found["Labels changed where model is 0.5 or more"].rows[1]
    # d is mended, e spoilt.
    expected = ["annotator_2", "2", "50.00 %", "50.00 %", "20.00 %", "20.00 %"]
    assert changed == expected
    values = found["Values against the model's (joint at step 12)"].rows[0]
    assert values[0] == "valence_arousal valence" and values[2] == "0.1800"
    contradicted = [title for title in found if "S_joint contradicts" in title]
    assert len(contradicted) == 3
    assert found[contradicted[1]].rows[0] == [
        "d",
        "happy",
        "0.90 0.00",
        "sad",
        "3.0000",
        "no",
    ]


def test_without_the_truth_the_changes_are_counted():
    found = tables(truth=False)
    rows = found["Labels that should be another"].rows
    assert rows[1] == ["annotator_2", "2"]
    assert not any("precision-recall" in title for title in found)
