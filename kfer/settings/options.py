"""Which options a method reads, and what they may be.

`--set=NAME=VALUE` sets one. A method that doesn't read an option refuses it.
"""

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from kfer.errors import UserError
from kfer.settings import annotator_options as by
from kfer.settings import axes
from kfer.settings import method_options as of
from kfer.settings.method_options import MethodOptions

# Method -> its options; a method that is not here has none.
OPTIONS: dict[str, type[MethodOptions]] = {
    "sce": of.SymmetricCrossEntropyOptions,
    "gce": of.GeneralisedCrossEntropyOptions,
    "label_smoothing": of.LabelSmoothingOptions,
    "forward_correction": of.ForwardCorrectionOptions,
    "elr": of.EarlyLearningOptions,
    "crowd_layer": by.AnnotatorOptions,
    "ltnet": by.LatentTruthOptions,
    "geo_crowd": by.GeoCrowdOptions,
    "annot_mix": by.AnnotMixOptions,
    "co_teaching": of.CoTeachingOptions,
    "air": of.AuxiliaryImageOptions,
    "huber": of.HuberOptions,
    "va_annotators": by.AnnotatorOptions,
    "dawid_skene": by.DawidSkeneOptions,
    "em": by.EMOptions,
    "kfer": by.EMOptions,
    "joint_em": by.EMOptions,
    "joint_em_without_gx": by.EMOptions,
}


@functools.cache
def class_of(method: str) -> type[MethodOptions]:
    """What holds a method's options: those of all its parts.

    Raises:
      UserError: see axes.rows_of.
    """
    found = [OPTIONS[row] for row in axes.rows_of(method) if row in OPTIONS]
    if len(found) < 2:
        return found[0] if found else MethodOptions

    def check_all(options: Any) -> None:
        for cls in found:
            cls.__post_init__(options)

    newer = tuple(name for cls in found for name in cls.newer)
    own = {"newer": newer, "__post_init__": check_all}
    return dataclasses.make_dataclass(
        "Options", [], bases=tuple(found), namespace=own, frozen=True
    )


def names_of(method: str) -> tuple[str, ...]:
    """The options that a method reads."""
    cls = class_of(method)
    return tuple(field.name for field in dataclasses.fields(cls))


def all_names() -> frozenset[str]:
    """The options of all methods."""
    return frozenset(name for method in OPTIONS for name in names_of(method))


def check_names(method: str, given: Iterable[str], others: Iterable[str]) -> None:
    """Raises UserError if a setting is neither any method's option nor among others."""
    if unknown := {*given} - {*others} - all_names():
        known = sorted({*others, *names_of(method)})
        raise UserError(f"Unknown setting {sorted(unknown)}; known: {known}")


def make(method: str, given: Mapping[str, Any] | None = None) -> MethodOptions:
    """A method's options.

    Args:
      method: a key of kfer.methods.METHODS (checked there).
      given: option -> value where it is not the default; lists become tuples.

    Raises:
      UserError: an option that the method doesn't read, or a wrong type or value.
    """
    cls, known = class_of(method), names_of(method)
    values = {name: as_tuple(value) for name, value in (given or {}).items()}
    for name, value in values.items():
        if name not in known:
            raise UserError(
                f"Method {method!r} does not read option {name!r}; "
                f"it has {', '.join(known) or 'none'}"
            )
        check_type(name, value, getattr(cls, name))
    return cls(**values)


def check(method: str, options: MethodOptions) -> MethodOptions:
    """The options, or the method's defaults where none are given.

    Raises:
      UserError: they are another method's.
    """
    cls = class_of(method)
    if type(options) is MethodOptions:
        return cls()
    if type(options) is not cls:
        raise UserError(f"Method {method!r} got options of another method: {options}")
    return options


def hashed(options: MethodOptions) -> dict[str, Any]:
    """The options that make a config's hash: without newer ones at their defaults."""
    return {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name not in options.newer
        or getattr(options, field.name) != field.default
    }


def check_type(field: str, value: Any, default: Any) -> None:
    """Raises UserError if a setting is given as something else."""
    expected = type(default)
    if expected not in (bool, int, float, str):
        _check_parts(field, value)
        return
    if type(value) not in ((float, int) if expected is float else (expected,)):
        raise UserError(
            f"{field} takes a value of type {expected.__name__} such as "
            f"{json.dumps(default)}, got {value!r}"
        )


def _check_parts(field: str, value: Any) -> None:
    """Raises UserError if a setting that is made in Python alone is given as text."""
    made = {"tasks": (), "score_weights": (), "flip_rates": (int, float)}
    plain = (str, bool, int, float, dict, type(None))
    parts = value if isinstance(value, list | tuple) else (value,)
    known = made.get(field, plain)
    if any(isinstance(part, plain) and type(part) not in known for part in parts):
        raise UserError(f"{field} can't be set to {value!r}")


def as_tuple(value: Any) -> Any:
    """Lists, nested ones too, as tuples; else the value."""
    return tuple(map(as_tuple, value)) if isinstance(value, list | tuple) else value
