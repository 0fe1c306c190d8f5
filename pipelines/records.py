"""What ML Metadata says about the runs of a pipeline; reads alone."""

import dataclasses
from typing import Any

from kfer.errors import UserError

DONE = ("COMPLETE", "CACHED")


@dataclasses.dataclass(frozen=True)
class Made:
    """An artifact: where it is and what its maker noted on it."""

    uri: str
    notes: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Node:
    """The last execution of a node: its state and its outputs by key."""

    state: str
    outputs: dict[str, Made]


def open_store(path: str) -> Any:
    """The metadata store in a SQLite file, which is made if there is none."""
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = path
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return metadata_store.MetadataStore(config)


def last_of(store: Any, pipeline: str, node: str) -> Node | None:
    """The newest execution of a node; None if there was none."""
    from ml_metadata.proto import metadata_store_pb2

    context = store.get_context_by_type_and_name("node", f"{pipeline}.{node}")
    executions = store.get_executions_by_context(context.id) if context else []
    if not executions:
        return None
    execution = max(executions, key=lambda row: row.id)
    state = metadata_store_pb2.Execution.State.Name(execution.last_known_state)
    return Node(state, outputs_of(store, execution.id))


def outputs_of(store: Any, execution_id: int) -> dict[str, Made]:
    """Output key -> what an execution made or took from the cache."""
    from ml_metadata.proto import metadata_store_pb2

    events = store.get_events_by_execution_ids([execution_id])
    # TFX calls what its resolvers and importers give internal.
    kinds = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
    keys = {
        event.artifact_id: event.path.steps[0].key
        for event in events
        if event.type in kinds and event.path.steps
    }
    artifacts = store.get_artifacts_by_id(list(keys)) if keys else []
    return {keys[a.id]: Made(a.uri, notes_of(a)) for a in artifacts}


def notes_of(row: Any) -> dict[str, Any]:
    """The custom properties of an artifact or execution as plain values."""
    return {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in row.custom_properties.items()
        if value.WhichOneof("value") in ("string_value", "int_value", "double_value")
    }


def last_execution_ids(store: Any, pipeline: str, nodes: list[str]) -> dict[str, int]:
    """Node -> id of its newest execution, 0 if it has none."""
    found = {}
    for node in nodes:
        context = store.get_context_by_type_and_name("node", f"{pipeline}.{node}")
        rows = store.get_executions_by_context(context.id) if context else []
        found[node] = max((row.id for row in rows), default=0)
    return found


def check_all_done(
    store: Any, pipeline: str, nodes: list[str], before: dict[str, int]
) -> None:
    """Raises UserError unless every node ran or came from the cache since `before`.

    TFX's local runner returns normally when it skips a node for want of inputs.
    """
    after = last_execution_ids(store, pipeline, nodes)
    for node in nodes:
        last = last_of(store, pipeline, node)
        if last is None or after[node] <= before[node]:
            raise UserError(f"The pipeline {pipeline} ended without running {node}")
        if last.state not in DONE:
            raise UserError(f"The node {node} of {pipeline} ended as {last.state}")
