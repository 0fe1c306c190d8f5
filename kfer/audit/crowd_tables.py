"""The crowd's part of an audit as tables of text."""

from collections.abc import Iterator
from typing import Any

from kfer.audit.table import Table
from kfer.evaluation.report import number

TOO_FEW = "too few labels to say"
# Rows of people in a table; audit.json has them all.
_ROWS = 40


def tables(found: dict[str, Any]) -> Iterator[Table]:
    """The tables of a crowd column of classes, or of values."""
    if "dimensions" in found:
        yield from _of_values(found)
        return
    name = found["column"]
    yield Table(f"{name}: a crowd", ["", ""], _counts(found))
    if found["consensus"]:
        rows = [
            [key, number(row["right"], True), number(row["unlike_majority"], True)]
            for key, row in found["consensus"].items()
        ]
        heads = ["consensus", "right", "unlike the majority"]
        yield Table(f"{name}: pictures by each consensus", heads, rows)
    yield _people(found)
    if len(found["groups"]) > 1:
        yield _groups(found)


def _counts(found: dict[str, Any]) -> list[list[str]]:
    rows = [
        ["labels", str(found["labels"])],
        ["annotators", str(found["people"])],
        ["labelled pictures", str(found["pictures"])],
        ["labels a picture", f"{found['labels'] / found['pictures']:.2f}"],
        ["wrong labels", number(found["noise"], True)],
    ]
    if model := found["dawid_skene"]:
        strength = model["strength"]
        text = "one rate an annotator" if strength is None else f"{strength:g} labels"
        rows.append(["shrinkage that foretells best", text])
    if told := found["identity"]:
        rows.append(
            ["spread of annotators' agreement, 1 is chance", f"{told['ratio']:.2f}"]
        )
    return rows


def _people(found: dict[str, Any]) -> Table:
    rows = []
    everybody = found["annotators"]
    for row in some(everybody):
        known = row["right"] is not None
        interval = (
            f"{number(row['low'], True)} to {number(row['high'], True)}"
            if known
            else TOO_FEW
        )
        group = "" if row["group"] is None else str(row["group"])
        cells = [number(row["right"], True) if known else "", interval, group]
        rows.append([row["annotator"], str(row["labels"]), *cells])
    judged = f" by {found['judged_by']}" if found["judged_by"] else ""
    title = f"{found['column']}: annotators{judged}{left_out(everybody)}"
    return Table(
        title, ["annotator", "labels", "right", "95 % interval", "group"], rows
    )


def some(rows: list[Any]) -> list[Any]:
    """The first and the last of many."""
    return rows if len(rows) <= _ROWS else rows[: _ROWS // 2] + rows[-_ROWS // 2 :]


def left_out(rows: list[Any]) -> str:
    if len(rows) <= _ROWS:
        return ""
    return f" (the first and last {_ROWS // 2} of {len(rows)}; audit.json has all)"


def _groups(found: dict[str, Any]) -> Table:
    rows = [
        [
            str(i),
            str(row["people"]),
            number(row["right"], True),
            f"{row['says']} for {row['for']} ({row['how_often']:.0%})",
            ", ".join(row["first"]) + (" ..." if row["people"] > 5 else ""),
        ]
        for i, row in enumerate(found["groups"], 1)
    ]
    heads = ["group", "annotators", "right", "commonest error", "who"]
    return Table(f"{found['column']}: annotators who say alike", heads, rows)


def _of_values(found: dict[str, Any]) -> Iterator[Table]:
    name, dimensions = found["column"], found["dimensions"]
    rows = [
        [
            dimension,
            number(row["rmse_of_mean"]),
            number(row["rmse"]),
            f"{row['strength']:g}",
        ]
        for dimension, row in zip(dimensions, found["consensus"], strict=True)
    ]
    heads = ["dimension", "RMSE of the mean", "of the Gaussian model", "shrinkage"]
    title = (
        f"{name}: a crowd's values, {found['labels']} by {found['people']} annotators "
        f"of {found['pictures']} pictures"
    )
    yield Table(title, heads, rows)
    people = found["annotators"]
    rows = []
    for row in some(people):
        for d, dimension in enumerate(dimensions):
            cells = (
                [f"{row[key][d]:.3f}" for key in ("bias", "scale", "spread")]
                if row["bias"]
                else ["", TOO_FEW, ""]
            )
            rows.append([f"{row['annotator']} {dimension}", str(row["labels"]), *cells])
    if rows:
        heads = ["annotator", "values", "bias", "scale", "spread"]
        yield Table(f"{name}: annotators{left_out(people)}", heads, rows)
