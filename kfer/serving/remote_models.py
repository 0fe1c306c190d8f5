"""Models in an object store: which there are, the newest of them, one more of them."""

import os
import uuid
from collections.abc import Mapping, Sequence

from absl import logging

from kfer.errors import UserError
from kfer.serving import model_folder
from kfer.storage import fetching, objects
from kfer.storage.fetching import Plan
from kfer.training import run_folder

_MARKERS = tuple(model_folder.FILES.values())
_ATTEMPTS = 20


def single(place: objects.Place, found: Mapping[str, objects.Object]) -> Plan | None:
    """The model that a place is, or that of the run it is; None if it is neither.

    Args:
      place: of a store.
      found: what it holds.
    """
    if run_folder.CONFIG in found:
        return _below(place, run_folder.MODEL, found)
    return _complete(place, found)


def versions(
    place: objects.Place, found: Mapping[str, objects.Object]
) -> dict[int, Plan]:
    """Version -> its plan, of the numbered versions that are complete.

    Args:
      place: BASE_DIR of kfer.serving.publish, in a store.
      found: what it holds.
    """
    names = {key.partition("/")[0] for key in found if "/" in key}
    numbered = sorted((n for n in names if _is_number(n)), reverse=True)
    # Of 3 and 003 the one that publish.folder_of takes.
    plans = {int(name): _below(place, name, found) for name in numbered}
    return {number: plan for number, plan in plans.items() if plan}


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _below(
    place: objects.Place, name: str, found: Mapping[str, objects.Object]
) -> Plan | None:
    start = f"{name}/"
    below = {k.removeprefix(start): o for k, o in found.items() if k.startswith(start)}
    return _complete(place / name, below)


def _complete(place: objects.Place, found: Mapping[str, objects.Object]) -> Plan | None:
    if not found.keys() & {*_MARKERS}:
        return None
    return fetching.plan_of(place, _MARKERS, found)


def newest(base: str) -> str:
    """A copy of the model that a place is, of a run's, or of the newest version.

    Raises:
      UserError: there is no complete one, or the store refuses.
    """
    place = objects.Place(base)
    found = place.objects()
    there = versions(place, found)
    wanted = single(place, found) or (there[max(there)] if there else None)
    if wanted is None:
        raise UserError(
            f"{place.name} is no model, and holds no complete version of one; publish "
            f"one with kfer-export --run=DIR --publish={place.name}"
        )
    return fetching.fetch(wanted)


def publish(model_dir: str, base: str) -> str:
    """Copies a model to the next version of a base in a store.

    The number is claimed by an object that only one publisher can make, where the store
    can refuse to replace one (S3 and Google Cloud Storage can). The file that marks the
    model as complete comes last, so readers never take half a version; one that stays
    incomplete is never completed, and the next publisher takes the next number.

    Args:
      model_dir: a kfer model.
      base: such as s3://bucket/models/faces.

    Returns:
      The version's place.

    Raises:
      UserError: no model there, or the store refuses.
    """
    model_folder.read_description(model_dir)
    claim = uuid.uuid4().hex.encode()
    version = _claimed(objects.Place(base), claim)
    keys = _files(model_dir)
    rest, marks = model_folder.ORDER.groups(keys)
    for group in rest:
        version.put(model_dir, group)
    _check_arrived(version, model_dir, [key for group in rest for key in group], claim)
    for group in marks:
        version.put(model_dir, group)
    version.remove([fetching.UNFINISHED])
    return version.name


def _check_arrived(
    version: objects.Place, model_dir: str, keys: Sequence[str], claim: bytes
) -> None:
    arrived = version.objects()
    for key in keys:
        size = os.path.getsize(os.path.join(model_dir, key))
        if key not in arrived or arrived[key].size != size:
            raise UserError(
                f"{version.name}/{key} is not what was put there; this version stays "
                "incomplete, publish again"
            )
    if version.read(fetching.UNFINISHED) != claim:
        raise UserError(
            f"Another publishes {version.name} at the same time, which this store does "
            "not prevent; publish again when it is done"
        )


def _claimed(base: objects.Place, claim: bytes) -> objects.Place:
    """The place of a version that nobody else publishes."""
    for _ in range(_ATTEMPTS):
        names = {key.partition("/")[0] for key in base.objects()}
        taken = [int(name) for name in names if _is_number(name)]
        version = base / str(max(taken, default=0) + 1)
        if version.put_new(fetching.UNFINISHED, claim):
            if version.put_new(fetching.UNFINISHED, claim):
                logging.warning(
                    "%s replaces objects that it was told not to: two publishers at "
                    "once could mix there, so let one publish at a time",
                    base.name,
                )
            return version
    raise UserError(f"Others publish in {base.name} all the time; try again later")


def _files(folder: str) -> list[str]:
    return [
        os.path.relpath(os.path.join(at, name), folder)
        for at, _, names in os.walk(folder)
        for name in names
    ]
