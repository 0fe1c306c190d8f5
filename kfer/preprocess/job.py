"""kfer-preprocess: an annotated face folder in, a prepared data set out."""

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import time
from collections import Counter
from typing import Any

from absl import logging

from kfer.data import dataset as dataset_lib
from kfer.data import datasets, label_orders, manifest, near_copies, reasons
from kfer.data.dataset import Dataset
from kfer.data.datasets import ReaderOptions
from kfer.data.folder import check_target, new_folder
from kfer.data.label_noise import LabelNoise
from kfer.data.record import Rejected
from kfer.errors import UserError
from kfer.faces import recorded
from kfer.preprocess import collect, framed, leftovers, parallel, steps, worker_faults
from kfer.preprocess import rows as rows_lib
from kfer.preprocess.rows import Read
from kfer.preprocess.transforms import Settings

RECORDS_PER_SHARD = 4096


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything a run is told.

    Attributes:
      dataset: a key of kfer.data.datasets.DATASETS.
      root: the raw folder.
      out_dir: the prepared folder; must not exist or be empty, unless `overwrite`.
      options: for the reader.
      settings: what becomes of a picture.
      framing: to note in dataset.json, or '': see kfer.preprocess.framed.
      noise: put on the training labels.
      remove_leaks: set aside a picture that another split keeps, near_copies.order.
      max_rejected: the largest share of faulty rows; more stop the job.
      overwrite: an older data set at out_dir is replaced.
      beam_args: Beam's own flags; without any this process does all by itself.
      processes: that decode beside the job's own, for the in-memory runner; spawned, so
        a script that asks for more than 1 guards its main code as multiprocessing says.
      command: noted in dataset.json.
    """

    dataset: str
    root: str
    out_dir: str
    options: ReaderOptions
    settings: Settings
    framing: str = ""
    noise: LabelNoise = dataclasses.field(default_factory=LabelNoise)
    remove_leaks: bool = True
    max_rejected: float = 0.05
    overwrite: bool = False
    beam_args: tuple[str, ...] = ()
    processes: int = 1
    command: str = ""

    def __post_init__(self):
        if not 0.0 <= self.max_rejected <= 1.0:
            raise UserError(f"max_rejected {self.max_rejected} is not in [0, 1]")
        if self.processes < 1:
            raise UserError(f"processes {self.processes} is below 1")


def run(job: Job) -> Dataset:
    """Runs a job to its end; a data set is left behind only if it ends well.

    Raises:
      UserError: the raw folder isn't the data set, the place is taken, too many rows
        are faulty, or nothing is left.
    """
    check(job)
    module = datasets.reader(job.dataset)
    leftovers.remove(job.out_dir)
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        # Started first: they import what they need while TensorFlow loads here.
        stack.enter_context(parallel.processes(job.processes))
        folder = stack.enter_context(new_folder(job.out_dir, job.overwrite))
        work = stack.enter_context(leftovers.owned(folder))
        read = _read(job, module, work)
        when = "after reading the annotations"
        _check_share(job, read.rejected, read.rows, read.first, when)
        logging.info(
            "read %d annotations in %.1f s; decoding and aligning %s",
            read.rows,
            time.monotonic() - started,
            dict(read.splits),
        )
        _run_steps(job, module, read, work)
        _finish(job, module, read, folder, work)
        logging.info("prepared in %.1f s", time.monotonic() - started)
    return dataset_lib.load(job.out_dir)


def check(job: Job) -> None:
    """Raises UserError for what can be told before anything is read."""
    datasets.reader(job.dataset)
    if not os.path.isdir(job.root):
        raise UserError(f"There is no folder {job.root} to read {job.dataset} from")
    check_target(job.out_dir, job.overwrite)
    if job.beam_args:
        from kfer.preprocess import runners

        runners.pipeline(job.beam_args)


def _columns(job: Job, module: Any) -> tuple[dict, dict]:
    columns, clean = rows_lib.columns_of(module, job.root, job.options)
    return job.noise.columns(columns, clean), clean


def _read(job: Job, module: Any, work: str) -> Read:
    labels, value_noise = {}, {}
    if job.noise.is_active:
        rows = rows_lib.read(module, job.root, job.options)
        columns, _ = _columns(job, module)
        labels, value_noise = rows_lib.noisy_labels(rows, job.noise, columns)
    rows = rows_lib.read(module, job.root, job.options)
    found = rows_lib.write_chunks(rows, work, labels)
    found.value_noise |= value_noise
    return found


def _check_share(
    job: Job,
    rejected: Counter,
    rows: int,
    first: dict[str, list[Rejected]],
    when: str,
) -> None:
    if excess := reasons.excess(rejected, rows, job.max_rejected):
        faults = reasons.faults(rejected)
        raise UserError(
            f"{sum(faults.values())} of {rows} rows of {job.root} are faulty "
            f"({excess}) {when}: {_listed(faults, first)}; no data set was written. "
            "Mend them, or look at the rest with --max_rejected=1"
        )


def _listed(counts: dict[str, int], first: dict[str, list[Rejected]]) -> str:
    """Each reason with its first rows: where, and what was found."""

    def shown(reason: str) -> str:
        return "; ".join(map(rows_lib.in_words, first.get(reason, [])))

    return ", ".join(f"{n} {why} ({shown(why)})" for why, n in sorted(counts.items()))


def _run_steps(job: Job, module: Any, read: Read, work: str) -> None:
    aligned = getattr(module, "is_aligned", lambda *_: False)(job.root, job.options)
    settings = dataclasses.replace(
        job.settings,
        root=os.path.abspath(job.root),
        detect_eyes=job.settings.detect_eyes and not aligned,
        use_boxes=job.settings.use_boxes and not aligned,
    )
    plan = steps.Plan(
        settings,
        work,
        {s: -(-n // RECORDS_PER_SHARD) for s, n in read.splits.items()},
        *_columns(job, module),
        remove_leaks=job.remove_leaks,
        order=near_copies.order(job.options.official_test),
    )
    with worker_faults.told(work):
        if job.beam_args:
            _run_beam(job, read.chunks, plan)
        else:
            steps.run(read.chunks, plan)


def _run_beam(job: Job, chunks: list[str], plan: steps.Plan) -> None:
    from kfer.preprocess import pipeline, runners

    with runners.pipeline(job.beam_args) as p:
        pipeline.build(p, chunks, plan)
    for counter in p.result.metrics().query()["counters"]:
        if counter.key.metric.namespace == pipeline.NAMESPACE:
            logging.info("%s: %d", counter.key.metric.name, counter.committed)


def _finish(job: Job, module: Any, read: Read, folder: str, work: str) -> None:
    rejected = collect.rejected(work)
    counts = Counter(row.reason for row in rejected)
    shards, tallies, alignment = collect.shards(folder, work, list(read.splits))
    written = sum(info.num_records for infos in shards.values() for info in infos)
    if written + len(rejected) != read.rows:
        raise UserError(
            f"{read.rows} rows of {job.root} were read, but {written} records and "
            f"{len(rejected)} set aside arrived; {worker_faults.unreached(folder)}"
        )
    first: dict[str, list[Rejected]] = {}
    for row in rejected:
        rows_lib.keep_first(first, row)
    _check_share(job, counts, read.rows, first, "after decoding")
    if not written:
        listed = _listed(counts, first) or "it has no rows"
        raise UserError(f"No example of {job.root} is left to write: {listed}")
    columns, clean = _columns(job, module)
    seen = framed.note(job.framing, job.settings, alignment, columns.values())
    manifest.write_rejected(folder, rejected)
    content = manifest.build_manifest(
        job.dataset,
        shards,
        tallies,
        columns,
        clean,
        command=job.command,
        image_format=job.settings.image_format,
        image_size=job.settings.image_size,
        noise=_requested(job, module),
        known_noise={"train": read.value_noise},
        rejected=counts,
        options=_plain(dataclasses.asdict(job.options)),
        notes=_notes(job, read, written, alignment, columns) | {recorded.KEY: seen},
    )
    _log(content)
    manifest.write_manifest(folder, content)


def _requested(job: Job, module: Any) -> dict[str, float]:
    own = getattr(module, "requested_noise", lambda _: {})(job.options)
    return {**own, **job.noise.requested()}


def _notes(
    job: Job, read: Read, written: int, alignment: Counter, columns: dict
) -> dict[str, Any]:
    settings = dataclasses.asdict(job.settings)
    settings.pop("root")
    maps = {order.name: order.permutation() for order in label_orders.ORDERS.values()}
    classes = {n: c.classes for n, c in columns.items() if c.classes}
    return _plain(
        {
            "rows": read.rows,
            "written": written,
            "labels_left_out": dict(sorted(read.dropped.items())),
            "alignment": dict(sorted(alignment.items())),
            "settings": settings,
            "label_noise": dataclasses.asdict(job.noise),
            "remove_leaks": job.remove_leaks,
            near_copies.KEPT_BY: near_copies.order(job.options.official_test),
            "classes": classes,
            "label_orders_to_kfer": maps,
            "beam": importlib.metadata.version("apache-beam"),
            "opencv": importlib.metadata.version("opencv-python-headless"),
            "pillow": importlib.metadata.version("pillow"),
        }
    )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _log(content: dict[str, Any]) -> None:
    notes = content["notes"]
    logging.info(
        "%d rows = %d records + %d set aside; faces found by %s",
        notes["rows"],
        notes["written"],
        sum(content["rejected"].values()),
        notes["alignment"],
    )
    for reason, number in content["rejected"].items():
        logging.info("set aside: %d %s", number, reason)
    for reason, number in notes["labels_left_out"].items():
        logging.info("labels left out: %d %s", number, reason)
    for split, table in content["noise"].items():
        for column, row in table.items():
            logging.info("%s %s: %s", split, column, manifest.noise_text(row))
