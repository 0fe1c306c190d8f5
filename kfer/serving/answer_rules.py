"""What is made of an answer before it is told: abstaining, words, others' numbers."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kfer.data import label_orders
from kfer.errors import UserError
from kfer.serving import words

VALUES = ["valence", "arousal"]
WORDS = " words"
COLUMNS = ("quadrant", "affect", "expression")


@dataclasses.dataclass(frozen=True)
class Rules:
    """What is asked for beside the model's own answers.

    Attributes:
      min_confidence: below it a class is None: the model abstains. It is as good as
        the confidence is calibrated.
      words: whether '<target> words' tells valence and arousal in words.
      label_order: a key of kfer.data.label_orders.ORDERS: probabilities come in its
        order, and 'label' is its number of the class; '' leaves kfer's.
    """

    min_confidence: float = 0.0
    words: bool = False
    label_order: str = ""

    def __post_init__(self):
        if not 0.0 <= self.min_confidence <= 1.0:
            raise UserError(f"min_confidence {self.min_confidence} is not in [0, 1]")
        if self.label_order:
            label_orders.order(self.label_order)


def targets(described: Sequence[dict[str, Any]], rules: Rules) -> list[dict[str, Any]]:
    """A model's targets as `apply` tells them: classes in the order asked for.

    Raises:
      UserError: the order lacks a class of the model, or no target has classes to be
        ordered or unsure of; or there are no valence and arousal to put into words.
    """
    found = [dict(target) for target in described]
    if not any(target["classes"] for target in found):
        for name, asked in (
            ("label_order", rules.label_order),
            ("min_confidence", rules.min_confidence),
        ):
            if asked:
                raise UserError(f"The model answers no classes; leave out --{name}")
    if rules.words and not any(t["dimensions"] == VALUES for t in found):
        raise UserError(
            "The model has no valence and arousal to put into words; leave out --words"
        )
    if rules.label_order:
        for target in (target for target in found if target["classes"]):
            target["classes"] = _ordered(target, rules.label_order)
            target["numbered"] = True
    for target in found:
        target["words"] = rules.words and target["dimensions"] == VALUES
    return found


def _ordered(target: dict[str, Any], name: str) -> list[str]:
    order = label_orders.order(name)
    if lacking := [c for c in target["classes"] if c not in order.classes]:
        raise UserError(
            f"The order {name} has no class {lacking[0]!r} of the model's "
            f"{target['name']}; orders with it: "
            + (
                ", ".join(
                    o.name
                    for o in label_orders.ORDERS.values()
                    if set(target["classes"]) <= set(o.classes)
                )
                or "none"
            )
        )
    return [c for c in order.classes if c in target["classes"]]


def apply(
    rows: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]], rules: Rules
) -> list[dict[str, Any]]:
    """Rows of a predictor as the rules say.

    Args:
      rows: rows without answers stay as they are.
      told: `targets` of the model and the rules.
      rules: see Rules.
    """
    return [
        row if "error" in row or "no_face" in row else _row(row, told, rules)
        for row in rows
    ]


def _row(row: dict, told: Sequence[dict[str, Any]], rules: Rules) -> dict[str, Any]:
    row = dict(row)
    for target in told:
        name = target["name"]
        if target["classes"]:
            row[name] = _classes(row[name], target, rules)
        elif target["words"]:
            row[name + WORDS] = words.describe(*(row[name][v] for v in VALUES))
    return row


def _classes(answer: dict, target: dict[str, Any], rules: Rules) -> dict[str, Any]:
    answer = answer | {
        "probabilities": {c: answer["probabilities"][c] for c in target["classes"]}
    }
    if answer["confidence"] < rules.min_confidence:
        answer["class"] = None
    if rules.label_order:
        order = label_orders.order(rules.label_order)
        known = answer["class"] is not None
        answer["label"] = (
            order.first + order.classes.index(answer["class"]) if known else None
        )
    return answer
