"""What was understood of a table, for its owner to read."""

from kfer.data.importing import examples
from kfer.data.importing.examples import Plan
from kfer.data.importing.options import TableOptions
from kfer.data.importing.understand import Understanding

# Annotators, letters of a cell, and rows that are shown.
_PEOPLE, _LETTERS, _ROWS = 10, 24, 3


def describe(found: Understanding, made: Plan, options: TableOptions) -> str:
    """Layout, columns, annotators, classes, scales, the split and the first rows.

    Args:
      found: see understand.
      made: see examples.plan.
      options: what the user said.
    """
    cells = found.table.cells
    pictures = cells[found.roles.of["image"]].nunique()
    lines = [
        f"{found.table.name}: {found.table.form}, {len(cells)} rows, "
        f"{pictures} pictures",
        f"layout: {_layout(found)}",
        *(f"{role}: column {header!r}" for role, header in found.roles.of.items()),
        *found.notes,
        f"label columns: {', '.join(made.columns)}",
        _truth(found, made),
        _split(found, options),
        *(
            f"ignored: {header!r} ({why})"
            for header, why in found.roles.ignored.items()
        ),
    ]
    if found.table.problems:
        lines.append(f"rows of another width or form: {len(found.table.problems)}")
    shown = cells.head(_ROWS).apply(lambda c: c.str.slice(0, _LETTERS))
    rows = shown.to_string(index=False).splitlines()
    return "\n".join([*lines, "first rows:", *(f"  {row}" for row in rows)])


def _layout(found: Understanding) -> str:
    if not found.is_long:
        return "wide, one row a picture"
    people = list(dict.fromkeys(examples.annotators(found)))
    few = ", ".join(people[:_PEOPLE]) + ", ..." * (len(people) > _PEOPLE)
    nameless = "annotator" not in found.roles.of
    names = "no names, numbered within a picture" if nameless else few
    return f"long, one row a rating; {len(people)} annotators ({names})"


def _truth(found: Understanding, made: Plan) -> str:
    if any(part.is_truth for part in found.sets):
        return f"truth: {', '.join(made.clean_columns)}"
    if made.clean_columns:
        return f"truth: the labels {', '.join(made.clean_columns)} count as the truth"
    return "truth: none"


def _split(found: Understanding, options: TableOptions) -> str:
    if "split" in found.roles.of:
        return "split: as the column says; train where it is empty"
    test, valid = options.splits
    by = "subject" if "subject" in found.roles.of else "picture's name"
    return (
        f"split: {test:.0%} test, {valid:.0%} valid, the rest train, by a hash of the "
        f"{by}"
    )
