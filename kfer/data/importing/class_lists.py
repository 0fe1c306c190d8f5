"""Lists of classes as users give them: names in order, or a number with each."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from kfer.errors import UserError


def parsed(text: str) -> tuple[str, list[str]]:
    """('mood', ['calm, very', 'tense']) of 'mood="calm, very",tense'.

    Raises:
      UserError: a quote is not closed.
    """
    # A name in quotes may have an equals sign, as it may have a comma.
    quote = re.search(r'(?:^|[=,])\s*"', text)
    end = quote.end() if quote else len(text)
    mid = text.rfind("=", 0, end)
    name, names = (text[:mid], text[mid + 1 :]) if mid >= 0 else ("", text)
    try:
        rows = [*csv.reader([names], skipinitialspace=True, strict=True)]
    except csv.Error as error:
        raise UserError(
            f"--classes={text} can't be read ({error}); a name with a comma stands in "
            'quotes, such as "calm, very",tense'
        ) from error
    return name, rows[0] if rows else []


def folded(text: str) -> str:
    """Text whose case and whose way of writing accents don't count."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def entry(text: str) -> tuple[str, str]:
    """('-1', 'sad') of '-1:sad', and ('', 'sad') of 'sad'."""
    match = re.fullmatch(r"\s*([+-]?\d+)\s*:(.*)", text, re.DOTALL)
    return (match[1], match[2].strip()) if match else ("", text.strip())


def once(names: Iterable[str]) -> tuple[str, ...]:
    """The names in order, each once as it is first spelled."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(folded(name), name)
    return tuple(found.values())


def check(name: str, listed: Sequence[str]) -> None:
    """Raises UserError where a list names too few classes, or one twice or not at all.

    Several numbers may stand for one class.

    Args:
      name: of the labels; '' stands for all.
      listed: names, or NUMBER:NAME each.
    """
    parts = [entry(text) for text in listed]
    numbers = Counter(int(number) for number, _ in parts if number)
    names = [own for _, own in parts]
    if numbers and sum(numbers.values()) < len(parts):
        wrong = "some have a number and some have none"
    elif numbers and max(numbers.values()) > 1:
        wrong = f"the number {numbers.most_common(1)[0][0]} stands there twice"
    elif not all(names):
        wrong = "a name is empty"
    elif not numbers and len(once(names)) < len(names):
        twice = next(t for t, n in Counter(map(folded, names)).items() if n > 1)
        wrong = f"{twice!r} stands there twice, whatever its case"
    elif len(once(names)) < 2:
        wrong = "too few"
    else:
        return
    raise UserError(
        f"The classes of {name or 'the labels'!r} are {list(listed)}: {wrong}; "
        "expected two names or more, each once"
    )
