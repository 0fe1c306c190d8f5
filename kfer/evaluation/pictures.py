"""Figures of a run as PNG bytes."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A column this wide holds a class name.
_COLUMN_PIXELS = 64
_GAP = 2


class Series(NamedTuple):
    """A line over training steps."""

    steps: Sequence[int]
    values: Sequence[float]


def _figure(width: float, height: float) -> "Figure":
    # Not pyplot: it keeps every figure, and a global back end.
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()


def sample_grid(images: np.ndarray, titles: Sequence[str] = ()) -> bytes:
    """Pictures in rows and columns, enlarged by whole pixels where they are small.

    Args:
      images: uint8 [rows, columns, H, W, 3] RGB.
      titles: one a column, written above it; none if empty.

    Raises:
      ValueError: another shape or type, or another number of titles.
    """
    if images.dtype != np.uint8 or images.ndim != 5 or images.shape[-1] != 3:
        raise ValueError(
            f"images must be uint8 [rows, columns, H, W, 3], got {images.dtype} "
            f"{images.shape}"
        )
    if len(titles) not in (0, images.shape[1]):
        raise ValueError(f"{len(titles)} titles for {images.shape[1]} columns")
    scale = math.ceil(_COLUMN_PIXELS / images.shape[3])
    grid = Image.fromarray(tile(images.repeat(scale, axis=2).repeat(scale, axis=3)))
    if titles:
        grid = _with_titles(grid, titles)
    buffer = io.BytesIO()
    grid.save(buffer, "PNG")
    return buffer.getvalue()


def tile(images: np.ndarray) -> np.ndarray:
    """[rows, columns, H, W, 3] side by side on white, parted and framed by 2 pixels."""
    rows, columns, height, width, _ = images.shape
    size = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3)
    grid = np.full(size, 255, np.uint8)
    for row, column in np.ndindex(rows, columns):
        top, left = row * (height + _GAP) + _GAP, column * (width + _GAP) + _GAP
        grid[top : top + height, left : left + width] = images[row, column]
    return grid


def _with_titles(grid: Image.Image, titles: Sequence[str]) -> Image.Image:
    font = ImageFont.load_default(size=11)
    head = 16
    page = Image.new("RGB", (grid.width, grid.height + head), "white")
    page.paste(grid, (0, head))
    draw = ImageDraw.Draw(page)
    step = (grid.width - _GAP) / len(titles)
    for column, title in enumerate(titles):
        middle = _GAP / 2 + (column + 0.5) * step
        draw.text((middle, head / 2), title, "black", font, anchor="mm")
    return page


def curves(
    series: Mapping[str, Series],
    label: str,
    dashed: Iterable[str] = (),
    percent: bool = False,
) -> bytes:
    """Lines over training steps; steps without a value part the line.

    Args:
      series: name -> line.
      label: of the vertical axis.
      dashed: names of the lines to draw dashed.
      percent: values are shares, shown times 100.
    """
    figure = _figure(7, 3.6)
    axes = figure.subplots()
    dashed = set(dashed)
    for name, line in series.items():
        values = np.array([math.nan if v is None else v for v in line.values], float)
        style = "--" if name in dashed else "-"
        factor = 100.0 if percent else 1.0
        axes.plot(line.steps, values * factor, style, marker=".", label=name)
    axes.set(xlabel="training step", ylabel=f"{label} [%]" if percent else label)
    axes.grid(alpha=0.3)
    if series:
        axes.legend(fontsize="small")
    return _png(figure)


def confusion(
    classes: Sequence[str],
    counts: Any,
    columns: str = "predicted",
    rows: str = "true",
) -> bytes:
    """A confusion matrix: counts, coloured by the share of the true class (the row).

    Args:
      classes: K names.
      counts: [K, K].
      columns, rows: what the axes are called.
    """
    counts = np.asarray(counts)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    figure = _figure(0.62 * len(classes) + 2.2, 0.5 * len(classes) + 1.8)
    axes = figure.subplots()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel=columns, ylabel=rows)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axes.text(
            column, row, str(count), ha="center", va="center", color=colour, fontsize=8
        )
    return _png(figure)


def reliability(bins: Mapping[str, Sequence[Any]]) -> bytes:
    """Accuracy against confidence, with the number of examples below.

    Args:
      bins: of kfer.metrics.classification.reliability.
    """
    figure = _figure(4.2, 4.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [i for i, count in enumerate(bins["count"]) if count]
    low, high = np.array(bins["low"])[filled], np.array(bins["high"])[filled]
    accuracy = [bins["accuracy"][i] for i in filled]
    confidence = [bins["confidence"][i] for i in filled]
    style = {"width": high - low, "align": "edge", "edgecolor": "white"}
    top.bar(low, accuracy, color="#4c78a8", **style)
    top.plot(confidence, accuracy, ".", color="black", label="mean of the bin")
    top.plot((0, 1), (0, 1), "--", color="grey", label="perfect")
    top.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
    top.legend(fontsize="small", loc="upper left")
    bottom.bar(low, np.array(bins["count"])[filled], color="#9ecae9", **style)
    bottom.set(xlabel="confidence", ylabel="examples")
    return _png(figure)


def scatter(
    true: np.ndarray,
    predicted: np.ndarray,
    dimensions: Sequence[str],
    low: float,
    high: float,
) -> bytes:
    """Predicted against true values, one panel a dimension.

    Args:
      true, predicted: [n, D].
      dimensions: D names.
      low, high: range of the values.
    """
    figure = _figure(3.6 * len(dimensions), 3.6)
    margin = 0.05 * (high - low)
    limits = (low - margin, high + margin)
    alpha = 0.2 if len(true) > 500 else 0.7
    panels = figure.subplots(1, len(dimensions), squeeze=False)[0]
    for index, (axes, name) in enumerate(zip(panels, dimensions, strict=True)):
        axes.plot((low, high), (low, high), "--", color="grey", linewidth=1)
        axes.plot(true[:, index], predicted[:, index], ".", alpha=alpha, markersize=4)
        axes.set(xlabel=f"true {name}", ylabel=f"predicted {name}", aspect="equal")
        axes.set(xlim=limits, ylim=limits)
    return _png(figure)
