"""How a data set's faces were framed, as dataset.json, a run and a model note it."""

from collections.abc import Mapping
from typing import Any

from kfer.errors import UserError
from kfer.faces import detectors, framing

KEY = "framing"


def note(kind: str, detector: str = "") -> dict[str, str]:
    """{'kind': of framing.FRAMINGS, 'detector': that found faces, or ''}."""
    return {"kind": kind, "detector": detector}


def read(notes: Mapping[str, Any], where: str) -> tuple[str, str]:
    """(framing, detector) that prediction repeats.

    Args:
      notes: a data set's notes, a run's data or a model's description. Those of an
        older kfer say nothing: their pictures count as whole, as they always did.
      where: they were read.

    Returns:
      One of framing.FRAMINGS, and one of detectors.DETECTORS: DEFAULT where the eyes
      were the data set's own.

    Raises:
      UserError: an unknown framing or detector.
    """
    found = notes.get(KEY) or note(framing.NONE)
    kind = found.get("kind") if isinstance(found, Mapping) else found
    if kind not in framing.FRAMINGS:
        raise UserError(
            f"{where} names the framing {kind!r}, this kfer knows "
            f"{', '.join(framing.FRAMINGS)}; name it with --framing"
        )
    detector = found.get("detector") or detectors.DEFAULT
    if detector not in detectors.DETECTORS:
        raise UserError(
            f"{where} names the detector {detector!r}, this kfer knows "
            f"{', '.join(detectors.DETECTORS)}; name one with --detector"
        )
    return kind, detector


def chosen(
    description: Mapping[str, Any], where: str, kind: str | None, detector: str | None
) -> tuple[str, str]:
    """(framing, detector): those asked for, else those that were recorded.

    Args:
      description, where: see `read`, which is asked only if one is missing.
      kind, detector: asked for; None or '' leaves it to the record.

    Raises:
      UserError: see `read`.
    """
    if kind and detector:
        return kind, detector
    own, by = read(description, where)
    return kind or own, detector or by
