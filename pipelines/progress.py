"""One line a component: its time and what it made."""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from kfer.metrics import suite
from kfer.training import run_folder
from pipelines.records import Node

# What TFX's LocalDagRunner logs around each node, and nothing else tells.
_BEGINS = "Component %s is running."
_ENDS = "Component %s is finished."


class Lines(logging.Handler):
    """Listens to LocalDagRunner's log.

    Args:
      last_of: node -> its newest execution.
      count: of nodes.
      write: takes a line.
    """

    def __init__(
        self,
        last_of: Callable[[str], Node | None],
        count: int,
        write: Callable[[str], Any],
    ):
        super().__init__(logging.INFO)
        self._last_of, self._count, self._write = last_of, count, write
        self._number, self._began = 0, 0.0
        self.current = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == _BEGINS:
            self.current, self._began = str(record.args[0]), time.monotonic()
            self._number += 1
        elif record.msg == _ENDS:
            last = self._last_of(self.current)
            if last is not None:
                cached = last.state == "CACHED"
                self._line("cached" if cached else self._seconds(), describe(last))
            self.current = ""

    def failed(self, reason: str) -> None:
        """The line of the node that ended the run."""
        self._line(self._seconds(), f"failed: {reason}")

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"

    def _line(self, seconds: str, text: str) -> None:
        place = f"[{self._number}/{self._count}]"
        self._write(f"{place:>7} {self.current:<24} {seconds:>8}  {text}".rstrip())


def describe(node: Node) -> str:
    """What a node made, in a few words."""
    for made in node.outputs.values():
        if "summary" in made.notes:
            return made.notes["summary"]
    if "model_run" in node.outputs:
        return _training(node.outputs["model_run"].uri)
    if "current" in node.outputs:  # of last_blessed, beside the model it found
        found = node.outputs.get("model")
        return found.uri if found else "none"
    return ", ".join(f"{key} {made.uri}" for key, made in sorted(node.outputs.items()))


def _training(run_dir: str) -> str:
    metrics = run_folder.read_json(os.path.join(run_dir, run_folder.METRICS))
    if "last" not in metrics:
        return "trained"
    last = metrics["last"]
    return f"step {last['step']}: {suite.brief_line(last['test'])}"
