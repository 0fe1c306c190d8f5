"""An audit's files: audit.html, the tables and, last, audit.json."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kfer.audit import crowd_files, page
from kfer.audit.audit import Audit
from kfer.data import shard_files
from kfer.storage import whole

if TYPE_CHECKING:  # a model is seldom there, and brings TensorFlow's layers with it
    from kfer.audit.judgement import Judgement

JSON = "audit.json"
PAGE = "audit.html"
TABLE = "consensus.csv"
CORRECTED = "corrected.csv"


def write(
    out_dir: str,
    found: Audit,
    judged: "Judgement | None" = None,
    suspects: Sequence[dict[str, Any]] = (),
) -> list[str]:
    """Writes the files, each whole or not at all; those of an older audit are replaced.

    audit.json has the SHA-256 of the tables that go with it.

    Args:
      out_dir: made if it isn't there.
      found: the audit; its summary has the judgement's under 'model', if there is one.
      judged: with a model: its labels become corrected.csv.
      suspects: with a model: what the page shows, see suspects.shown.

    Returns:
      Their paths.

    Raises:
      UserError: the disk refused.
    """
    texts = {PAGE: page.render(found.summary, suspects)}
    if found.consensus is not None:
        texts[TABLE] = consensus_table(found)
    texts |= crowd_files.consensus_tables(found)
    if judged is not None:
        texts[CORRECTED] = corrected_table(found, judged)
    paths = {name: os.path.join(out_dir, name) for name in (*texts, JSON)}
    for name, text in texts.items():
        whole.write_text(paths[name], text)
    tables = [name for name in texts if name != PAGE]
    digests = {name: shard_files.sha256(paths[name]) for name in tables}
    whole.write_json(paths[JSON], found.summary | {"sha256": digests})
    return list(paths.values())


def consensus_table(found: Audit) -> str:
    """CSV: image_id, consensus, probability and the label of each annotator, by name.

    Empty where an annotator gives no label, and where none does.
    """
    names = found.summary["classes"]["annotators"]
    heads = ["image_id", "consensus", "probability", *names]
    return _csv(heads, _rows(found, names))


def corrected_table(found: Audit, judged: "Judgement") -> str:
    """CSV of corrections.rows: every label, what is proposed, how suspicious it is."""
    from kfer.audit import corrections

    return _csv(corrections.HEADS, corrections.rows(found.sets, judged))


def _csv(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return buffer.getvalue()


def _rows(found: Audit, names: list[str]) -> Iterator[list[str]]:
    # The last of these is what the missing label, -1, is called.
    classes = np.array([*found.summary["classes"]["names"], ""], dtype=object)
    best = classes[found.consensus.classes]
    given = [classes[found.sets.labels[name]] for name in names]
    rows = zip(found.sets.ids, best, found.consensus.probability, *given, strict=True)
    for image_id, label, probability, *labels in rows:
        yield [image_id, label, f"{probability:.6f}" if label else "", *labels]
