"""Flags that say what a table of ratings doesn't tell itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("delimiter", "", "Of cells, such as ';' or tab.")
flags.DEFINE_string("encoding", "", "Of a text file, such as cp1252.")
flags.DEFINE_enum("decimal", "", ["", ".", ","], "What parts decimals.")
flags.DEFINE_string("sheet", "", "Of a spreadsheet.")
flags.DEFINE_multi_string(
    "column",
    [],
    "ROLE=HEADER: which column is the image, id, split, subject or annotator.",
)
flags.DEFINE_list("labels", [], "Headers of more columns of classes.")
flags.DEFINE_list(
    "annotators",
    [],
    "Headers of columns of one person's labels each, such as Anna,Bob.",
)
flags.DEFINE_list("votes", [], "Headers of columns that count a class's votes each.")
flags.DEFINE_list("ignore", [], "Headers of columns that are no labels.")
flags.DEFINE_multi_string(
    "classes",
    [],
    "[HEADER=]NAME,NAME,... in the order of the numbers, or NUMBER:NAME,...; a name "
    "with a comma in double quotes.",
)
flags.DEFINE_multi_string(
    "scale", [], "DIMENSION=LOW:HIGH, such as valence=1:9; may be given many times."
)
flags.DEFINE_string(
    "synonyms",
    "",
    'JSON file of names in the table and names to use, {"joy": "happy"}.',
)
flags.DEFINE_string("order", "", "Of numbers that are expressions, such as raf.")
flags.DEFINE_list(
    "splits", ["0.1", "0.1"], "Shares of test and valid where no column says the split."
)
flags.DEFINE_enum(
    "layout",
    "",
    ["", "long", "wide"],
    "long: rows are ratings; wide: rows are pictures, and repeats are faults.",
)
flags.DEFINE_integer(
    "class_folder",
    0,
    "Which of the folders on the way to a picture names its class, 1 the outermost; 0: "
    "the outermost, or the next where that names the split.",
    lower_bound=0,
)
flags.DEFINE_list("missing", None, "Words that stand for no label, in any case.")

# Flag -> the option of importing.options.TableOptions.
_PLAIN = (
    "delimiter",
    "encoding",
    "decimal",
    "sheet",
    "order",
    "layout",
    "class_folder",
)
_LISTS = ("labels", "annotators", "votes", "ignore")


def options_from_flags(**fields: Any) -> dict[str, Any]:
    """Fields of TableOptions that the flags give; {} if none is given.

    Args:
      **fields: more of them.

    Raises:
      UserError: a flag that makes no sense.
    """
    from kfer.data.importing.options import TableOptions

    _check_once()
    found: dict[str, Any] = {n: FLAGS[n].value for n in _PLAIN if FLAGS[n].value}
    if found.get("delimiter") in ("tab", "\\t"):
        found["delimiter"] = "\t"
    found |= {name: list(FLAGS[name].value) for name in _LISTS if FLAGS[name].value}
    if FLAGS.missing is not None:
        found["missing"] = list(FLAGS.missing)
    if FLAGS["splits"].present:
        found["splits"] = list(common.numbers(FLAGS.splits, "splits"))
    pairs = {
        "columns": _pairs("column", FLAGS.column),
        "classes": _class_lists(FLAGS.classes),
        "scales": {k: _scale(k, v) for k, v in _pairs("scale", FLAGS.scale).items()},
        "synonyms": _synonyms(FLAGS.synonyms) if FLAGS.synonyms else {},
    }
    found |= {name: value for name, value in pairs.items() if value}
    TableOptions(**found | fields)
    return found | fields


def _pairs(flag: str, texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, mid, value = text.rpartition("=")
        if not (name and mid and value):
            raise UserError(f"--{flag} takes NAME=VALUE, got {text!r}")
        _check_new(flag, name, found)
        found[name] = value
    return found


def _check_new(flag: str, name: str, found: Mapping[str, Any]) -> None:
    """Raises UserError where a flag says a thing again; only one would be heard."""
    from kfer.data.importing.options import asked

    if asked(dict.fromkeys(found, True), name):
        shown = f"--{flag}={name}=..." if name else f"--{flag}=... without a header"
        raise UserError(f"{shown} is given twice; give it once")


def _check_once() -> None:
    """Raises UserError for a flag that is given twice and holds one value."""
    for name in (*_PLAIN, *_LISTS, "missing", "splits", "synonyms"):
        if FLAGS[name].present > 1:
            parts = ", its parts with commas" if name in (*_LISTS, "missing") else ""
            raise UserError(f"--{name} is given twice; give it once{parts}")


def _class_lists(texts: Sequence[str]) -> dict[str, list[str]]:
    from kfer.data.importing import class_lists

    found: dict[str, list[str]] = {}
    for text in texts:
        name, names = class_lists.parsed(text)
        _check_new("classes", name, found)
        found[name] = names
    return found


def _scale(name: str, text: str) -> list[float]:
    low, mid, high = text.partition(":")
    if not mid:
        raise UserError(f"--scale={name} takes LOW:HIGH, got {text!r}")
    return list(common.numbers([low, high], f"scale={name}"))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"it has {twice[0]!r} twice")
    return dict(pairs)


def _synonyms(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            found = json.load(file, object_pairs_hook=_each_once)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"--synonyms={path} can't be read: {error}") from error
    plain = isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
    if not plain:
        raise UserError(f'--synonyms={path} is no JSON object like {{"joy": "happy"}}')
    return found
