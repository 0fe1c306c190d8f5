"""A machine's labels for pictures that people have labelled, joined by image id.

Files, told apart by their columns (blank- or comma-separated, a header may stand
first):

id expression                        a class number of the data set's own order
id valence arousal                   two numbers
id expression valence arousal        both

Values outside [-1, 1] are clipped: a regression may overshoot. The 2021 release's file
for RAF-DB has 94 such valences and 1,345 arousals.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from kfer.data import tables
from kfer.data.label_orders import LabelOrder
from kfer.errors import UserError

LISTED = 10


@dataclasses.dataclass
class MachineLabels:
    """Labels by image id.

    Attributes:
      expression: image id -> kfer's class index.
      valence_arousal: image id -> (valence, arousal) in [-1, 1].
      clipped: how many values were outside [-1, 1].
    """

    expression: dict[str, int] = dataclasses.field(default_factory=dict)
    valence_arousal: dict[str, tuple[float, float]] = dataclasses.field(
        default_factory=dict
    )
    clipped: int = 0

    def of(self, image_id: str) -> dict[str, Any]:
        """The label columns of one image."""
        found: dict[str, Any] = {}
        if self.expression:
            found["expression"] = self.expression[image_id]
        if self.valence_arousal:
            found["valence_arousal"] = self.valence_arousal[image_id]
        return found

    def check(self, image_ids: Iterable[str]) -> None:
        """Raises UserError, naming the first ten, if an image has no label."""
        wanted = list(image_ids)
        if wanted and not (self.expression or self.valence_arousal):
            raise UserError(
                f"There is no machine label at all for {len(wanted)} images, the "
                f"first: {', '.join(wanted[:LISTED])}; see where the labels were lost"
            )
        tables_by_name = {
            "expression": self.expression,
            "valence_arousal": self.valence_arousal,
        }
        for name, table in tables_by_name.items():
            missing = [image_id for image_id in wanted if image_id not in table]
            if table and missing:
                raise UserError(
                    f"{len(missing)} images have no machine {name} label, the first: "
                    f"{', '.join(missing[:LISTED])}; the files must name every image"
                )


def read(paths: str, order: LabelOrder) -> MachineLabels:
    """Reads one or more files.

    Args:
      paths: comma-separated.
      order: of the class numbers.

    Raises:
      UserError: a file can't be read, a row is malformed or out of range, or an id
        stands twice (the first ten are named).
    """
    labels = MachineLabels()
    for path in filter(None, (part.strip() for part in paths.split(","))):
        _read_file(path, order, labels)
    return labels


def _read_file(path: str, order: LabelOrder, labels: MachineLabels) -> None:
    found: dict[str, list[str]] = {}
    duplicates = []
    for index, (source, line) in enumerate(tables.lines(path)):
        parts = tables.fields(line) if "," in line else line.split()
        if index == 0 and not any(math.isfinite(tables.number(p)) for p in parts[1:]):
            continue
        if len(parts) not in (2, 3, 4):
            raise UserError(f"{source} has {len(parts)} columns, expected 2, 3 or 4")
        image_id = parts[0].strip()
        if image_id in found:
            duplicates.append(image_id)
        found[image_id] = [source, *parts[1:]]
    if duplicates:
        raise UserError(
            f"{path} names {len(duplicates)} images twice, the first: "
            f"{', '.join(duplicates[:LISTED])}; keep one line for each"
        )
    for image_id, (source, *values) in found.items():
        _store(labels, image_id, source, values, order)


def _store(
    labels: MachineLabels,
    image_id: str,
    source: str,
    values: list[str],
    order: LabelOrder,
) -> None:
    if len(values) != 2:
        label = tables.whole_number(values[0])
        try:
            labels.expression[image_id] = order.to_kfer(-1 if label is None else label)
        except ValueError as error:
            raise UserError(f"{source}: expression {values[0]!r}: {error}") from error
    if len(values) > 1:
        pair = [tables.number(value) for value in values[-2:]]
        if not all(map(math.isfinite, pair)):
            raise UserError(
                f"{source}: valence and arousal {values[-2:]} are no numbers"
            )
        clipped = tuple(min(1.0, max(-1.0, value)) for value in pair)
        labels.clipped += sum(a != b for a, b in zip(pair, clipped, strict=True))
        labels.valence_arousal[image_id] = clipped
