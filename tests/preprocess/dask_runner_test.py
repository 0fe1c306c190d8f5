"""Beam on Dask: right results, refusals, and workers that die."""

import os
import signal

import apache_beam as beam
import dask
import distributed
import pytest
from apache_beam import pvalue
from apache_beam.transforms import window
from apache_beam.transforms.userstate import CombiningValueStateSpec

from kfer.errors import UserError
from kfer.preprocess import dask_runner, runners
from tests.preprocess import dask_workers


@pytest.fixture(scope="module")
def here():
    """Flags of a scheduler whose only worker is a thread of this process."""
    with distributed.LocalCluster(
        n_workers=1, processes=False, threads_per_worker=2, dashboard_address=":0"
    ) as cluster:
        yield [
            "--runner=DaskRunner",
            f"--dask_client_address={cluster.scheduler_address}",
        ]


class Parts(beam.DoFn):
    """Even numbers, odd ones apart, and how many a bundle had."""

    def setup(self):
        self.seen = 0

    def process(self, x):
        self.seen += 1
        yield x if x % 2 == 0 else pvalue.TaggedOutput("odd", x)

    def finish_bundle(self):
        yield window.GlobalWindows.windowed_value(("seen", self.seen))


def steps(p, out):
    """Tags, two leaves, Flatten, GroupByKey, a combination, side inputs, a sink."""
    parts = (
        p
        | beam.Create([*range(10)])
        | beam.Reshuffle()
        | beam.ParDo(Parts()).with_outputs("odd", main="even")
    )
    total = pvalue.AsSingleton(parts["odd"] | beam.CombineGlobally(sum))
    numbers = parts["even"] | beam.Filter(lambda x: isinstance(x, int))
    seen = parts["even"] | "Seen" >> beam.FlatMap(
        lambda x: [] if isinstance(x, int) else [x]
    ).with_output_types(tuple[str, int])
    _ = (
        (numbers, parts["odd"])
        | beam.Flatten()
        | beam.Map(lambda x, total: (f"mod {x % 3}", x + total), total)
        | beam.GroupByKey()
        | beam.MapTuple(lambda key, values: f"{key}: {sorted(values)}")
        | beam.io.WriteToText(f"{out}/groups")
    )
    _ = (
        seen
        | beam.CombinePerKey(sum)
        | "Text" >> beam.Map(str)
        | "Write" >> beam.io.WriteToText(f"{out}/seen")
    )


def lines(folder):
    return sorted(
        line
        for name in os.listdir(folder)
        if "-of-" in name  # Beam's sink may leave what a dead worker had begun
        for line in (folder / name).read_text().splitlines()
    )


@pytest.mark.parametrize("more", [[], ["--dask_npartitions=3"]])
def test_a_pipeline_gives_what_beams_own_runner_gives(here, tmp_path, more):
    for name, flags in (("here", []), ("dask", [*here, *more])):
        (tmp_path / name).mkdir()
        with runners.pipeline(flags) as p:
            steps(p, tmp_path / name)
    # 1 + 3 + 5 + 7 + 9 = 25
    assert lines(tmp_path / "dask") == [
        "('seen', 10)",
        "mod 0: [25, 28, 31, 34]",
        "mod 1: [26, 29, 32]",
        "mod 2: [27, 30, 33]",
    ]
    assert lines(tmp_path / "dask") == lines(tmp_path / "here")
    assert p.result.metrics().query()["counters"] == []


def test_what_a_step_raises_comes_back(here):
    with pytest.raises(ZeroDivisionError, match="while running"):
        with runners.pipeline(here) as p:
            _ = p | beam.Create([0]) | beam.Map(lambda x: 1 / x)


STATE = beam.DoFn.StateParam(CombiningValueStateSpec("s", sum))


class Stateful(beam.DoFn):
    def process(self, x, state=STATE):
        yield x


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (beam.WindowInto(window.FixedWindows(1)), "WindowInto"),
        (beam.ParDo(Stateful()), "Stateful"),
        (beam.io.ReadFromText("/dev/null"), "Read"),
    ],
)
def test_what_it_does_not_know_is_refused(here, step, name):
    with pytest.raises(UserError, match=f"can't run '.*{name}.*global window"):
        with runners.pipeline(here) as p:
            start = p if name == "Read" else p | beam.Create([("k", 1)])
            _ = start | step


def test_no_scheduler_is_one_line():
    flags = ["--dask_client_address=tcp://127.0.0.1:1", "--dask_connection_timeout=1"]
    with pytest.raises(UserError, match="No Dask scheduler at tcp://127.0.0.1:1"):
        with runners.pipeline(["--runner=Dask", *flags]) as p:
            _ = p | beam.Create([1])


@pytest.mark.parametrize(
    ("bundles", "size", "elements", "expected"),
    [(0, 0, 100, 1), (0, 0, 257, 2), (3, 0, 10, 4), (0, 7, 10, 7), (5, 0, 0, 1)],
)
def test_elements_of_a_bundle(bundles, size, elements, expected):
    assert dask_runner.bundle_size(bundles, size, elements) == expected


class DiesOnce(beam.DoFn):
    """Ends its process in the middle of a bundle, the first time."""

    def __init__(self, marker):
        self._marker = marker

    def process(self, x):
        if x == 3 and not os.path.exists(self._marker):
            with open(self._marker, "w", encoding="utf-8"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        yield x % 2, x


class Dies(beam.DoFn):
    def process(self, x):
        os.kill(os.getpid(), signal.SIGKILL)
        yield x


@pytest.mark.slow
def test_a_bundle_whose_worker_dies_is_run_again_once(tmp_path):
    marker = str(tmp_path / "died")
    with dask_workers.flags(2) as flags:
        with runners.pipeline([*flags, "--dask_partition_size=4"]) as p:
            _ = (
                p
                | beam.Create([*range(12)])
                | beam.ParDo(DiesOnce(marker))
                | beam.GroupByKey()
                | beam.MapTuple(lambda key, values: f"{key} {sorted(values)}")
                | beam.io.WriteToText(str(tmp_path / "out"))
            )
    assert os.path.exists(marker)
    os.remove(marker)
    assert lines(tmp_path) == ["0 [0, 2, 4, 6, 8, 10]", "1 [1, 3, 5, 7, 9, 11]"]


@pytest.mark.slow
def test_a_bundle_that_kills_every_worker_is_one_line():
    few = dask.config.set({"distributed.scheduler.allowed-failures": 1})
    with few, dask_workers.flags(2) as flags:
        with pytest.raises(UserError, match="2 of Dask's workers died at the same"):
            with runners.pipeline(flags) as p:
                _ = p | beam.Create([1]) | beam.ParDo(Dies())
