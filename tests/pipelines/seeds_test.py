"""The table that the demo ends with; `make demo` runs the rest."""

from pipelines import seeds


def scores(accuracy, ece, ccc):
    return {
        "test": {
            "expression": {"accuracy": accuracy, "ece": ece},
            "valence_arousal": {"ccc": ccc},
        }
    }


def test_means_and_deviations_by_hand():
    found = {
        "vgg_all": [scores(0.90, 0.2, 0.80), scores(0.94, 0.2, 0.90)],
        "kfer": [scores(0.95, 0.1, 0.9)],
    }
    head, plain, ours = seeds.table(found).splitlines()  # one seed has no pairs
    assert head.split() == ["accuracy", "%", "ECE", "CCC"]
    # the deviations of two values are their difference over the root of 2
    assert plain.split() == [
        *("vgg_all", "92.0", "+-", "2.8"),
        *("0.200", "+-", "0.000", "0.850", "+-", "0.071"),
    ]
    assert ours.split() == ["kfer", "95.0", "0.100", "0.900"]


def test_differences_are_paired_by_seed():
    found = {
        "vgg_all": [scores(0.90, 0.2, 0.80), scores(0.94, 0.2, 0.90)],
        "kfer": [scores(0.93, 0.1, 0.81), scores(0.95, 0.1, 0.91)],
    }
    gaps = seeds.table(found).splitlines()[-1]
    # Accuracy: 3 and 1 points, their deviation / sqrt(2) = 1, times Student's 12.7.
    assert gaps.split() == [
        *("kfer", "-", "vgg_all", "2.0", "+-", "12.7"),
        *("-0.100", "+-", "0.000", "0.010", "+-", "0.000"),
    ]
