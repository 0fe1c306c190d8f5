"""Which pictures an audit's page has; files_test reads the page."""

import numpy as np

from kfer.audit import page
from kfer.evaluation import pictures
from kfer.preprocess import inspect_plots


def test_figures_show_the_summary(monkeypatch):
    seen = []
    monkeypatch.setattr(inspect_plots, "table", lambda *a: seen.append(a) or b"")
    monkeypatch.setattr(pictures, "confusion", lambda *a: seen.append(a) or b"")
    summary = {
        "classes": {
            "names": ["cat", "dog"],
            "annotators": ["a", "b"],
            "reference": "clean/class",
            "pairwise": {
                "agreement": [[1, None], [None, 1]],
                "kappa": [[1, 0], [0, 1]],
            },
            "against": {"a": {"confusion": [[3, 1], [0, 2]]}},
        },
        "values": [
            {
                "columns": ["v", "w"],
                "dimensions": ["valence"],
                "pairwise": {"ccc": [[[1.0], None], [None, [1.0]]]},
            }
        ],
    }
    titles = [title for title, _ in page.figures(summary)]
    assert titles == [
        "Agreement of two annotators",
        "Cohen's kappa of two annotators",
        "a against clean/class: pictures",
        "CCC of two label sets, valence",
    ]
    np.testing.assert_array_equal(seen[0][1], [[1, np.nan], [np.nan, 1]])
    assert seen[2] == (["cat", "dog"], [[3, 1], [0, 2]], "given", "clean/class")
    np.testing.assert_array_equal(seen[3][1], [[1, np.nan], [np.nan, 1]])
