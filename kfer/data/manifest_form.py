"""Whether a manifest is in the documented form, or a table of another."""

import functools
import itertools
import os
from typing import Any

from kfer.data import manifest_rows
from kfer.data.manifest_rows import ANNOTATOR, BadRow
from kfer.errors import UserError

# Rows that are looked at.
_LOOK = 1000


def is_own(path: str) -> bool:
    """Whether kfer.data.manifest_rows reads it as its owner means it.

    Not so where a header is unknown, numbers of expressions come in another order, or
    no class cell names an expression.

    Args:
      path: of the manifest.
    """
    found = os.stat(path)
    return _is_own(path, found.st_mtime, found.st_size)


@functools.lru_cache(maxsize=8)
def _is_own(path: str, *stamp: Any) -> bool:
    if next(iter(manifest_rows.rows(path)), None) is None:
        return True  # nothing to tell by; its reader says what is wrong
    try:
        names = manifest_rows.column_names(path)
    except (UserError, RecursionError):
        return False
    expressions = [n for n in names if n.partition(":")[0] == "expression"]
    if len(expressions) > 1 or (expressions and expressions[0] != "expression"):
        return False
    if any(n.startswith(ANNOTATOR) and ":" in n[len(ANNOTATOR) :] for n in names):
        return False
    rows = [row for _, row in itertools.islice(manifest_rows.rows(path), _LOOK)]
    cells = [
        value
        for row in rows
        for name, value in row.items()
        if name in ("expression", "clean:expression") or name.startswith(ANNOTATOR)
    ]
    return not cells or any(map(_is_class, cells))


def _is_class(value: Any) -> bool:
    try:
        manifest_rows.class_name(value)
    except BadRow:
        return False
    return True
