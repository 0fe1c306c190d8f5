"""Words and numbers of class columns -> one list of classes for each truth."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from kfer import tasks as tasks_lib
from kfer.data import label_orders, reasons
from kfer.data.importing import values
from kfer.data.importing.class_lists import entry, folded, once
from kfer.data.importing.options import TableOptions, asked, is_missing, plain_number
from kfer.errors import UserError

MISSING = -1
# Classes are expressions where at least this share of the labels names one.
_MOST = 0.8
_MANY = 1000
# So few numbers among names are faults.
_STRAY = 0.05
# Letters of a class's name, and of a text that a message shows.
_LONGEST, _SHOWN = 100, 40


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The classes of one truth.

    Attributes:
      classes: names in label order.
      codes: text of a cell -> its class, or MISSING.
      faults: text of a cell -> (reason, what is wrong).
      is_expression: whether they are kfer's own.
      numbering: how numbers were read, in words; '' where there are none.
    """

    classes: tuple[str, ...]
    codes: Mapping[str, int]
    faults: Mapping[str, tuple[str, str]]
    is_expression: bool = False
    numbering: str = ""


def vocabulary(
    counts: Counter,
    target: str,
    options: TableOptions,
    order: str,
    flag: str,
    headers: Sequence[str] = (),
) -> Vocabulary:
    """Makes sense of all texts that stand for classes of one truth.

    Args:
      counts: text -> how often it occurs.
      target: the truth; '' if no header names it.
      options: what the user says.
      order: of numbers, where a header names it.
      flag: the name under which --classes takes the names.
      headers: of its columns, under which --classes takes them too.

    Raises:
      UserError: numbers whose order isn't known or which have two, or too few or too
        many classes.
    """
    listed = _listed(options, (target, flag, *headers))
    given = _given(counts, listed, options)
    codes = {t: MISSING for t in counts if t not in given}
    numbers = {t: values.number(t, ".") for t in given}
    names, faults = {}, {}
    for text in given:
        if len(text) > _LONGEST:
            detail = f"{text[:_SHOWN]!r}... is no class: {len(text)} letters"
            faults[text] = (reasons.OUT_OF_RANGE, detail)
        elif numbers[text] is None:
            names[text] = _name(text, options)
    digits = [t for t in given if t not in names and t not in faults]
    stray = sum(given[t] for t in digits) <= _STRAY * sum(given[t] for t in names)
    if stray and not (listed or order):
        numbered, numbering = {}, "names of classes"
    else:
        numbered, numbering = _numbered(digits, numbers, listed, order, flag)
    names |= numbered
    for text in digits:
        if text not in names:
            detail = f"{text[:_SHOWN]!r} is none of the {numbering}"
            faults[text] = (reasons.OUT_OF_RANGE, detail)
    known, is_expression = _classes(names, given, listed, flag)
    _code(names, known, is_expression, codes, faults)
    return Vocabulary(known, codes, faults, is_expression, numbering if digits else "")


def _code(
    names: Mapping[str, str],
    known: tuple[str, ...],
    is_expression: bool,
    codes: dict[str, int],
    faults: dict[str, tuple[str, str]],
) -> None:
    """Adds what has a name to the codes, or to the faults where it is no class's."""
    allowed = {folded(name): i for i, name in enumerate(known)}
    for text, name in names.items():
        code = allowed.get(folded(name))
        if code is None and is_expression:
            code = allowed.get(label_orders.canonical(name))
        if code is not None:
            codes[text] = code
        else:
            faults[text] = _fault(text, name, known, is_expression)


def _fault(
    text: str, name: str, known: tuple[str, ...], is_expression: bool
) -> tuple[str, str]:
    """Why a text that has a name is none of the classes: reason and detail."""
    plain = label_orders.canonical(name)
    if is_expression and plain in label_orders.NAMES:
        detail = f"{text[:_SHOWN]!r}, {len(known)} classes asked for"
        return _exclusion(plain), detail
    detail = f"{text[:_SHOWN]!r} is no class; known: {', '.join(known)}"
    return reasons.OUT_OF_RANGE, detail


def _exclusion(name: str) -> str:
    if name in label_orders.NOT_EXPRESSIONS:
        return reasons.no_expression(name)
    return reasons.not_asked_for(name)


def _listed(options: TableOptions, names: Sequence[str]) -> tuple[str, ...] | None:
    """The names in order that --classes gives for a truth or any of its columns."""
    found = asked(options.classes, *filter(None, names))
    if len(found) > 1:
        raise UserError(
            f"--classes gives {list(found[0])} and {list(found[1])} for one truth, "
            f"{names[0]!r}; the numbers of its columns need one order"
        )
    return found[0] if found else options.classes.get("")


def _given(
    counts: Counter, listed: tuple[str, ...] | None, options: TableOptions
) -> Counter:
    """Texts that hold something, and how often they occur."""
    meant = _meant(listed, options)
    return Counter(
        {
            text: n
            for text, n in counts.items()
            if not is_missing(text, options) or folded(plain_number(text)) in meant
        }
    )


def _meant(listed: tuple[str, ...] | None, options: TableOptions) -> set[str]:
    """Texts that the user says are classes, though they may be words for nothing."""
    parts = [part for text in listed or () for part in entry(text) if part]
    return {*map(folded, parts), *map(folded, options.synonyms)}


def _name(text: str, options: TableOptions) -> str:
    wanted = {folded(k): v for k, v in options.synonyms.items()}
    return wanted.get(folded(text), text.strip())


def _numbered(
    digits: list[str],
    numbers: Mapping[str, float | None],
    listed: tuple[str, ...] | None,
    order: str,
    flag: str,
) -> tuple[dict[str, str], str]:
    """Text of a number -> name, and how the numbers were read."""
    if not digits:
        return {}, ""
    whole = {t: int(numbers[t]) for t in digits if numbers[t] == int(numbers[t])}
    if listed:
        by_number = _listed_numbers(listed, whole.values(), flag)
        listing = ", ".join(f"{n}:{name}" for n, name in by_number.items())
        shown = f"numbers {listing}"
    elif order:
        known = label_orders.order(order)
        by_number = {known.first + i: name for i, name in enumerate(known.classes)}
        shown = f"numbers of the order {order} ({known.first}: {known.classes[0]})"
    else:
        raise UserError(
            f"The classes of {flag!r} are numbers ({', '.join(sorted(digits)[:3])}) "
            f"whose order isn't known; say --classes={flag}=NAME,NAME,... in the order "
            f"of the numbers, or --order=NAME ({', '.join(label_orders.ORDERS)})"
        )
    return {t: by_number[n] for t, n in whole.items() if n in by_number}, shown


def _listed_numbers(listed: tuple[str, ...], given, flag: str) -> dict[int, str]:
    """Number -> class of 'NAME' or 'NUMBER:NAME' entries."""
    parts = [entry(text) for text in listed]
    if all(number for number, _ in parts):
        return {int(number): name for number, name in parts}
    count, low, high = len(listed), min(given, default=0), max(given, default=0)
    if low >= 1 and high < count:
        raise UserError(
            f"The numbers {low}..{high} of {flag!r} could count its {count} classes "
            f"from 0 or from 1; write --classes={flag}=0:{listed[0]},1:... or "
            f"1:{listed[0]},2:..."
        )
    first = 1 if low >= 1 and high == count else 0
    return {first + i: name for i, name in enumerate(listed)}


def _classes(
    names: Mapping[str, str],
    given: Counter,
    listed: tuple[str, ...] | None,
    flag: str,
) -> tuple[tuple[str, ...], bool]:
    """The classes in order, and whether they are kfer's expressions."""
    if listed:
        numbered = all(entry(text)[0] for text in listed)
        names_in_order = (entry(e)[1] if numbered else e for e in listed)
        return once(names_in_order), False
    canonical = {text: label_orders.canonical(name) for text, name in names.items()}
    total = sum(given[text] for text in names)
    known = sum(given[t] for t, name in canonical.items() if name in label_orders.NAMES)
    if total and known >= _MOST * total:
        has_contempt = "contempt" in canonical.values()
        return tasks_lib.EXPRESSIONS[: 8 if has_contempt else 7], True
    spellings: dict[str, Counter] = {}
    for text, name in names.items():
        spellings.setdefault(folded(name), Counter())[name] += given[text]
    found = tuple(
        max(spellings[key].items(), key=lambda item: (item[1], item[0]))[0]
        for key in sorted(spellings)
    )
    if not 2 <= len(found) <= _MANY:
        raise UserError(
            f"{flag!r} has {len(found)} different labels ({', '.join(found[:3])}); "
            f"classes are 2 to {_MANY}. Name them with --classes={flag}=NAME,NAME,..."
        )
    return found, False
