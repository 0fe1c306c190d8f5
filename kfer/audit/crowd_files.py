"""A crowd's consensus, picture by picture, as CSV."""

import csv
import io
from collections.abc import Iterator

import numpy as np

from kfer.audit.audit import Audit
from kfer.crowd import majority
from kfer.crowd.dawid_skene import Consensus
from kfer.crowd.values import ValueConsensus
from kfer.data.own_data import safe_names


def consensus_tables(found: Audit) -> dict[str, str]:
    """File name -> text, one for each crowd column.

    Of classes: image_id, labels, majority (ties drawn), consensus (Dawid-Skene),
    probability. Of values: image_id, then mean and deviation of each dimension. Empty
    where nobody gives a label.
    """
    names = safe_names(list(found.crowds))
    texts = {}
    for column, account in found.crowds.items():
        if isinstance(account, Consensus):
            heads = ["image_id", "labels", "majority", "consensus", "probability"]
            rows = _classes(found, column, account)
        else:
            dimensions = found.sets.crowd_columns[column].dimensions
            heads = ["image_id"]
            heads += [
                f"{d} {what}" for d in dimensions for what in ("mean", "deviation")
            ]
            rows = _values(found.sets.ids, account)
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
        texts[f"consensus_{names[column]}.csv"] = buffer.getvalue()
    return texts


def _classes(found: Audit, column: str, account: Consensus) -> Iterator[list[str]]:
    triples = found.sets.crowds[column]
    # The last of these is what the missing label, -1, is called.
    names = np.array([*found.sets.crowd_columns[column].classes, ""], dtype=object)
    vote, best = names[majority.drawn(triples)], names[account.classes]
    for image_id, count, one, other, probability in zip(
        found.sets.ids, triples.of_item(), vote, best, account.probability, strict=True
    ):
        shown = f"{probability:.6f}" if other else ""
        yield [image_id, str(count), one, other, shown]


def _values(ids: list[str], accounts: list[ValueConsensus]) -> Iterator[list[str]]:
    columns = [part for one in accounts for part in (one.mean, one.deviation)]
    for image_id, *numbers in zip(ids, *columns, strict=True):
        yield [image_id, *("" if np.isnan(x) else f"{x:.6f}" for x in numbers)]
