"""An audit as one HTML page: tables, agreement and confusion matrices as pictures."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kfer.audit import tables
from kfer.evaluation import pictures
from kfer.evaluation.report import uri

TEMPLATE = "audit.html"


def render(summary: dict[str, Any], suspects: Sequence[dict[str, Any]] = ()) -> str:
    """The page of a summary of audit.audit, with suspects.shown if there is a model."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.audit", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        summary=summary,
        provenance=summary["provenance"],
        tables=tables.tables(summary),
        suspects=suspects,
        figures=[{"title": title, "uri": uri(png)} for title, png in figures(summary)],
    )


def figures(summary: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Title and PNG of each picture."""
    from kfer.preprocess import inspect_plots

    if found := summary["classes"]:
        names, pairs = found["annotators"], found["pairwise"]
        if len(names) > 1 and pairs is not None:
            for key, title in (("agreement", "Agreement"), ("kappa", "Cohen's kappa")):
                table = np.array(pairs[key], float)  # None becomes NaN
                yield f"{title} of two annotators", inspect_plots.table(names, table)
        for name, row in found["against"].items():
            if pairs is None and name in names:
                continue
            png = pictures.confusion(
                found["names"], row["confusion"], "given", found["reference"]
            )
            yield f"{name} against {found['reference']}: pictures", png
    for group in summary["values"]:
        names = group["columns"]
        if len(names) > 1:
            for d, dimension in enumerate(group["dimensions"]):
                table = np.array(
                    [
                        [np.nan if cell is None else cell[d] for cell in row]
                        for row in group["pairwise"]["ccc"]
                    ]
                )
                yield (
                    f"CCC of two label sets, {dimension}",
                    inspect_plots.table(names, table),
                )
    yield from _of_model(summary.get("model", {}).get("classes"))


def _of_model(found: dict[str, Any] | None) -> Iterator[tuple[str, bytes]]:
    """Each label set's confusion by what proposes its labels, in percent."""
    for name, accounts in (found or {"annotators": {}})["annotators"].items():
        rows = accounts[found["score"]]["confusion"]
        if rows is not None:
            size = len(found["names"])
            shares = [np.zeros(size) if row is None else row for row in rows]
            percent = np.rint(100 * np.array(shares)).astype(int)
            png = pictures.confusion(found["names"], percent, "given", "expected truth")
            yield f"{name} by {found['score']}: percent", png
