import io

import numpy as np
import pytest
from PIL import Image

from kfer.evaluation import pictures


@pytest.fixture
def figures(monkeypatch):
    """Figures themselves instead of their PNG."""
    monkeypatch.setattr(pictures, "_png", lambda figure: figure)


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def coloured(rows: int, columns: int, side: int) -> np.ndarray:
    """Picture (r, c) is all (10 r, 10 c, 99)."""
    images = np.full((rows, columns, side, side, 3), 99, np.uint8)
    for row, column in np.ndindex(rows, columns):
        images[row, column, ..., :2] = 10 * row, 10 * column
    return images


def test_tile_puts_row_r_column_c_in_its_place():
    grid = pictures.tile(coloured(2, 3, 5))
    assert grid.shape == (2 * 7 + 2, 3 * 7 + 2, 3)  # 5 and a gap of 2, and a frame
    for row, column in np.ndindex(2, 3):
        top, left = 7 * row + 2, 7 * column + 2
        cell = grid[top : top + 5, left : left + 5]
        assert (cell == (10 * row, 10 * column, 99)).all()
    assert (grid[:2] == 255).all() and (grid[7:9] == 255).all()
    assert (grid == 255).all(axis=2).sum() == 16 * 23 - 6 * 25


def test_sample_grid_enlarges_small_pictures_by_whole_pixels():
    images = coloured(1, 2, 32)
    images[0, 1, 0, 0] = 200, 100, 50
    grid = opened(pictures.sample_grid(images))
    assert grid.shape == (64 + 4, 2 * 66 + 2, 3)
    assert (grid[2:4, 68:70] == (200, 100, 50)).all()  # one pixel is now four
    assert (grid[2:4, 70] == (0, 10, 99)).all()


def test_sample_grid_keeps_large_pictures_and_writes_titles_above():
    images = coloured(1, 2, 64)
    plain = opened(pictures.sample_grid(images))
    titled = opened(pictures.sample_grid(images, ("happy", "sad")))
    assert plain.shape == (68, 134, 3)
    np.testing.assert_array_equal(titled[16:], plain)
    head = titled[:16].min(axis=(0, 2)) < 128  # columns of pixels with black text
    left, right = head[:67], head[67:]
    assert left.any() and right.any() and left.sum() > right.sum()  # happy, sad
    centre = np.flatnonzero(left).mean()
    assert abs(centre - 34) < 3  # 2 + 64 / 2


@pytest.mark.parametrize(
    ("images", "titles", "text"),
    [
        (np.zeros((1, 1, 8, 8, 3)), (), "must be uint8 .* got float64"),
        (np.zeros((1, 8, 8, 3), np.uint8), (), r"got uint8 \(1, 8, 8, 3\)"),
        (np.zeros((1, 2, 8, 8, 3), np.uint8), ("a",), "1 titles for 2 columns"),
    ],
)
def test_sample_grid_refuses_other_arrays(images, titles, text):
    with pytest.raises(ValueError, match=text):
        pictures.sample_grid(images, titles)


def test_curves_draw_the_values_at_their_steps(figures):
    series = {
        "a": pictures.Series([10, 20, 30], [0.5, None, 0.25]),
        "b": pictures.Series([10], [1.0]),
    }
    axes = pictures.curves(series, "accuracy", dashed=["b"], percent=True).axes[0]
    first, second = axes.get_lines()
    np.testing.assert_array_equal(first.get_xdata(), [10, 20, 30])
    np.testing.assert_array_equal(first.get_ydata(), [50.0, np.nan, 25.0])
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
    assert axes.get_ylabel() == "accuracy [%]"
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["a", "b"]


def test_confusion_colours_by_share_of_the_true_class(figures):
    counts = [[3, 1], [0, 0]]
    axes = pictures.confusion(["cat", "dog"], counts).axes[0]
    # Row 0: 3/4 and 1/4; row 1 has no example.
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "3", (1, 0): "1", (0, 1): "0", (1, 1): "0"}  # (x, y)
    assert axes.get_xlabel() == "predicted"
    assert [t.get_text() for t in axes.get_yticklabels()] == ["cat", "dog"]
    axes = pictures.confusion(["cat", "dog"], counts, "given", "consensus").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("given", "consensus")


def test_reliability_draws_the_bins_that_have_examples(figures):
    bins = {
        "low": [0.0, 0.5],
        "high": [0.5, 1.0],
        "count": [0, 4],
        "confidence": [None, 0.8],
        "accuracy": [None, 0.75],
    }
    top, bottom = pictures.reliability(bins).axes
    (bar,) = top.patches
    assert (bar.get_x(), bar.get_width(), bar.get_height()) == (0.5, 0.5, 0.75)
    np.testing.assert_array_equal(top.get_lines()[0].get_xydata(), [[0.8, 0.75]])
    assert [patch.get_height() for patch in bottom.patches] == [4]


def test_scatter_has_true_values_across_and_a_panel_a_dimension(figures):
    true = np.array([[0.1, -0.2], [0.3, 0.4]])
    predicted = true + 0.5
    names = ("valence", "arousal")
    left, right = pictures.scatter(true, predicted, names, -1.0, 1.0).axes
    points = right.get_lines()[1].get_xydata()
    np.testing.assert_allclose(points, [[-0.2, 0.3], [0.4, 0.9]])
    assert left.get_xlabel() == "true valence"
    assert left.get_ylabel() == "predicted valence"


def test_figures_are_png_files():
    png = pictures.curves({}, "nothing")
    assert png.startswith(b"\x89PNG") and opened(png).ndim == 3
