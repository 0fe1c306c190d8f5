"""Label orders of the field and the converters between them, by class name.

One table: name of the order, its first number, its classes. Inside kfer the order is
`kfer.tasks.EXPRESSIONS`; a reader says which order its files use and never a number.
"""

import dataclasses

from kfer import tasks as tasks_lib
from kfer.errors import UserError

# What data sets call the classes -> what kfer calls them.
SYNONYMS = {
    "happiness": "happy",
    "sadness": "sad",
    "angry": "anger",
    "surprised": "surprise",
    "fearful": "fear",
    "afraid": "fear",
    "disgusted": "disgust",
    "disgusting": "disgust",
    "contemptuous": "contempt",
    "no-face": "no_face",
    "non-face": "no_face",
    "nf": "no_face",
}

# Answers that are no expression: a row that holds one is set aside, not guessed.
NOT_EXPRESSIONS = ("none", "uncertain", "unknown", "no_face")
# All that `canonical` may give of an expression's column.
NAMES = (*tasks_lib.EXPRESSIONS, *NOT_EXPRESSIONS)


def canonical(name: str) -> str:
    """kfer's name of a class: canonical('Happiness') == 'happy'."""
    lowered = name.strip().lower().replace(" ", "_")
    return SYNONYMS.get(lowered, lowered)


@dataclasses.dataclass(frozen=True)
class LabelOrder:
    """The numbers a data set gives its classes.

    Attributes:
      name: of the order, a key of ORDERS.
      classes: kfer's class names in the order of the data set's numbers.
      first: the number of the first class.
    """

    name: str
    classes: tuple[str, ...]
    first: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.classes) - 1

    def class_name(self, label: int) -> str:
        """The class that a number stands for.

        Raises:
          ValueError: the number is outside first..last.
        """
        if not self.first <= label <= self.last:
            raise ValueError(
                f"{label} is not in {self.first}..{self.last} ({self.name})"
            )
        return self.classes[label - self.first]

    def to_kfer(self, label: int) -> int:
        """The index in kfer.tasks.EXPRESSIONS of this order's number.

        Raises:
          ValueError: the number is out of range or names no expression.
        """
        name = self.class_name(label)
        if name not in tasks_lib.EXPRESSIONS:
            raise ValueError(f"{label} is {name!r} in {self.name}, not an expression")
        return tasks_lib.EXPRESSIONS.index(name)

    def from_kfer(self, index: int) -> int:
        """This order's number of kfer's class.

        Raises:
          ValueError: this order does not have the class.
        """
        name = tasks_lib.EXPRESSIONS[index]
        if name not in self.classes:
            raise ValueError(f"{self.name} has no class {name!r}")
        return self.first + self.classes.index(name)

    def permutation(self) -> tuple[int, ...]:
        """kfer's index of each expression of this order, in this order's numbering.

        `probabilities_of_this_order[j]` belongs at `permutation()[j]` of kfer's vector.
        """
        return tuple(
            tasks_lib.EXPRESSIONS.index(name)
            for name in self.classes
            if name in tasks_lib.EXPRESSIONS
        )


def _order(name: str, classes: str, first: int = 0) -> LabelOrder:
    return LabelOrder(name, tuple(map(canonical, classes.split())), first)


_ALPHABETICAL = "Anger Contempt Disgust Fear Happiness Neutral Sadness Surprise"

ORDERS = {
    order.name: order
    for order in (
        LabelOrder("kfer", tasks_lib.EXPRESSIONS),
        _order(
            "affectnet",
            "Neutral Happy Sad Surprise Fear Disgust Anger Contempt None Uncertain"
            " No-Face",
        ),
        _order("raf", "Surprise Fear Disgust Happiness Sadness Anger Neutral", 1),
        _order(
            "ferplus",
            "neutral happiness surprise sadness anger disgust fear contempt unknown NF",
        ),
        _order("fer2013", "angry disgust fear happy sad surprise neutral"),
        _order("alphabetical", _ALPHABETICAL),
        _order("alphabetical_7", _ALPHABETICAL.replace("Contempt ", "")),
    )
}


def order(name: str) -> LabelOrder:
    """The order of that name.

    Raises:
      UserError: an unknown name.
    """
    if name not in ORDERS:
        raise UserError(f"Unknown label order {name!r}; known: {', '.join(ORDERS)}")
    return ORDERS[name]


def convert(label: int, source: str, target: str) -> int:
    """The number that `target` gives the class which `source` numbers `label`.

    Raises:
      UserError: an unknown order.
      ValueError: the label is out of range, or `target` lacks its class.
    """
    name = order(source).class_name(label)
    if name not in order(target).classes:
        raise ValueError(f"{target} has no class {name!r} ({label} in {source})")
    return order(target).first + order(target).classes.index(name)
