"""The inspection page's pictures."""

import io

import numpy as np
from PIL import Image

from kfer.data import record
from kfer.preprocess import inspect_plots


def test_marked_draws_the_eyes_where_they_are():
    picture = np.zeros((100, 50, 3), np.uint8)
    marked = inspect_plots.marked(picture, [(20.0, 40.0)], (5, 10, 40, 60), 50)
    assert marked.shape == (50, 25, 3)
    green = np.argwhere(marked[:, :, 1] > marked[:, :, 0])
    # Half size: the eye's ring of radius 3 is around row 20, column 10.
    np.testing.assert_allclose(green.mean(axis=0), (20, 10), atol=0.6)


def test_plots_are_pictures():
    column = record.valence_arousal()
    for data in (
        inspect_plots.histogram(("a", "b"), (3, 0)),
        inspect_plots.scatter(np.zeros((4, 2)), column),
        inspect_plots.table(["a", "b"], np.eye(2)),
    ):
        assert Image.open(io.BytesIO(data)).size[0] > 100
