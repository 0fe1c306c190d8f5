"""The version that answers: the highest number of a published folder that loads."""

import functools
import os
from collections.abc import Mapping
from typing import Any

from absl import logging

from kfer.errors import StoreError, UserError
from kfer.server import sources
from kfer.server.loaded import LoadedModel, fingerprint
from kfer.serving import model_folder

AVAILABLE, END = "AVAILABLE", "END"


class Versions:
    """Watches a published folder, a model's folder or a run.

    A new version is loaded and tried beside the one that answers, and then takes its
    place at once: requests that began with the old one end with it. A version that
    can't be loaded is said once and left until its files change. When the folder of the
    version that answers goes, the highest one that is left answers; when none is left,
    the model is withdrawn.

    Args:
      path: BASE_DIR of kfer.serving.publish, or a model, or a run with one; of this
        machine or in an object store.
      name: of the model; '' for the last part of the path.

    Raises:
      UserError: nothing in it can be loaded.
    """

    def __init__(self, path: str, name: str = ""):
        self.path = path
        self.name = name or os.path.basename(os.path.abspath(path))
        self.current: LoadedModel | None = None
        self.failures = 0
        self._failed: dict[int, tuple[Any, str]] = {}
        self._source = sources.source_of(path)
        self._away = ""
        self.refresh()
        if self.current is None:
            raise UserError(self._why_none())

    def refresh(self) -> None:
        """Looks for versions once, and loads what is new. Blocks for seconds then."""
        try:
            found = self._source.found()
        except (OSError, StoreError) as error:
            # A share or store that is away for a moment withdraws nothing.
            self._away = f"{self.path} can't be listed: {error}"
            logging.warning("%s", self._away)
            return
        self._away = ""
        self._failed = {n: said for n, said in self._failed.items() if n in found}
        for number in sorted(found, reverse=True):
            if self._answers_already(number, found[number]):
                return
            if self._load(number, found[number]):
                return
        if self.current is not None and self.current.version not in found:
            logging.warning("%s", self._why_none())
            self.current = None

    def _answers_already(self, number: int, folder: str) -> bool:
        now = self.current
        return (
            now is not None
            and now.version == number
            and now.mark == fingerprint(folder)
        )

    def _load(self, number: int, folder: str) -> bool:
        failed = self._failed.get(number, (None, ""))[0]
        if failed == (folder, fingerprint(folder)):
            return False
        try:
            self._source.bring(number)
        except UserError as error:
            # The next look tries again.
            self._away = str(error)
            logging.warning("Version %d of %s: %s", number, self.name, error)
            return False
        mark = folder, fingerprint(folder)
        try:
            self.current = LoadedModel(folder, number)
        except UserError as error:
            logging.warning("Version %d of %s: %s", number, self.name, error)
            self._failed[number] = (mark, str(error))
            self.failures += 1
            return False
        self._failed.pop(number, None)
        logging.info("Version %d of %s answers", number, self.name)
        return True

    def _why_none(self) -> str:
        if self._away:
            return self._away
        if self._failed:
            return next(iter(self._failed.values()))[1]
        return (
            f"{self.path} holds no version of a model; publish one with "
            "kfer-export --run=DIR --publish=" + self.path
        )

    def states(self) -> list[dict[str, Any]]:
        """The versions as TensorFlow Serving's status call has them, newest first."""
        rows = [_state(n, END, said) for n, (_, said) in self._failed.items()]
        if now := self.current:
            rows.append(_state(now.version, AVAILABLE, ""))
        return sorted(rows, key=lambda row: -int(row["version"]))

    def holding(self, judged: Mapping[str, Any]) -> str:
        """Which of the versions a judged model is, in words.

        Args:
          judged: of kfer.evaluation.verdict.read; of one that doesn't say which model
            it was, nothing is said.
        """
        if not (wanted := judged.get("digest")):
            return ""
        try:
            there = self._source.found()
        except (OSError, StoreError):  # as in refresh
            return ""
        found = [n for n, folder in there.items() if _digest(folder) == wanted]
        now = self.current
        answers = now is not None and now.version in found
        if not found:
            return f"No version of {self.name} that is here is this model"
        if not self._source.is_numbered:
            return f"This model is {self.name}, which answers here"
        last = "which answers now" if answers else "but another version answers now"
        numbers = " and ".join(map(str, sorted(found)))
        return f"It was published as version {numbers} of {self.name}, {last}"

    def get(self, version: int | None = None) -> LoadedModel | None:
        """The model that answers, or None if it is not this version."""
        now = self.current
        if now is None or version in (None, now.version):
            return now
        return None


def _digest(folder: str) -> str:
    """Of a version that may go or be damaged at any time; '' then."""
    try:
        return _digest_of(folder, fingerprint(folder))
    except UserError:
        return ""


@functools.lru_cache(1024)
def _digest_of(folder: str, mark: Any) -> str:
    del mark  # when it changes, the files are read anew
    return model_folder.digest(folder)


def _state(version: int, state: str, error: str) -> dict[str, Any]:
    code = "UNKNOWN" if error else "OK"
    status = {"error_code": code, "error_message": error}
    return {"version": str(version), "state": state, "status": status}
