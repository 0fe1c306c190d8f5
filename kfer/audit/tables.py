"""An audit's summary as tables of text, for the terminal and the page."""

from collections.abc import Iterator
from typing import Any

from kfer.audit import crowd_tables, model_tables
from kfer.audit.table import Table
from kfer.evaluation.report import number

# Of the contradictions found, how many rows.
_ROWS = 10


def tables(summary: dict[str, Any]) -> list[Table]:
    """All tables of a summary of audit.audit."""
    found = []
    if summary["classes"]:
        found += _of_classes(summary["classes"], summary["missing"])
    for crowd in summary.get("crowds", ()):
        found += crowd_tables.tables(crowd)
    for group in summary["values"]:
        found += _of_values(group)
    pairs = summary.get("contradictions", ())
    found += [_contradictions(pair) for pair in pairs if pair["compared"]]
    if "model" in summary:
        found += model_tables.tables(summary["model"])
    return found


def _of_classes(found: dict[str, Any], missing: dict[str, int]) -> Iterator[Table]:
    names, annotators = found["names"], found["annotators"]
    few = found["pairwise"] is not None
    # Of many annotators the crowd's tables tell, see crowd_tables.
    shown = {n: r for n, r in found["against"].items() if few or n not in annotators}
    rows = [
        [
            name,
            str(sum(row["given"])),
            str(missing.get(name, "")),
            str(row["compared"]),
            number(row["noise"], True),
            number(row["kappa"]),
        ]
        for name, row in shown.items()
    ]
    heads = ["label set", "labels", "missing", "compared", "noise", "kappa"]
    yield Table(f"Label sets against {found['reference']}", heads, rows)
    kept = {name: row["kept"] for name, row in shown.items()}
    yield Table(
        f"Share of each class of {found['reference']} that is labelled alike",
        ["class", *kept],
        [
            [name, *(number(row[i], True) for row in kept.values())]
            for i, name in enumerate(names)
        ],
    )
    if not few:
        yield _together(found)
    elif len(annotators) > 1:
        yield _pairs(found)
        yield _together(found)
        yield _dawid_skene(found)


def _pairs(found: dict[str, Any]) -> Table:
    names, pairs = found["annotators"], found["pairwise"]
    rows = [
        [
            f"{names[i]}, {names[j]}",
            str(pairs["both"][i][j]),
            number(pairs["agreement"][i][j], True),
            number(pairs["kappa"][i][j]),
        ]
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]
    heads = ["annotators", "both label", "agreement", "Cohen's kappa"]
    return Table("Agreement of two annotators", heads, rows)


def _together(found: dict[str, Any]) -> Table:
    one = found["unanimity"]
    rows = [
        ["pictures of two labels or more", str(one["compared"])],
        ["of these all labels agree", number(one["all_agree"], True)],
        ["of these without a majority", number(one["no_majority"], True)],
        ["Fleiss' kappa", number(found["fleiss_kappa"])],
        ["classes nobody gives", ", ".join(found["never_given"]) or "none"],
    ]
    rows += [
        [f"pictures of {labels} labels", str(count)]
        for labels, count in enumerate(one["labels"])
        if count
    ]
    return Table("All annotators together", ["", ""], rows)


def _dawid_skene(found: dict[str, Any]) -> Table:
    model, names = found["dawid_skene"], found["annotators"]
    rows = []
    for i, name in enumerate(found["names"]):
        # A row of 0 is a class the annotator never had before it: unknown.
        cells = [model["confusions"][a][i] for a in names]
        right = [number(cell[i] if any(cell) else None, True) for cell in cells]
        rows.append([name, number(model["prior"][i], True), *right])
    state = "converged" if model["converged"] else "not converged"
    title = (
        "Dawid-Skene: share of pictures of each class, and how likely each annotator "
        f"is right on it ({model['iterations']} iterations, {state})"
    )
    return Table(title, ["class", "pictures", *names], rows)


def _of_values(group: dict[str, Any]) -> Iterator[Table]:
    dimensions = group["dimensions"]
    rows = []
    for name, row in group["spread"].items():
        for d, dimension in enumerate(dimensions):
            cells = [_cell(row[key], d) for key in ("mean", "variance")]
            rows.append([f"{name} {dimension}", str(row["given"]), *cells])
    yield Table("Values", ["label set", "labels", "mean", "variance"], rows)
    measures = ("ccc", "rmse", "bias", "scale", "noise_std")
    heads = ["label set", "compared", "CCC", "RMSE", "bias", "scale", "noise std"]
    for reference, against in group["against"].items():
        rows = []
        for name, row in against.items():
            for d, dimension in enumerate(dimensions):
                cells = [_cell(row[key], d) for key in measures]
                rows.append([f"{name} {dimension}", str(row["compared"]), *cells])
        yield Table(f"Values against {reference}", heads, rows)
    if len(group["columns"]) > 1:
        yield _value_pairs(group)


def _value_pairs(group: dict[str, Any]) -> Table:
    names, pairs = group["columns"], group["pairwise"]
    rows = [
        [
            f"{names[i]}, {names[j]} {dimension}",
            str(pairs["both"][i][j]),
            _cell(pairs["ccc"][i][j], d),
            _cell(pairs["bias"][i][j], d),
        ]
        for i in range(len(names))
        for j in range(i + 1, len(names))
        for d, dimension in enumerate(group["dimensions"])
    ]
    heads = ["label sets", "both", "CCC", "mean difference"]
    return Table("Values of two label sets", heads, rows)


def _contradictions(pair: dict[str, Any]) -> Table:
    rows = [
        [
            row["image_id"],
            row["label"],
            " ".join(f"{value:.2f}" for value in row["values"]),
            number(row["excess"]),
        ]
        for row in pair["worst"][:_ROWS]
    ]
    counts = ", ".join(f"{name} {n}" for name, n in pair["by_class"].items())
    title = (
        f"{pair['classes']} contradicted by {pair['values']}: {pair['count']} of "
        f"{pair['compared']} pictures ({counts or 'none'})"
    )
    return Table(title, ["picture", "label", "values", "beyond by"], rows)


def _cell(values: list[float | None] | None, index: int) -> str:
    return number(values[index] if values else None)


def text(summary: dict[str, Any]) -> str:
    """The tables as lines, columns aligned."""
    data = summary["provenance"]["data"]
    lines = [
        f"{data['name']} in {data['root']}, {summary['split']}: "
        f"{summary['pictures']} pictures"
    ]
    notes = [*summary["notes"], *summary.get("model", {}).get("notes", ())]
    lines += [f"Note: {note}" for note in notes]
    for table in tables(summary):
        lines += ["", table.title]
        cells = [table.heads, *table.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells if any(table.heads) else table.rows:
            first, *others = zip(row, widths, strict=True)
            numbers = "".join(f"  {cell:>{width}}" for cell, width in others)
            lines.append(f"  {first[0]:{first[1]}}{numbers}")
    return "\n".join(lines)
