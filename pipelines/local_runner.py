"""Runs a pipeline on this machine; the one file that knows its folders.

ROOT/metadata.sqlite     ML Metadata
ROOT/lock                held while a pipeline runs
ROOT/artifacts/NAME/     what the components made
ROOT/checkpoints/        of trainings, so that a killed one goes on
ROOT/schemas/            label schemas, named by their content
ROOT/models/NAME/1, 2..  what was pushed, as TF Serving watches it
ROOT/logs/               what the libraries had to say
"""

import contextlib
import dataclasses
import datetime
import fcntl
import importlib.metadata
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import logging as absl_logging

from kfer.errors import UserError
from kfer.lineage import digest
from kfer.storage import whole
from pipelines import metadata_file, quiet, records, schemas
from pipelines import places as places_lib
from pipelines.config import PipelineConfig
from pipelines.places import Data, Places, TeacherModel
from pipelines.records import Node

METADATA = "metadata.sqlite"
NO_IMAGE = "unused/local"


@dataclasses.dataclass(frozen=True)
class Result:
    """A run that ended well.

    Attributes:
      nodes: node -> its state and outputs.
      log: what the libraries said.
      model: the pushed version's folder; '' if the model was not blessed.
      verdict: what the pusher noted.
    """

    nodes: dict[str, Node]
    log: str
    model: str
    verdict: str

    def output(self, node: str, key: str) -> str:
        """The folder of an output."""
        return self.nodes[node].outputs[key].uri


def say(line: str) -> None:
    """Prints a line at once, though the output be a pipe."""
    print(line, flush=True)


def run(
    config: PipelineConfig,
    root: str,
    data_dir: str = "",
    teacher_data_dir: str = "",
    teacher_model: str = "",
    beam_args: Sequence[str] = (),
    write: Callable[[str], Any] = say,
) -> Result:
    """Runs a pipeline, or what is left to do of it.

    Args:
      config: see pipelines.config.named.
      root: the folder of everything; see this file's head.
      data_dir: the raw data's folder; '' for data that is drawn.
      teacher_data_dir: of the teacher's raw data.
      teacher_model: a teacher that is trained already, instead.
      beam_args: more of Beam's flags, such as --direct_num_workers.
      write: gets one line a component.

    Raises:
      UserError: a folder is missing or can't be written, another run is at work, the
        metadata file is damaged, or a component failed.
    """
    root = os.path.abspath(root)
    places_lib.check_teacher(config, teacher_data_dir, teacher_model)
    places = Places(
        pipeline_root=os.path.join(root, "artifacts", config.name),
        work_dir=os.path.join(root, "checkpoints"),
        push_dir=os.path.join(root, "models", config.name),
        data=places_lib.source_data(
            config.source, data_dir, _schema(root, config, False), "--data_dir"
        ),
        teacher=_teacher(config, root, teacher_data_dir, teacher_model),
        code_version=digest.of_code(places_lib.code_packages()),
        beam_args=places_lib.beam_flags(NO_IMAGE, beam_args),
    )
    _make(root)
    with _lock(root):
        metadata = os.path.join(root, METADATA)
        metadata_file.check(metadata, importlib.metadata.version("tfx"))
        _write_schemas(config, places)
        log = os.path.join(root, "logs", f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log")
        with quiet.into(log):
            return _run(config, places, metadata, log, write)


def _teacher(
    config: PipelineConfig, root: str, data_dir: str, model: str
) -> Data | TeacherModel | None:
    if config.teacher is None:
        return None
    if model:
        return places_lib.teacher_model(model)
    schema = _schema(root, config, True)
    flag = "--teacher_data_dir"
    return places_lib.source_data(config.teacher.source, data_dir, schema, flag)


def report_of(result: Result) -> str:
    """The page about the judged model."""
    return os.path.join(result.output("fer_evaluator", "evaluation"), "report.html")


def _make(root: str) -> None:
    with whole.disk(root):
        for name in ("artifacts", "checkpoints", "schemas", "models", "logs"):
            os.makedirs(os.path.join(root, name), exist_ok=True)
        whole.appending(os.path.join(root, "lock")).close()


@contextlib.contextmanager
def _lock(root: str) -> Iterator[None]:
    """Held by the process, so that a killed run leaves none behind."""
    with open(os.path.join(root, "lock"), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another run (process {file.read().strip() or 'unknown'}) is at work "
                f"in {root}; wait for its end or choose another --root"
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _schema(root: str, config: PipelineConfig, teacher: bool) -> str:
    """Where a schema's copy lies."""
    return os.path.join(root, "schemas", schemas.name_of(config, teacher))


def _write_schemas(config: PipelineConfig, places: Places) -> None:
    for data, teacher in ((places.data, False), (places.teacher, True)):
        if isinstance(data, Data) and not os.path.exists(data.schema):
            whole.write_text(data.schema, schemas.text_of(config, teacher))


def _run(
    config: PipelineConfig,
    places: Places,
    metadata: str,
    log: str,
    write: Callable[[str], Any],
) -> Result:
    from tfx.orchestration import metadata as tfx_metadata

    from pipelines import create_pipeline

    connection = tfx_metadata.sqlite_metadata_connection_config(metadata)
    pipeline = create_pipeline.create_pipeline(config, places, connection)
    names = [node.id for node in pipeline.components]
    _launch(pipeline, config.name, names, metadata, log, write)
    return _result(config.name, names, metadata, log)


def _launch(
    pipeline: Any,
    name: str,
    nodes: list[str],
    metadata: str,
    log: str,
    write: Callable[[str], Any],
) -> None:
    from tfx.orchestration.local import local_dag_runner

    from pipelines import progress

    def store() -> Any:
        return records.open_store(metadata)

    absl_logging.set_verbosity(absl_logging.INFO)
    before = records.last_execution_ids(store(), name, nodes)
    lines = progress.Lines(
        lambda node: records.last_of(store(), name, node), len(nodes), write
    )
    listened = logging.getLogger("absl")
    listened.addHandler(lines)
    try:
        local_dag_runner.LocalDagRunner().run(pipeline)
    except UserError as error:
        lines.failed(str(error))
        raise
    except Exception as error:
        logging.exception("%s failed", lines.current)
        raise UserError(_reason(lines.current, error, log)) from error
    finally:
        listened.removeHandler(lines)
    records.check_all_done(store(), name, nodes, before)


def _reason(node: str, error: Exception, log: str) -> str:
    """What a library raised, in one line; Beam hides a UserError in its own."""
    text = str(error)
    if "UserError: " in text:
        text = text.split("UserError: ")[-1]
    first = (text.strip().splitlines() or [type(error).__name__])[0]
    return f"{node or 'The pipeline'} failed: {first} (see {log})"


def _result(name: str, nodes: list[str], metadata: str, log: str) -> Result:
    store = records.open_store(metadata)
    found = {node: records.last_of(store, name, node) for node in nodes}
    notes = found["model_pusher"].outputs["pushed"].notes
    model = notes.get("pushed_destination", "")
    if model and not os.path.isdir(model):
        judged = found["fer_evaluator"].outputs["blessing"].notes["current_model"]
        raise UserError(
            f"{model} was pushed before and is gone; copy {judged}/Format-Serving "
            "there, or choose another --root"
        )
    return Result(found, log, model, notes["summary"])
