"""What Dask's workers do for dask_runner.py: bundles of a DoFn, and grouping by key."""

import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.internal import pickler
from apache_beam.runners import common
from apache_beam.transforms.core import Windowing
from apache_beam.transforms.sideinputs import SideInputMap
from apache_beam.transforms.window import GlobalWindows

# Detectors and other libraries that DoFns hold aren't made for threads.
_ONE_BUNDLE = threading.Lock()


def concatenate(parts: Iterable[Sequence[Any]]) -> list[Any]:
    """The elements of all parts, in their order."""
    return [element for part in parts for element in part]


def _coder() -> beam.coders.Coder:
    return beam.coders.FastPrimitivesCoder().as_deterministic_coder("GroupByKey")


def split_by_key(
    pairs: Iterable[tuple[Any, Any]], count: int
) -> list[list[tuple[bytes, Any, Any]]]:
    """(encoded key, key, value) of each pair, in one of `count` lists by its key.

    Python's own hash of a text is another in every process.
    """
    coder = _coder()
    found: list[list[tuple[bytes, Any, Any]]] = [[] for _ in range(count)]
    for key, value in pairs:
        encoded = coder.encode(key)
        found[zlib.crc32(encoded) % count].append((encoded, key, value))
    return found


def group_by_key(
    shares: Iterable[Iterable[tuple[bytes, Any, Any]]],
) -> list[tuple[Any, list[Any]]]:
    """Each key with its values, in the order in which they come."""
    found: dict[bytes, tuple[Any, list[Any]]] = {}
    for share in shares:
        for encoded, key, value in share:
            found.setdefault(encoded, (key, []))[1].append(value)
    return list(found.values())


class _Kept(common.Receiver):
    """Keeps the values that come out."""

    def __init__(self):
        self.values: list[Any] = []

    def receive(self, windowed_value: Any) -> None:
        self.values.append(windowed_value.value)


def run_bundle(task: bytes, elements: Sequence[Any], *sides: Sequence[Any]) -> dict:
    """Gives a bundle to a DoFn; tag -> what came out, the main output under None.

    Args:
      task: the DoFn, its arguments, the views of its side inputs, its label and the
        tags that are wanted, pickled by Beam.
      elements: of the bundle.
      sides: the elements of each side input.
    """
    fn, args, kwargs, views, label, tags = pickler.loads(task)
    windowed = GlobalWindows.windowed_value
    maps = [
        SideInputMap(view, options, [windowed(value) for value in side])
        for (view, options), side in zip(views, sides, strict=True)
    ]
    kept: dict[str | None, _Kept] = defaultdict(_Kept)
    with _ONE_BUNDLE:
        made = common.DoFnRunner(
            fn, args, kwargs, maps, Windowing(GlobalWindows()), kept, step_name=label
        )
        made.setup()
        try:
            made.start()
            for element in elements:
                made.process(windowed(element))
            made.finish()
        finally:
            made.teardown()
    return {tag: kept[tag].values for tag in tags}
