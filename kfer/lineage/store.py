"""What made a model, from ML Metadata: data, labels, config, commit, parents."""

import dataclasses
import json
import os
from collections.abc import Iterable
from typing import Any

from kfer.errors import UserError

METADATA = "metadata.sqlite"
PUSHED = "pushed_destination"


@dataclasses.dataclass(frozen=True)
class Step:
    """One execution that the model depends on.

    Attributes:
      number: its id in ML Metadata.
      node: its name in the pipeline.
      pipeline: the pipeline's name.
      time: its end, in milliseconds since 1970.
      settings: its parameters.
      outputs: type of artifact -> what was noted on it, with its 'uri'.
      parents: numbers of the steps whose outputs it read.
    """

    number: int
    node: str
    pipeline: str
    time: int
    settings: dict[str, str]
    outputs: dict[str, dict[str, Any]]
    parents: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Lineage:
    """The steps behind a model, parents first."""

    model_dir: str
    metadata: str
    steps: tuple[Step, ...]

    def artifacts(self, kind: str) -> list[tuple[Step, dict[str, Any]]]:
        """(step, notes) of each artifact of a type, in the steps' order."""
        return [(s, s.outputs[kind]) for s in self.steps if kind in s.outputs]


def find_metadata(model_dir: str) -> str:
    """The metadata file in a folder above the model.

    Raises:
      UserError: there is no such model, or no file above it.
    """
    folder = os.path.abspath(model_dir)
    if not os.path.isdir(folder):
        raise UserError(f"There is no model folder {model_dir}")
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        if os.path.isfile(path := os.path.join(folder, METADATA)):
            return path
    raise UserError(
        f"No {METADATA} lies above {model_dir}; name the one of its pipeline with "
        "--metadata"
    )


def trace(model_dir: str, metadata: str = "") -> Lineage:
    """Looks up what made a pushed version or a Trainer's model.

    Args:
      model_dir: a folder that a pipeline pushed, or one inside a Model artifact.
      metadata: the SQLite file of ML Metadata; looked for above `model_dir` if ''.

    Raises:
      UserError: no file, a damaged one, or it doesn't know the model.
    """
    model_dir = os.path.abspath(model_dir)
    metadata = metadata or find_metadata(model_dir)
    if not os.path.isfile(metadata):
        raise UserError(f"There is no metadata file {metadata}")
    try:
        store = _Store(metadata)
        start = store.find(model_dir)
    except RuntimeError as error:
        raise UserError(
            f"{metadata} can't be read as ML Metadata ({str(error).splitlines()[0]})"
        ) from error
    if start is None:
        raise UserError(f"{metadata} doesn't know what made {model_dir}")
    return Lineage(model_dir, metadata, tuple(store.steps_behind(start)))


class _Store:
    """The parts of an ML Metadata store that a lineage needs, read once."""

    def __init__(self, path: str):
        from ml_metadata import metadata_store
        from ml_metadata.proto import metadata_store_pb2 as proto

        config = proto.ConnectionConfig()
        config.sqlite.filename_uri = path
        config.sqlite.connection_mode = proto.SqliteMetadataSourceConfig.READONLY
        self._store = metadata_store.MetadataStore(config)
        self._artifacts = {row.id: row for row in self._store.get_artifacts()}
        executions = self._store.get_executions()
        # A cached execution names the same outputs; what made them is COMPLETE.
        self._executions = {
            row.id: row
            for row in executions
            if row.last_known_state == proto.Execution.COMPLETE
        }
        events = self._store.get_events_by_execution_ids(list(self._executions) or [0])
        self._inputs: dict[int, list[int]] = {}
        self._outputs: dict[int, list[int]] = {}
        self._maker: dict[int, int] = {}
        for event in sorted(events, key=_outputs_first):
            if event.type == proto.Event.INPUT:
                row = self._inputs.setdefault(event.execution_id, [])
                row.append(event.artifact_id)
            elif event.type in (proto.Event.OUTPUT, proto.Event.INTERNAL_OUTPUT):
                row = self._outputs.setdefault(event.execution_id, [])
                row.append(event.artifact_id)
                self._maker.setdefault(event.artifact_id, event.execution_id)

    def find(self, model_dir: str) -> int | None:
        """The newest artifact that is the model of this folder."""
        found = []
        for artifact in self._artifacts.values():
            pushed = artifact.custom_properties[PUSHED].string_value
            is_model = artifact.type in ("Model", "PushedModel") and artifact.uri
            inside = is_model and f"{model_dir}/".startswith(f"{artifact.uri}/")
            if (pushed == model_dir or inside) and artifact.id in self._maker:
                found.append(artifact.id)
        return max(found, default=None)

    def steps_behind(self, artifact: int) -> Iterable[Step]:
        """The steps that the artifact depends on, parents first."""
        wanted, waiting = set(), [self._maker[artifact]]
        while waiting:
            number = waiting.pop()
            if number not in wanted:
                wanted.add(number)
                waiting += self._parents(number)
        return [self._step(number) for number in sorted(wanted)]

    def _parents(self, number: int) -> list[int]:
        inputs = self._inputs.get(number, [])
        return sorted({self._maker[a] for a in inputs if a in self._maker})

    def _step(self, number: int) -> Step:
        contexts = self._store.get_contexts_by_execution(number)
        names = {context.type: context.name for context in contexts}
        pipeline = names.get("pipeline", "")
        execution = self._executions[number]
        outputs = {}
        for key in self._outputs.get(number, []):
            artifact = self._artifacts[key]
            outputs[artifact.type] = _plain(artifact) | {"uri": artifact.uri}
        return Step(
            number,
            names.get("node", "").removeprefix(f"{pipeline}."),
            pipeline,
            execution.last_update_time_since_epoch,
            _plain(execution),
            outputs,
            tuple(self._parents(number)),
        )


def _outputs_first(event: Any) -> tuple[bool, int]:
    """Before what resolvers found and what was imported again, as made elsewhere."""
    from ml_metadata.proto import metadata_store_pb2 as proto

    return event.type != proto.Event.OUTPUT, event.execution_id


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in row.custom_properties.items()
        if value.WhichOneof("value") in ("string_value", "int_value", "double_value")
    }


def training(step: Step) -> dict[str, Any]:
    """A Trainer's custom_config; {} of another step."""
    return json.loads(step.settings.get("custom_config", "null")) or {}
