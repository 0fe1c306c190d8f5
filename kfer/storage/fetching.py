"""Places of object stores as folders of this machine, fetched once for each state.

CACHE/<place>/<state>/<name> is a whole copy of what a place held: <place> and <state>
are digests, of its address and of what the store says of its objects. What is there is
never changed, so one who reads it is not disturbed by a fetch of a newer state.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from absl import logging

from kfer.errors import UserError
from kfer.storage import objects, places, whole

# Where copies lie; else in the user's cache folder.
CACHE = "KFER_CACHE"
PLACE = "place"
PARTIAL = ".partial"
# Of a delivery that isn't done, see kfer.storage.staging.
UNFINISHED = ".kfer-delivery"

_ATTEMPTS = 3


class Plan(NamedTuple):
    """What a place holds now, and where its copy lies once it is fetched."""

    place: objects.Place
    needs: Sequence[str]
    found: dict[str, objects.Object]
    path: str


def cache_root() -> str:
    """The folder of all copies."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.abspath(os.environ.get(CACHE) or os.path.join(home, "kfer"))


def folder_of(place: objects.Place) -> str:
    """The folder of all that belongs to a place; made, and says which place it is."""
    digest = hashlib.sha256(place.name.encode()).hexdigest()[:16]
    folder = os.path.join(cache_root(), digest)
    path = os.path.join(folder, PLACE)
    if not os.path.exists(path):
        whole.write_text(path, place.name)
    return folder


def base_name(place: objects.Place) -> str:
    """The last part of a place as a file's name."""
    name = re.sub(r"[^\w.-]", "_", place.name.rpartition("/")[2])[:100]
    return name if name.strip(".") else "objects"


def plan(place: objects.Place, needs: Sequence[str] = ()) -> Plan:
    """Looks at a place; fetches nothing.

    Args:
      place: to fetch.
      needs: names of objects of which one must be there, for it is put last.

    Raises:
      UserError: nothing or none of `needs` is there, or the store refuses.
    """
    return plan_of(place, needs, place.objects())


def plan_of(
    place: objects.Place, needs: Sequence[str], found: Mapping[str, objects.Object]
) -> Plan:
    """The plan for a place of which it is known what it holds, see `plan`."""
    found = {key: value for key, value in found.items() if key != UNFINISHED}
    if not found:
        raise UserError(f"There is nothing at {place.name}")
    if "" in found and len(found) > 1:
        raise UserError(f"{place.name} is an object and a folder at once; name one")
    if needs and not found.keys() & {*needs}:
        raise UserError(
            f"{place.name} has no {' or '.join(needs)}: it is something else, or isn't "
            "delivered yet"
        )
    said = "".join(f"{key}\0{o.size}\0{o.mark}\n" for key, o in sorted(found.items()))
    state = hashlib.sha256(said.encode()).hexdigest()[:16]
    path = os.path.join(folder_of(place), state, base_name(place))
    return Plan(place, needs, found, path)


def fetch(wanted: Plan) -> str:
    """Copies what a plan names, unless that is there; the copy's path.

    What a killed fetch has brought is not fetched again. The copy takes its place when
    it is whole and the store still says the same of the objects.

    Raises:
      UserError: the store or the disk refused, or the objects change all the time.
    """
    with whole.disk(cache_root()), locked(folder_of(wanted.place), "fetches"):
        for _ in range(_ATTEMPTS):
            if os.path.exists(wanted.path):
                return wanted.path
            partial = _bring(wanted)
            now = plan(wanted.place, wanted.needs)
            if now.path == wanted.path:
                os.rename(partial, os.path.dirname(wanted.path))
                whole.sync(folder_of(wanted.place))
                return wanted.path
            wanted = now
    raise UserError(
        f"{wanted.place.name} changed {_ATTEMPTS} times while it was fetched; wait "
        "until nobody writes there"
    )


def _bring(wanted: Plan) -> str:
    """Fetches what the unfinished copy lacks; the folder it lies in."""
    state, name = os.path.split(wanted.path)
    partial = state + PARTIAL
    _remove_older(partial)
    files = {key: os.path.join(partial, name, key).rstrip("/") for key in wanted.found}
    missing = {k: f for k, f in files.items() if _size_of(f) != wanted.found[k].size}
    size = sum(wanted.found[key].size for key in missing) / 1e6
    logging.info(
        "Fetching %d objects of %s, %.1f MB", len(missing), wanted.place.name, size
    )
    wanted.place.get(missing)
    for key, path in files.items():
        came, said = _size_of(path), wanted.found[key].size
        if came != said:
            raise UserError(
                f"{wanted.place.name}/{key} came with {came} bytes, the store says "
                f"{said}; run the same command again"
            )
    whole.sync_all(partial)
    return partial


def _remove_older(partial: str) -> None:
    """Removes what killed fetches of other states have brought."""
    parent = os.path.dirname(partial)
    for name in os.listdir(parent):
        path = os.path.join(parent, name)
        if name.endswith(PARTIAL) and path != partial:
            shutil.rmtree(path, ignore_errors=True)


def _size_of(path: str) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else -1


@contextlib.contextmanager
def locked(folder: str, what: str, busy: str = "") -> Iterator[None]:
    """One process at a time does something with a place's folder.

    Args:
      folder: see folder_of.
      what: it does.
      busy: said instead of waiting.

    Raises:
      UserError: another does it, and there is something to say.
    """
    with open(os.path.join(folder, f"{what}.lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise UserError(busy) from error
        yield


def local_copy(place: str, needs: Sequence[str] = ()) -> str:
    """A path as it is, or that of a store's copy, fetched if it must be; see `plan`."""
    place = places.mounted(place)
    if not places.is_remote(place):
        return place
    return fetch(plan(objects.Place(place), needs))


def origin(path: str) -> str:
    """The place that a path of the cache is a copy of; else the absolute path."""
    return shown(os.path.abspath(path))


def shown(text: str) -> str:
    """A text with places of stores instead of their copies' paths."""
    pattern = re.escape(cache_root()) + r"/([0-9a-f]{16})/[0-9a-z]+/[\w.-]+"
    return re.sub(pattern, lambda found: _place_of(found[1]) or found[0], text)


def _place_of(digest: str) -> str:
    try:
        with open(os.path.join(cache_root(), digest, PLACE), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
