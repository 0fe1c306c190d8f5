"""What an audit with a model finds, as tables of text."""

from collections.abc import Iterator, Mapping
from typing import Any

from kfer.audit import crowd_tables, suspicion
from kfer.audit.table import Table
from kfer.evaluation.report import number

_ACCOUNTS = (suspicion.ANNOTATORS, suspicion.MODEL, suspicion.BOTH, "learned")
_SCORES = (
    suspicion.MODEL,
    suspicion.ANNOTATORS,
    suspicion.BOTH,
    suspicion.JOINT,
    suspicion.DROP,
)
# Of the contradictions that S_joint lists, how many rows.
_ROWS = 10


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """All tables of a summary of judgement.judge."""
    run = found["run"]
    name = f"{run['method']} at step {run['step']}"
    if classes := found.get("classes"):
        yield _reliability(classes, name)
        if "precision" in classes:
            rows = {n: classes["precision"][n] for n in classes["annotators"]}
            yield _precision(rows, "label is wrong")
            yield _corrections(classes)
        else:
            counts = [[n, str(count)] for n, count in classes["proposed"].items()]
            yield Table(
                "Labels that should be another", ["label set", "labels"], counts
            )
    for crowd in found.get("crowds", ()):
        yield _crowd(crowd)
        if crowd["learned"]:
            yield _people(crowd, name)
    if found["values"]:
        yield _values(found["values"], name)
        ranked = {
            v["column"]: v["precision"] for v in found["values"] if "precision" in v
        }
        if ranked:
            share = f"value is among the {suspicion.FURTHEST:.0%} furthest off"
            yield _precision(ranked, share)
    for pair in found["contradictions"]:
        yield _contradictions(pair)


def _reliability(classes: Mapping[str, Any], name: str) -> Table:
    reference = classes.get("corrections", {})
    rows = []
    for column, accounts in classes["annotators"].items():
        cells = [
            number(accounts.get(a, {}).get("reliability"), True) for a in _ACCOUNTS
        ]
        noise = reference.get(column, {}).get("noise")
        right = None if noise is None else 1.0 - noise
        labels = str(accounts[suspicion.MODEL]["labels"])
        rows.append([column, labels, *cells, number(right, True)])
    heads = ["label set", "labels", *_ACCOUNTS, "by the truth"]
    title = f"How often a label is right, by what stands for the truth ({name})"
    return Table(title, heads, rows)


def _precision(rows: Mapping[str, Mapping[str, Any]], what: str) -> Table:
    heads = ["label set", "compared", "chance", *_SCORES]
    cells = [
        [
            name,
            str(row["compared"]),
            number(row["chance"]),
            *(number(row["auprc"].get(score)) for score in _SCORES),
        ]
        for name, row in rows.items()
    ]
    return Table(
        f"Area under the precision-recall curve of 'this {what}'", heads, cells
    )


def _corrections(classes: Mapping[str, Any]) -> Table:
    rows = []
    for name, row in classes["corrections"].items():
        shares = ("were_wrong", "are_right", "noise", "noise_after")
        cells = [number(row[key], True) for key in shares]
        rows.append([name, str(row["changed"]), *cells])
    heads = ["label set", "changed", "were wrong", "are right", "noise", "noise after"]
    title = f"Labels changed where {classes['score']} is {classes['limit']:g} or more"
    return Table(title, heads, rows)


def _crowd(found: Mapping[str, Any]) -> Table:
    rows = [
        [f"right pictures by {name}", number(right, True)]
        for name, right in found["right"].items()
    ]
    rows += [
        ["labels", str(found["labels"])],
        ["labels that should be another", str(found["proposed"])],
        ["wrong labels", number(found["noise"], True)],
        ["wrong labels after", number(found["noise_after"], True)],
    ]
    title = f"{found['column']}: a crowd and the model"
    return Table(title, ["", ""], rows)


def _people(found: Mapping[str, Any], name: str) -> Table:
    """What the method itself has learned of each annotator of a crowd."""
    everybody = found["learned"]
    rows = [
        [row["annotator"], number(row["reliability"], True)]
        for row in crowd_tables.some(everybody)
    ]
    title = f"{found['column']}: how often annotators are right, as learned ({name})"
    title += crowd_tables.left_out(everybody)
    return Table(title, ["annotator", "right"], rows)


def _values(groups: list[dict[str, Any]], name: str) -> Table:
    rows = []
    for row in groups:
        against, learned = row["against"], row["learned"] or {}
        for d, dimension in enumerate(row["dimensions"]):
            cells = [
                number(against[k][d] if against[k] else None)
                for k in ("ccc", "bias", "scale", "noise_std")
            ]
            own = [
                number(learned[k][d] if learned else None) for k in ("bias", "scale")
            ]
            after = [
                number(row[k][d] if row.get(k) else None)
                for k in ("rmse", "rmse_after")
            ]
            head = f"{row['column']} {dimension}"
            rows.append([head, *cells, *own, str(row["proposed"]), *after])
    heads = ["label set", "CCC", "bias", "scale", "noise std", "learned bias"]
    heads += ["learned scale", "changed", "RMSE", "RMSE after"]
    return Table(f"Values against the model's ({name})", heads, rows)


def _contradictions(pair: Mapping[str, Any]) -> Table:
    rows = [
        [
            row["image_id"],
            row["label"],
            " ".join(f"{value:.2f}" for value in row["values"]),
            row["rather"],
            number(row["drop"]),
            "yes" if row["by_rule"] else "no",
        ]
        for row in pair["worst"][:_ROWS]
    ]
    title = (
        f"{pair['classes']} that S_joint contradicts given {pair['values']}; the rule "
        f"contradicts {pair['by_rule']} of {pair['compared']}, ranked by S_joint with "
        f"{number(pair['auprc'])}, chance {number(pair['chance'])}"
    )
    heads = ["picture", "label", "values", "rather", "S_joint drop", "by the rule"]
    return Table(title, heads, rows)
