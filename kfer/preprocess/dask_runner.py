"""Beam on Dask: bundles that a scheduler gives to another worker if theirs dies.

`--runner=DaskRunner` means this one (runners.py). Beam 2.72 has a runner of that name
which can't take this project's jobs: it mixes tagged outputs with the main one, drops
what a DoFn gives at the end of a bundle, computes the last step's branch alone, makes
a side input anew in every bundle that asks for it and has no metrics. Its flags are
taken here as they are.

A PCollection is a list of delayed lists. A task is one bundle: a pure function of its
elements and side inputs, so Dask may run it twice; what DoFns write must be named by
its content or replaced whole. Bounded and in the global window alone, without state,
timers and splittable DoFns: they are refused. Timestamps are not kept, and there are no
counters.
"""

import functools
import logging
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
import dask
import distributed
from apache_beam.internal import pickler
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor, PTransformOverride
from apache_beam.pvalue import PCollection
from apache_beam.runners import common, runner
from apache_beam.runners.dask import overrides
from apache_beam.runners.dask.dask_runner import DaskOptions
from apache_beam.runners.runner import PipelineState

from kfer.errors import UserError
from kfer.preprocess import dask_bundles

# Unless a --dask_... flag says so: an element a bundle, as far as there are this many.
MOST_BUNDLES = 256

Parts = list[Any]  # delayed lists of elements


class DaskRunner(runner.PipelineRunner):
    """Runs a pipeline on the workers of a Dask scheduler, or on processes here."""

    @staticmethod
    def is_fnapi_compatible() -> bool:
        return False

    def run_pipeline(self, pipeline: beam.Pipeline, options: Any) -> "DaskResult":
        """Starts all bundles.

        Raises:
          UserError: a transform that this runner doesn't know, or no scheduler.
        """
        flags = options.view_as(DaskOptions).get_all_options(
            drop_default=True, current_only=True
        )
        bundles = functools.partial(
            bundle_size, flags.pop("npartitions", 0), flags.pop("partition_size", 0)
        )
        pipeline.replace_all(_REPLACED)
        graph = Graph(bundles)
        pipeline.visit(graph)
        client = _client(flags)
        return DaskResult(client, client.compute(graph.ends()))


class DaskResult(runner.PipelineResult):
    """A pipeline that runs; its client is closed at the end."""

    def __init__(self, client: distributed.Client, futures: list[distributed.Future]):
        super().__init__(PipelineState.RUNNING)
        self._client = client
        self._futures = futures

    def wait_until_finish(self, duration: float | None = None) -> str:
        """Waits; `duration` is in milliseconds.

        Raises:
          UserError: several workers died at the same bundle, or the scheduler did.
          Exception: what a DoFn raised.
        """
        seconds = None if duration is None else duration / 1000
        self._state = PipelineState.FAILED
        try:
            done = distributed.as_completed(
                self._futures, with_results=True, timeout=seconds
            )
            for _ in done:
                pass
        except distributed.KilledWorker as error:
            raise UserError(
                f"{error.allowed_failures + 1} of Dask's workers died at the same "
                "bundle, which may need more memory than they have; see their logs"
            ) from error
        except distributed.CancelledError as error:
            raise UserError(f"Dask's scheduler is gone: {error}") from error
        finally:
            self._client.close()
        self._state = PipelineState.DONE
        return self._state

    def cancel(self) -> str:
        """Stops what hasn't ended."""
        self._client.cancel(self._futures)
        self._client.close()
        self._state = PipelineState.CANCELLED
        return self._state

    def metrics(self) -> "DaskResult":
        """Knows none."""
        return self

    def query(self, _: Any = None) -> dict[str, list]:
        """No counters, distributions and gauges."""
        return {"counters": [], "distributions": [], "gauges": []}


def _client(flags: dict[str, Any]) -> distributed.Client:
    where = flags.get("address") or flags.get("scheduler_file")
    if not where:
        flags |= {"threads_per_worker": 1, "dashboard_address": ":0"}
    # Every connection that comes and goes is told otherwise.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    try:
        return distributed.Client(**flags)
    except (OSError, ValueError) as error:
        place = where or "this machine"
        raise UserError(f"No Dask scheduler at {place}: {error}") from error


def bundle_size(bundles: int, size: int, elements: int) -> int:
    """Elements of a bundle, of so many in all, as Dask's flags have it; 0: not said."""
    return size or max(1, math.ceil(elements / (bundles or MOST_BUNDLES)))


class Graph(PipelineVisitor):
    """Turns transforms into delayed bundles.

    Args:
      bundles: elements of a beam.Create -> elements of a bundle.
    """

    def __init__(self, bundles: Callable[[int], int]):
        self._bundles = bundles
        self._parts: dict[PCollection, Parts] = {}
        self._taken: set[PCollection] = set()

    def ends(self) -> Parts:
        """How many elements each bundle gives that no other bundle takes."""
        count = dask.delayed(len, pure=False)
        return [
            count(part)
            for pcoll, parts in self._parts.items()
            if pcoll not in self._taken
            for part in parts
        ]

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        """Adds one primitive transform."""
        self._check(transform_node)
        kind = transform_node.transform
        if isinstance(kind, beam.ParDo):
            self._par_do(transform_node)
            return
        inputs = [self._take(p) for p in transform_node.inputs if p in self._parts]
        (output,) = transform_node.outputs.values()
        if isinstance(kind, overrides._Create):
            self._parts[output] = _created(list(kind.values), self._bundles)
        elif isinstance(kind, beam.Impulse):
            self._parts[output] = _created([b""], self._bundles)
        elif isinstance(kind, (beam.Flatten, overrides._Reshuffle)):
            self._parts[output] = [part for parts in inputs for part in parts]
        else:
            self._parts[output] = _grouped(*inputs)

    def _take(self, pcoll: PCollection) -> Parts:
        self._taken.add(pcoll)
        return self._parts[pcoll]

    def _check(self, node: AppliedPTransform) -> None:
        known = (beam.ParDo, beam.Impulse, beam.Flatten, beam.GroupByKey)
        known += (overrides._Create, overrides._Reshuffle)
        bad = not isinstance(node.transform, known)
        if isinstance(node.transform, beam.ParDo):
            signature = common.DoFnSignature(node.transform.fn)
            bad = signature.is_stateful_dofn() or signature.is_splittable_dofn()
        if bad or not all(p.windowing.is_default() for p in node.outputs.values()):
            raise UserError(
                f"kfer's DaskRunner can't run {node.full_label!r}: it knows bounded "
                "data in the global window, without state, timers and splittable reads"
            )

    def _par_do(self, node: AppliedPTransform) -> None:
        made = node.transform
        views = [(type(side), side._view_options()) for side in node.side_inputs]
        task = pickler.dumps(
            (made.fn, made.args, made.kwargs, views, node.full_label, [*node.outputs])
        )
        sides = [_together(self._take(side.pvalue)) for side in node.side_inputs]
        bundle = dask.delayed(dask_bundles.run_bundle, pure=False)
        (given,) = node.main_inputs.values()
        done = [bundle(task, part, *sides) for part in self._take(given)]
        item = dask.delayed(operator.getitem, pure=False)
        for tag, output in node.outputs.items():
            self._parts[output] = [item(found, tag) for found in done]


def _created(elements: Sequence[Any], bundles: Callable[[int], int]) -> Parts:
    size = bundles(len(elements))
    loads = dask.delayed(pickler.loads, pure=False)
    return [
        loads(pickler.dumps(elements[start : start + size]))
        for start in range(0, len(elements), size)
    ]


def _together(parts: Parts) -> Any:
    return dask.delayed(dask_bundles.concatenate, pure=False)(parts)


def _grouped(parts: Parts) -> Parts:
    count = len(parts)
    split = dask.delayed(dask_bundles.split_by_key, pure=False, nout=count)
    shares = [list(split(part, count)) for part in parts]
    group = dask.delayed(dask_bundles.group_by_key, pure=False)
    return [group([share[index] for share in shares]) for index in range(count)]


class _Replaced(PTransformOverride):
    """One of Beam's composites that is a primitive here."""

    def __init__(self, kind: type, make: Callable[[Any], beam.PTransform]):
        self._kind = kind
        self._make = make

    def matches(self, applied_ptransform: AppliedPTransform) -> bool:
        return type(applied_ptransform.transform) is self._kind

    def get_replacement_transform_for_applied_ptransform(
        self, applied_ptransform: AppliedPTransform
    ) -> beam.PTransform:
        return self._make(applied_ptransform.transform)


_REPLACED = [
    _Replaced(beam.Create, lambda create: overrides._Create(tuple(create.values))),
    _Replaced(beam.Reshuffle, lambda _: overrides._Reshuffle()),
]
