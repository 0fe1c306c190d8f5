"""Noise on the training labels."""

import json

import numpy as np
import pytest

from kfer.data import label_noise, record
from kfer.data.label_noise import LabelNoise
from kfer.errors import UserError
from kfer.noise import continuous
from kfer.tasks import EXPRESSIONS

CLEAN = {
    "expression": record.categorical("expression", EXPRESSIONS[:7]),
    "valence_arousal": record.valence_arousal(),
}
TRUTH = [
    {"expression": i % 7, "valence_arousal": (i % 10 / 10, -(i % 5) / 5)}
    for i in range(700)
]


def applied(noise: LabelNoise):
    columns = noise.columns(dict(CLEAN), CLEAN)
    return columns, noise.apply(TRUTH, TRUTH, columns)


def rates(rows, name):
    return np.mean([r[name] != t["expression"] for r, t in zip(rows, TRUTH)])


def test_exclusive_gets_the_rates_asked_for_and_hides_the_truth():
    noise = LabelNoise("exclusive", rates=(0.2, 0.3, 0.4), seed=5)
    columns, rows = applied(noise)
    assert [rates(rows, f"annotator_{i}") for i in (1, 2, 3)] == [0.2, 0.3, 0.4]
    assert all("expression" not in row for row in rows)
    assert columns["annotator_2"].classes == EXPRESSIONS[:7]
    assert noise.requested() == {
        "annotator_1": 0.2,
        "annotator_2": 0.3,
        "annotator_3": 0.4,
    }


def test_inclusive_keeps_a_seventh():
    _, rows = applied(LabelNoise("inclusive", rates=(0.7,)))
    assert rates(rows, "annotator_1") == pytest.approx(0.7 * 6 / 7, abs=0.06)


def test_pairs_move_only_their_class():
    noise = LabelNoise(
        "pairs", rates=(0.5,), pairs=label_noise.parse_pairs("disgust>anger")
    )
    _, rows = applied(noise)
    moved = [
        (t["expression"], r["annotator_1"])
        for r, t in zip(rows, TRUTH)
        if r["annotator_1"] != t["expression"]
    ]
    assert moved == [(5, 6)] * 50  # half of 100 disgusts


def test_confusion_matrices_from_a_file(tmp_path):
    swap = np.eye(7)
    swap[[0, 1]] = swap[[1, 0]]  # neutral and happy are taken for each other
    path = tmp_path / "matrices.json"
    path.write_text(json.dumps([swap.tolist(), np.eye(7).tolist()]))
    noise = LabelNoise("confusion", matrices=label_noise.read_matrices(str(path)))
    _, rows = applied(noise)
    assert [rows[i]["annotator_1"] for i in range(7)] == [1, 0, 2, 3, 4, 5, 6]
    assert rates(rows, "annotator_2") == 0


def test_majority_with_ties_to_the_earliest():
    noise = LabelNoise("exclusive", rates=(0.4, 0.4, 0.4), majority=True)
    columns, rows = applied(noise)
    assert columns["majority"].classes == EXPRESSIONS[:7]
    for row in rows:
        votes = [row[f"annotator_{i}"] for i in (1, 2, 3)]
        most = max(votes, key=votes.count)  # max takes the first of equals
        assert row["majority"] == most


def test_value_annotators():
    noise = LabelNoise(
        value_annotators=(
            label_noise.parse_value_annotator("bias=0.5:-0.5"),
            label_noise.parse_value_annotator("swap=1.0"),
        )
    )
    columns, rows = applied(noise)
    assert {"valence_arousal_1", "valence_arousal_2"} <= set(columns)
    for row, truth in zip(rows, TRUTH):
        v, a = truth["valence_arousal"]
        expected = (min(1, v + 0.5), max(-1, a - 0.5))
        assert row["valence_arousal_1"] == pytest.approx(expected)
        assert row["valence_arousal_2"] == pytest.approx((-v, -a))
        assert "valence_arousal" not in row


def test_what_simulated_values_got():
    noise = LabelNoise(value_annotators=(continuous.Annotator(),) * 2)
    clean = [{"valence_arousal": (0.5, 0.0)}, {"valence_arousal": (0.1, 0.3)}, {}]
    labels = [
        {"valence_arousal_1": (0.5, 0.25), "valence_arousal_2": (0.5, 0.0)},
        {"valence_arousal_1": (0.5, -0.2), "valence_arousal_2": (0.1, 0.3)},
        {},
    ]
    found = noise.achieved_values(labels, clean)
    # Errors (0, 0.25) and (0.4, -0.5).
    one = found["valence_arousal_1"]
    assert one["compared"] == 2
    assert one["bias"] == pytest.approx([0.2, -0.125])
    assert one["rmse"] == pytest.approx([0.08**0.5, (0.3125 / 2) ** 0.5])
    assert found["valence_arousal_2"]["rmse"] == [0.0, 0.0]
    assert LabelNoise().achieved_values(labels, clean) == {}


def test_one_value_annotator_keeps_the_columns_name():
    noise = LabelNoise(value_annotators=(continuous.Annotator(std=0.1),))
    _, rows = applied(noise)
    errors = np.array(
        [r["valence_arousal"][0] - t["valence_arousal"][0] for r, t in zip(rows, TRUTH)]
    )
    assert 0.05 < errors.std() < 0.12


def test_same_seed_same_noise():
    noise = LabelNoise("exclusive", rates=(0.3,), seed=1)
    assert applied(noise) == applied(noise)
    assert applied(noise) != applied(LabelNoise("exclusive", rates=(0.3,), seed=2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "flip"}, "noise 'flip' is none of none, exclusive"),
        ({"kind": "exclusive"}, "rates go with"),
        ({"rates": (0.2,)}, "rates go with"),
        ({"kind": "exclusive", "rates": (1.2,)}, "not in \\[0, 1\\]"),
        ({"kind": "confusion"}, "needs confusion matrices"),
        ({"kind": "pairs", "rates": (0.2,)}, "'pairs' needs them, and only it"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(UserError, match=message):
        LabelNoise(**fields)


def test_noise_needs_the_truth():
    with pytest.raises(UserError, match="Noise on 'expression' needs its truth"):
        LabelNoise("exclusive", rates=(0.2,)).columns(dict(CLEAN), {})
    with pytest.raises(UserError, match="needs annotator columns"):
        LabelNoise(majority=True).columns(dict(CLEAN), CLEAN)


def test_words_are_checked(tmp_path):
    with pytest.raises(UserError, match="look like 'disgust>anger'"):
        label_noise.parse_pairs("disgust-anger")
    with pytest.raises(UserError, match=r"looks like 'std=0\.1"):
        label_noise.parse_value_annotator("noise=0.1")
    (tmp_path / "m.json").write_text("[1, 2")
    with pytest.raises(UserError, match="no confusion matrices"):
        label_noise.read_matrices(str(tmp_path / "m.json"))
