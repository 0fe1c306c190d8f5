"""What a user says of a table and it makes no difference to."""

import os
from collections.abc import Iterator

from kfer.data.importing import values
from kfer.data.importing.options import TableOptions, asked, is_missing
from kfer.data.importing.reading import JSONS, SHEETS
from kfer.data.importing.understand import Understanding


def of(found: Understanding, options: TableOptions) -> Iterator[str]:
    """A sentence for each flag that has no effect.

    Args:
      found: see understand.
      options: what the user said.
    """
    table = found.table
    kind = os.path.splitext(table.name)[1].lower()
    is_folder = not table.delimiter and kind not in (*JSONS, *SHEETS, ".parquet")
    idle = {
        "sheet": options.sheet and kind not in SHEETS,
        "delimiter": options.delimiter and not table.delimiter,
        "encoding": options.encoding and not (table.delimiter or kind in JSONS),
        "class_folder": options.class_folder and not is_folder,
    }
    for flag in (flag for flag, unread in idle.items() if unread):
        yield f"--{flag} has no effect: {table.name} is {table.form}"
    if "split" in found.roles.of and options.splits != TableOptions.splits:
        header = found.roles.of["split"]
        yield f"--splits has no effect: the column {header!r} says the split"
    if options.order and not (found.votes or _has_bare_numbers(found, options)):
        yield (
            f"--order={options.order} has no effect: no classes are numbers without "
            "names"
        )


def _has_bare_numbers(found: Understanding, options: TableOptions) -> bool:
    """Whether a column of classes has numbers that --classes doesn't name."""
    for part in found.sets:
        is_named = "" in options.classes or asked(
            options.classes, part.target, *part.headers
        )
        if is_named or not found.targets[part.target].is_categorical:
            continue
        for header in part.headers:
            cells = found.table.cells.get(header, [])
            texts = [text for text in set(cells) if not is_missing(text, options)]
            if any(values.number(text, ".") is not None for text in texts):
                return True
    return False
