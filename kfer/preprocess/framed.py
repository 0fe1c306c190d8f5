"""What framing a prepared data set shows, for dataset.json and the models of it."""

from collections.abc import Iterable, Mapping

from kfer.data.record import Column
from kfer.errors import UserError
from kfer.faces import framing, recorded
from kfer.preprocess import transforms

# Framing -> the alignments that make it, its own first.
ALIGNMENTS = {
    framing.LANDMARKS: ("eyes", "authors_2021"),
    framing.AS_GIVEN: ("none", "box"),
    framing.NONE: ("none",),
}
# Columns that are of faces, whatever else a picture shows.
OF_FACES = ("expression", "valence_arousal")


def alignment_of(kind: str, named: str, detector_named: bool) -> str:
    """What to do with the pictures for a framing.

    Args:
      kind: of framing.FRAMINGS, or '' where none was asked for.
      named: the alignment that was asked for, or ''.
      detector_named: crops are kept as they came; with a detector they are cut first.

    Raises:
      UserError: this alignment doesn't make that framing.
    """
    if not kind:
        return named or "eyes"
    if named and named not in ALIGNMENTS[kind]:
        raise UserError(
            f"--framing={kind} goes with --alignment={' or '.join(ALIGNMENTS[kind])}, "
            f"not {named}; name one of the two flags"
        )
    cut = "box" if kind == framing.AS_GIVEN and detector_named else ""
    return named or cut or ALIGNMENTS[kind][0]


def note(
    asked: str,
    settings: transforms.Settings,
    found: Mapping[str, int],
    columns: Iterable[Column],
) -> dict[str, str]:
    """The framing to note, see kfer.faces.recorded.

    Args:
      asked: for, of framing.FRAMINGS, or '': then LANDMARKS where most faces were put
        upright by their eyes, else AS_GIVEN where labels are of faces, else NONE.
      settings: of the pictures.
      found: alignment status of the records -> how many.
      columns: of the labels.

    Raises:
      UserError: LANDMARKS is asked for, and most faces were not put upright.
    """
    upright = 0
    if settings.alignment in ALIGNMENTS[framing.LANDMARKS]:
        upright = sum(
            found.get(s, 0) for s in (transforms.LANDMARKS, transforms.DETECTED)
        )
    total = sum(found.values())
    if asked == framing.LANDMARKS and 2 * upright <= total:
        raise UserError(
            f"--framing={asked}: {upright} of {total} faces could be put upright by "
            f"their eyes; take --framing={framing.AS_GIVEN}, or another --detector"
        )
    kind = asked or _seen(upright, total, settings, columns)
    by_detector = found.get(transforms.DETECTED, 0) > 0
    return recorded.note(kind, settings.detector if by_detector else "")


def _seen(
    upright: int, total: int, settings: transforms.Settings, columns: Iterable[Column]
) -> str:
    if 2 * upright > total:
        return framing.LANDMARKS
    names = {name for c in columns for name in (c.name, c.target)}
    of_faces = settings.alignment == "box" or not names.isdisjoint(OF_FACES)
    return framing.AS_GIVEN if of_faces else framing.NONE
