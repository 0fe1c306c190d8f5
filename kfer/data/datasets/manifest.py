"""Any folder of annotated faces, told by one file: manifest.csv or manifest.jsonl.

The csv has a header; JSON-lines has one object in each line with the same names as
keys.

column                    value
image                     path of the picture, relative to the folder; the one required
id                        unique; the image's path where absent
split                     train, valid (val, validation) or test; train where absent
expression                a class name, or its number in kfer's (AffectNet's) order;
                          `expression:raf` says that numbers are in RAF-DB's order, and
                          so on for each order of label_orders
valence, arousal          numbers in [-1, 1]
annotator:<name>          what one annotator called the expression, as `expression`; as
                          many such columns as there are annotators; the label column is
                          `annotator_<name>`
clean:expression          the truth, where it is known apart from the labels; where this
clean:valence             column is absent, the labels count as the truth
clean:arousal
left_eye_x, left_eye_y    centre of the eye at the left of the picture, and of the
right_eye_x, right_eye_y  other, in pixels of the upright picture
landmarks                 68 points instead, x;y;x;y...
box                       x;y;width;height of the face in pixels

A file of another form is read as any table is, see kfer.data.importing.

An empty cell (null in JSON) is missing, not guessed. 'none', 'uncertain' and 'no_face'
of an annotator are missing; as the expression they set the row aside, as does a class
outside those asked for.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import manifest_form, manifest_rows
from kfer.data import record as record_lib
from kfer.data.datasets import ReaderOptions
from kfer.data.importing import examples, sources
from kfer.data.importing.options import TableOptions, from_dict
from kfer.data.record import Column, RawExample, Rejected


def columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression' and 'valence_arousal'; columns_in adds the annotators of a
    folder."""
    classes = tasks_lib.EXPRESSIONS[: options.num_classes]
    return {
        "expression": record_lib.categorical("expression", classes),
        "valence_arousal": record_lib.valence_arousal(),
    }


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """The same."""
    return columns(options)


def columns_in(root: str, options: ReaderOptions) -> dict[str, Column]:
    """The label columns that this folder's manifest has.

    Raises:
      UserError: no manifest, or its header lacks 'image'.
    """
    if table := _as_table(root, options):
        return sources.load(root, table)[1].columns
    classes = tasks_lib.EXPRESSIONS[: options.num_classes]
    found = columns(options)
    for name in manifest_rows.annotators(manifest_rows.find(root)):
        column = manifest_rows.annotator_column(name)
        found[column] = record_lib.categorical(column, classes, "expression")
    return found


def clean_columns_in(root: str, options: ReaderOptions) -> dict[str, Column]:
    """The columns of the truth of this folder's manifest."""
    if table := _as_table(root, options):
        return sources.load(root, table)[1].clean_columns
    return clean_columns(options)


def _as_table(root: str, options: ReaderOptions) -> TableOptions | None:
    """How a manifest is read that isn't in this module's own form, or of which more is
    said; None for its own form. Without a column for it, all is of the split train."""
    path = manifest_rows.find(root)
    if not options.table and manifest_form.is_own(path):
        return None
    fields = {"order": "kfer", "splits": (0.0, 0.0), **(options.table or {})}
    return from_dict(fields | {"path": path})


def read(root: str, options: ReaderOptions) -> Iterator[RawExample | Rejected]:
    """Every row of the manifest; see datasets.Reader."""
    if table := _as_table(root, options):
        found, made = sources.load(root, table)
        yield from examples.read(found, table, made)
        return
    path = manifest_rows.find(root)
    names = set(manifest_rows.column_names(path))
    for source, row in manifest_rows.rows(path, root):
        image_id = str(row.get("id") or row.get("image") or "")
        try:
            if problem := row.get(manifest_rows.PROBLEM):
                raise manifest_rows.BadRow(*problem)
            example = _example(row, names, options)
            yield example._replace(image_id=image_id, source=source)
        except manifest_rows.BadRow as error:
            yield Rejected(image_id, error.reason, error.detail, source)


def _example(
    row: dict[str, Any], names: set[str], options: ReaderOptions
) -> RawExample:
    if not row.get("image"):
        raise manifest_rows.BadRow(manifest_rows.NO_IMAGE, "the image cell is empty")
    labels = manifest_rows.labels_of(row, options.num_classes)
    clean = {k: v for k, v in labels.items() if not k.startswith("annotator_")}
    if any(name.startswith("clean:") for name in names):
        clean = manifest_rows.clean_of(row, options.num_classes)
    return RawExample(
        "",
        manifest_rows.split_of(row),
        str(row["image"]),
        labels,
        clean,
        "",
        manifest_rows.eyes_of(row),
        manifest_rows.box_of(row),
        manifest_rows.left_out(row),
    )


def make_fake_root(
    root: str, count: int, rng: np.random.Generator, layout: str = "csv"
) -> list[str]:
    """Writes a small folder with a manifest of three annotators and missing cells.

    Args:
      root: the folder.
      count: images; every fifth is of the test split.
      rng: of pictures and labels.
      layout: 'csv' or 'jsonl'.

    Returns:
      The image ids, in the manifest's order.
    """
    from kfer.data.fake_roots import manifest

    return manifest.write(root, count, rng, layout)
