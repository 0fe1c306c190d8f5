"""Dask workers in processes of their own, one of which is killed while it works."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import distributed


@contextlib.contextmanager
def cluster(count: int) -> Iterator[distributed.LocalCluster]:
    """A scheduler here and its workers, each started again when it dies."""
    with distributed.LocalCluster(
        n_workers=count, processes=True, threads_per_worker=1, dashboard_address=":0"
    ) as made:
        yield made


def flags_of(made: distributed.LocalCluster) -> list[str]:
    """Beam's flags for a cluster."""
    return ["--runner=DaskRunner", f"--dask_client_address={made.scheduler_address}"]


@contextlib.contextmanager
def flags(count: int) -> Iterator[list[str]]:
    """Beam's flags for a new cluster."""
    with cluster(count) as made:
        yield flags_of(made)


@contextlib.contextmanager
def killing(
    made: distributed.LocalCluster, begun: Callable[[], bool]
) -> Iterator[list[int]]:
    """Sends SIGKILL to the worker with most to do once `begun`; yields what it killed.

    Args:
      made: see cluster.
      begun: whether the job is in its middle.
    """
    killed: list[int] = []
    over = threading.Event()

    def work():
        while not over.is_set():
            if begun() and (pid := _busiest(made)):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def _busiest(made: distributed.LocalCluster) -> int:
    """The process that has most tasks, of those that have any; else 0."""
    tasks = {w.nanny: len(w.processing) for w in made.scheduler.workers.values()}
    pids = {nanny.address: nanny.pid for nanny in made.workers.values()}
    busy = max(tasks, key=tasks.get, default=None)
    return pids.get(busy) or 0 if busy and tasks[busy] else 0
