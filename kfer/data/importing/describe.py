"""What was understood of a table, for its owner to read."""

from collections.abc import Sequence

from kfer.data.importing import notes, unused
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
    named = (i for row, i in enumerate(found.ids) if row not in found.table.problems)
    pictures = len({*named} - {""})
    lines = [
        f"{found.table.name}: {found.table.form}, {len(cells)} rows, "
        f"{pictures} pictures",
        f"layout: {_layout(found)}",
        *(f"{role}: column {header!r}" for role, header in found.roles.of.items()),
        *found.table.remarks,
        *found.notes,
        *notes.of(found),
        *unused.of(found, options),
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
    people = found.annotators
    unheard = [
        name for name in dict.fromkeys(found.people) if name not in {"", *people}
    ]
    nameless = "annotator" not in found.roles.of
    names = "no names, numbered within a picture" if nameless else _few(people)
    said = f"long, one row a rating; {len(people)} annotators ({names})"
    return said + f"; no label of {_few(unheard)} counts" * bool(unheard)


def _few(people: Sequence[str]) -> str:
    return ", ".join(people[:_PEOPLE]) + ", ..." * (len(people) > _PEOPLE)


def _truth(found: Understanding, made: Plan) -> str:
    if any(part.is_truth for part in found.sets):
        return f"truth: {', '.join(made.clean_columns)}"
    if made.clean_columns:
        return f"truth: the labels {', '.join(made.clean_columns)} count as the truth"
    return "truth: none"


def _split(found: Understanding, options: TableOptions) -> str:
    if "split" in found.roles.of:
        said = "split: as the column says; train where it is empty"
        return said + _shared_subjects(found)
    test, valid = options.splits
    by = "subject" if "subject" in found.roles.of else "picture's name"
    return (
        f"split: {test:.0%} test, {valid:.0%} valid, the rest train, by a hash of the "
        f"{by}"
    )


def _shared_subjects(found: Understanding) -> str:
    """That the same people stand in several splits, where they do."""
    of = found.roles.of
    if "subject" not in of:
        return ""
    pairs = found.table.cells[[of["subject"], of["split"]]].drop_duplicates()
    counts = pairs[pairs[of["subject"]] != ""][of["subject"]].value_counts()
    several = counts[counts > 1]
    if not len(several):
        return ""
    return (
        f"; {len(several)} subjects, such as {several.index[0]!r}, stand in several: "
        f"no score is of new people (--ignore={of['split']} splits by subject)"
    )
