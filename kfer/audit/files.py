"""An audit's files: audit.html, consensus.csv and, last, audit.json."""

import csv
import io
import os
from collections.abc import Iterator

import numpy as np

from kfer import run_folder
from kfer.audit import page
from kfer.audit.audit import Audit
from kfer.data import folder as folder_lib
from kfer.data import shards
from kfer.errors import UserError

JSON = "audit.json"
PAGE = "audit.html"
TABLE = "consensus.csv"


def write(out_dir: str, found: Audit) -> list[str]:
    """Writes the files, each whole or not at all; those of an older audit are replaced.

    audit.json has the SHA-256 of the consensus.csv that goes with it, or none.

    Returns:
      Their paths.

    Raises:
      UserError: the disk refused.
    """
    paths = [os.path.join(out_dir, name) for name in (PAGE, TABLE, JSON)]
    if found.consensus is None:
        paths.remove(os.path.join(out_dir, TABLE))
    files: dict[str, str] = {}
    try:
        os.makedirs(out_dir, exist_ok=True)
        _write_text(paths[0], page.render(found.summary))
        if found.consensus is not None:
            _write_text(paths[1], consensus_table(found))
            files[TABLE] = shards.sha256(paths[1])
        run_folder.write_json(paths[-1], found.summary | {"sha256": files})
    except OSError as error:
        raise UserError(
            f"Can't write to {out_dir}: {error.strerror}; choose another --out_dir"
        ) from error
    return paths


def _write_text(path: str, text: str) -> None:
    partial = f"{path}.partial"
    folder_lib.write_lines(partial, [text.removesuffix("\n")])
    os.replace(partial, path)


def consensus_table(found: Audit) -> str:
    """CSV: image_id, consensus, probability and the label of each annotator, by name.

    Empty where an annotator gives no label, and where none does.
    """
    names = found.summary["classes"]["annotators"]
    rows = [["image_id", "consensus", "probability", *names], *_rows(found, names)]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _rows(found: Audit, names: list[str]) -> Iterator[list[str]]:
    # The last of these is what the missing label, -1, is called.
    classes = np.array([*found.summary["classes"]["names"], ""], dtype=object)
    best = classes[found.consensus.classes]
    given = [classes[found.sets.labels[name]] for name in names]
    rows = zip(found.sets.ids, best, found.consensus.probability, *given, strict=True)
    for image_id, label, probability, *labels in rows:
        yield [image_id, label, f"{probability:.6f}" if label else "", *labels]
