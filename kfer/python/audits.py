"""kfer.audit(data, model): what is wrong with labels, as frames."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from kfer.audit import answers, corrections, files, tables
from kfer.audit import audit as audit_lib
from kfer.audit import judgement as judgement_lib
from kfer.audit.audit import Audit
from kfer.audit.judgement import Judgement
from kfer.audit.rankings import DOUBT_LIMIT, RESIDUAL_LIMIT
from kfer.audit.suspicion import doubt
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.python import annotators
from kfer.python.model import Model

_HEADS = ("image_id", "column", "annotator", "given", "proposed", "suspicion", "why")


def audit(data: Dataset, model: Model | None = None, split: str = "train") -> "Report":
    """Audits the labels of a split, with or without a model.

    Args:
      data: prepared, see kfer.data.from_table.
      model: of kfer.fit; best one that has not learned from these labels, as labels
        that a model has learned by heart seem right to it.
      split: of the data set.

    Raises:
      UserError: the split has no labels, or the model answers nothing that it has.
    """
    if not isinstance(data, Dataset):
        raise UserError(f"kfer.audit takes a kfer data set, got {type(data).__name__}")
    found = audit_lib.audit(data.root, split, "kfer.audit")
    if model is None:
        return Report(found)
    given = answers.of_method(
        model.method, model.run, data, split, found.sets, model.provenance(data)
    )
    judged = judgement_lib.judge(found, given)
    found = found._replace(summary=found.summary | {"model": judged.summary})
    people = annotators.rows(data, found.sets, model.run, given.by_target)
    return Report(found, judged, people)


class Report:
    """What an audit finds.

    Attributes:
      summary: plain and JSON-able; see docs/guide/audit.md.
      notes: what a reader of the numbers must know, one sentence each.
    """

    def __init__(
        self,
        found: Audit,
        judged: Judgement | None = None,
        people: list[dict[str, Any]] | None = None,
    ):
        self._found, self._judged, self._people = found, judged, people
        self.summary = found.summary
        self.notes = [
            *found.summary["notes"],
            *(judged.summary["notes"] if judged else []),
        ]

    def to_frame(self) -> pd.DataFrame:
        """One row for each label, the most suspicious first.

        Columns: image_id, column, annotator (of a crowd column, else ''), given,
        proposed (what was given where nothing else is), suspicion and why. Suspicion is
        the probability that a class is wrong, by the annotators' consensus and, if
        there is one, the model; of values, how many standard deviations they are off.
        The two are ranked by what it takes to be proposed: a half, three deviations.
        Without a model nothing is proposed, and values aren't listed.
        """
        table = pd.DataFrame(list(self._rows()), columns=list(_HEADS))
        table["suspicion"] = table["suspicion"].astype(np.float64)
        values = {name for group in self._found.sets.values() for name in group}
        limits = np.where(table["column"].isin(values), RESIDUAL_LIMIT, DOUBT_LIMIT)
        order = np.argsort(-(table["suspicion"] / limits).to_numpy(), kind="stable")
        return table.iloc[order].reset_index(drop=True)

    def _rows(self) -> Iterator[list[Any]]:
        if self._judged is None:
            yield from _by_consensus(self._found)
            return
        crowds = self._judged.crowds
        for image_id, column, *rest in corrections.rows(self._found.sets, self._judged):
            name, _, person = column.partition(":")
            known = name in crowds
            yield [image_id, name if known else column, person if known else "", *rest]

    def annotators(self) -> pd.DataFrame:
        """One row for each annotator, see kfer.python.annotators.

        Raises:
          UserError: the audit had no model.
        """
        if self._people is None:
            raise UserError(
                "Annotators are judged with a model: kfer.audit(data, model)"
            )
        return annotators.frame(self._people)

    def write(self, out_dir: str) -> list[str]:
        """Writes audit.html, audit.json and the tables; their paths."""
        return files.write(out_dir, self._found, self._judged)

    def __str__(self) -> str:
        return tables.text(self.summary)


def _by_consensus(found: Audit) -> Iterator[list[Any]]:
    """Every class label with its doubt by the annotators alone."""
    sets = found.sets
    if found.consensus is not None:
        for name in found.summary["classes"]["annotators"]:
            doubts = doubt(found.consensus.posterior, sets.labels[name])
            for row in np.flatnonzero(np.isfinite(doubts)):
                said = sets.columns[name].classes[sets.labels[name][row]]
                yield [sets.ids[row], name, "", said, said, doubts[row], ""]
    for name, consensus in found.crowds.items():
        column, triples = sets.crowd_columns[name], sets.crowds[name]
        if not column.is_categorical:
            continue
        doubts = 1.0 - consensus.posterior[triples.item, triples.label]
        for item, who, label, amount in zip(
            triples.item, triples.annotator, triples.label, doubts, strict=True
        ):
            said = column.classes[label]
            yield [sets.ids[item], name, column.annotators[who], said, said, amount, ""]
