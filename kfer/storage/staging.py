"""What goes to an object store: made in a folder of this machine, then delivered.

A reader never takes half for whole: of each folder the objects that mark it as complete
are put last, and are taken away before anything else in it is replaced. So a delivery
that is killed leaves a place without its mark, which the same command delivers again.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from absl import logging

from kfer.errors import UserError
from kfer.storage import fetching, objects, whole
from kfer.storage.order import Order

FOLDER = "staging"
_KNOWN = "known.json"


class Known(NamedTuple):
    """A file that was the same here and in the store.

    Attributes:
      mark: of the object; '' while it is put or removed, for a kill of that may leave
        the old one or the new one.
      size: of the file in bytes; -1 where it isn't known.
      changed: when the file was, in ns.
    """

    mark: str = ""
    size: int = -1
    changed: int = 0


class Staging:
    """A folder of this machine that stands for a place.

    Args:
      place: of a store.
      order: of delivery.
    """

    def __init__(self, place: objects.Place, order: Order):
        self.place, self.order = place, order
        self.top = os.path.join(fetching.folder_of(place), FOLDER)
        self.path = os.path.join(self.top, fetching.base_name(place))
        self._known: dict[str, Known] = {}
        self._new, self._overwrite = False, False
        self._sign = uuid.uuid4().hex.encode()

    def start_empty(self, overwrite: bool = False) -> None:
        """Begins with an empty folder, which is to become all that the place holds.

        Raises:
          UserError: something is there that may not be replaced.
        """
        self._new, self._overwrite = True, overwrite
        self._check_free(self.place.objects())
        self._make()

    def start_same(self, needs: str = "") -> None:
        """Begins with what the place holds, or with what a killed run left of it here.

        Args:
          needs: name of an object that must be there; '' if nothing need be.

        Raises:
          UserError: it isn't, or the place is another kind's.
        """
        there = self.place.objects()
        there.pop(fetching.UNFINISHED, None)
        if needs:
            fetching.plan_of(self.place, [needs], there)
        self._known = self._read_known()
        marks = {key: known.mark for key, known in self._known.items()}
        if os.path.isdir(self.path) and marks == {k: o.mark for k, o in there.items()}:
            return
        self._make()
        if there:
            wanted = fetching.plan_of(self.place, [needs] if needs else [], there)
            with whole.disk(self.top):
                copy = fetching.fetch(wanted)
                shutil.copytree(copy, self.path, dirs_exist_ok=True)
            there = wanted.found
        self._note(there, there)

    def deliver(self) -> None:
        """Brings to the place what changed here since the last time.

        Raises:
          UserError: another has changed it too, something else is there by now, or the
            store or the disk refused.
        """
        with whole.disk(self.top):
            here, there = self._files(), self.place.objects()
            if not here:
                return
            if self._new:
                self._begin(there)
            self._check_unchanged(there, here)
            if self._touched(here):
                self._bring(here, there)
            if self._new:
                self.place.remove([fetching.UNFINISHED])
                self._new = False

    def close(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.top, ignore_errors=True)

    def _make(self) -> None:
        with whole.disk(self.top):
            if os.path.isdir(self.top):
                shutil.rmtree(self.top)
            os.makedirs(self.path)

    def _check_free(self, there: Mapping[str, objects.Object]) -> None:
        complete = any(map(self.order.is_marker, there))
        if complete and not self._overwrite:
            raise UserError(
                f"{self.place.name} already holds something complete; name another "
                "place or allow it to be replaced with --overwrite (from Python, "
                "overwrite=True)"
            )
        if there and not complete and fetching.UNFINISHED not in there:
            few = ", ".join([*there][:3])
            raise UserError(
                f"{self.place.name} holds objects of something else ({few}); name a "
                "place that is empty"
            )

    def _begin(self, there: dict[str, objects.Object]) -> None:
        """Signs, so that what a kill leaves is told from what others put there."""
        self._check_free(there)
        self.place.write(fetching.UNFINISHED, self._sign)
        there.pop(fetching.UNFINISHED, None)
        self._known = {key: Known(found.mark) for key, found in there.items()}

    def _check_unchanged(
        self, there: Mapping[str, objects.Object], here: Iterable[str]
    ) -> None:
        marks = {key: known.mark for key, known in self._known.items() if known.mark}
        # What was put where nothing was known of is another's too.
        marks |= {key: "" for key in here if key in there and key not in self._known}
        for key, mark in marks.items():
            if key not in there or there[key].mark != mark:
                raise UserError(
                    f"{self.place.name}/{key} was changed by another meanwhile; what "
                    f"was made here is in the folder staging of "
                    f"{os.path.dirname(self.top)}"
                )

    def _touched(self, here: Iterable[str]) -> set[str]:
        """Keys of what is new, changed or gone."""
        return {key for key in {*here, *self._known} if self._differs(key)}

    def _differs(self, key: str) -> bool:
        known = self._known.get(key)
        return known is None or known[1:] != _state(os.path.join(self.path, key))

    def _bring(self, here: set[str], there: dict[str, objects.Object]) -> None:
        touched = self._touched(here)
        marks = self.order.marks_over(touched, there)
        self._remove(marks, there)
        touched |= {*marks}
        rest, last = self.order.groups(touched & here)
        for group in rest:
            self._put(group)
        self._remove(self.order.removed(touched - here - {*marks}), there)
        marked = {mark for group in last for mark in group}
        self._check_sign(self._check_arrived(here - marked))
        for group in last:
            self._put(group)
        self._note(self._check_arrived(here), here)

    def _check_sign(self, there: Mapping[str, objects.Object]) -> None:
        name = fetching.UNFINISHED
        if self._new and (name not in there or self.place.read(name) != self._sign):
            raise UserError(
                f"Another command delivers to {self.place.name} at the same time; name "
                "another place, or let one end and run the other again"
            )

    def _put(self, keys: list[str]) -> None:
        self._known |= {key: Known() for key in keys}
        self.place.put(self.path, keys)

    def _remove(self, keys: list[str], there: Mapping[str, objects.Object]) -> None:
        self._known |= {key: Known() for key in keys}
        self.place.remove([key for key in keys if key in there])

    def _check_arrived(self, keys: Iterable[str]) -> dict[str, objects.Object]:
        there = self.place.objects()
        for key in keys:
            size = os.path.getsize(os.path.join(self.path, key))
            if key not in there or there[key].size != size:
                found = f"{there[key].size} bytes" if key in there else "missing"
                raise UserError(
                    f"{self.place.name}/{key} is {found} though {size} bytes were put "
                    "there; does another write there too? Run the same command again"
                )
        return there

    def _note(self, there: Mapping[str, objects.Object], keys: Iterable[str]) -> None:
        self._known = {
            key: Known(there[key].mark, *_state(os.path.join(self.path, key)))
            for key in keys
        }
        whole.write_json(os.path.join(self.top, _KNOWN), self._known)

    def _read_known(self) -> dict[str, Known]:
        try:
            with open(os.path.join(self.top, _KNOWN), encoding="utf-8") as file:
                return {key: Known(*row) for key, row in json.load(file).items()}
        except (OSError, ValueError, TypeError):
            return {}

    def _files(self) -> set[str]:
        found = set()
        for folder, folders, names in os.walk(self.path):
            folders[:] = [name for name in folders if not whole.is_leftover(name)]
            paths = [os.path.join(folder, n) for n in names if not whole.is_leftover(n)]
            found |= {os.path.relpath(path, self.path) for path in paths}
        return found


class StagedFile(Staging):
    """A file of this machine that stands for one object, which is put whole."""

    def start_empty(self, overwrite: bool = True) -> None:
        """Begins without the file; the store is asked at once whether it answers."""
        self.place.objects()
        self._make()
        os.rmdir(self.path)

    def deliver(self) -> None:
        """Puts the file, if there is one by now."""
        if os.path.exists(self.path):
            self.place.put_file(self.path)


def _state(path: str) -> tuple[int, int]:
    """Size and time of a file; (0, 0) where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


_open: dict[str, Staging] = {}


@contextlib.contextmanager
def opened(staging: Staging) -> Iterator[Staging]:
    """Holds a place's folder, so that `deliver_early` finds it.

    Raises:
      UserError: another process of this machine writes to the place.
    """
    busy = f"Another command of this machine writes to {staging.place.name} now"
    with fetching.locked(os.path.dirname(staging.top), "writes", busy):
        _open[staging.path] = staging
        try:
            yield staging
        finally:
            del _open[staging.path]


def deliver_early(path: str) -> None:
    """Delivers a folder that stands for a place, as far as it is by now.

    For a run, so that it goes on elsewhere if this machine is lost. A store that
    refuses ends nothing: a later delivery brings it too.

    Args:
      path: of the folder; of any other nothing is done.
    """
    staging = _open.get(os.path.abspath(path))
    if staging is None:
        return
    try:
        staging.deliver()
    except UserError as error:
        logging.warning("Not delivered yet: %s", error)
