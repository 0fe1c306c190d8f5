"""Where versions come from: a folder, or a place in an object store."""

import os
from typing import Any

from kfer.serving import asking, model_folder, publish, remote_models
from kfer.storage import fetching, objects, places
from kfer.training import run_folder


class FolderSource:
    """A folder of published versions, or a model, or a run with one.

    Args:
      path: of the folder.

    Attributes:
      is_numbered: whether versions have numbers there; a lone model is version 1.
    """

    def __init__(self, path: str):
        self._path = path
        self.is_numbered = not self._is_single()

    def found(self) -> dict[int, str]:
        """Version -> its folder.

        Raises:
          OSError: the folder can't be listed.
        """
        if self.is_numbered:
            numbers = publish.versions(self._path)
            return {n: publish.folder_of(self._path, n) for n in numbers}
        return {1: asking.find_model(self._path)} if self._is_single() else {}

    def bring(self, number: int) -> None:
        """Makes a version's folder readable, which it is."""

    def _is_single(self) -> bool:
        is_run = os.path.isfile(os.path.join(self._path, run_folder.CONFIG))
        return is_run or model_folder.is_model(self._path)


class StoreSource:
    """The same in an object store; what is incomplete there is no version.

    Args:
      place: its URI.

    Raises:
      UserError: it is no place in a store.
    """

    def __init__(self, place: str):
        self._place = objects.Place(place)
        self._plans: dict[int, fetching.Plan] = {}
        self.is_numbered = True

    def found(self) -> dict[int, str]:
        """Version -> the folder that `bring` makes; another one for other contents.

        Raises:
          UserError: the store refuses.
        """
        there = self._place.objects()
        lone = remote_models.single(self._place, there)
        self.is_numbered = lone is None
        self._plans = {1: lone} if lone else remote_models.versions(self._place, there)
        return {number: plan.path for number, plan in self._plans.items()}

    def bring(self, number: int) -> None:
        """Fetches a version that `found` has named.

        Raises:
          UserError: the store or the disk refuses.
        """
        fetching.fetch(self._plans[number])


def source_of(path: str) -> Any:
    """The source that a path or a URI is."""
    path = places.mounted(path)
    return StoreSource(path) if places.is_remote(path) else FolderSource(path)
