"""States and outputs of a real run, and of nodes that never ran."""

import os

import pytest

from kfer.errors import UserError
from pipelines import records
from tests.pipelines import tiny


@pytest.fixture(scope="module")
def store(first):
    root, _, _ = first
    return records.open_store(os.path.join(root, "metadata.sqlite"))


def test_outputs_and_states(first, store):
    root, (result, _), (again, _) = first
    node = result.nodes["face_example_gen"]
    assert node.state == "COMPLETE"
    assert node.outputs["examples"].uri.startswith(f"{root}/artifacts/synthetic_faces/")
    assert again.nodes["face_example_gen"].state == "CACHED"
    assert again.nodes["face_example_gen"].outputs == node.outputs


def test_a_node_that_never_ran(store):
    assert records.last_of(store, "synthetic_faces", "nobody") is None
    ids = records.last_execution_ids(store, "synthetic_faces", ["nobody"])
    assert ids == {"nobody": 0}


def test_all_nodes_ran_since_the_start(store):
    before = dict.fromkeys(tiny.NODES, 0)
    records.check_all_done(store, "synthetic_faces", ["schema_gen"], before)
    now = records.last_execution_ids(store, "synthetic_faces", tiny.NODES)
    assert min(now.values()) > 0
    with pytest.raises(UserError, match="ended without running"):
        records.check_all_done(store, "synthetic_faces", tiny.NODES, now)


def test_a_failed_node_is_told(store, monkeypatch):
    failed = records.Node("FAILED", {})
    monkeypatch.setattr(records, "last_of", lambda *_: failed)
    with pytest.raises(UserError, match="The node schema_gen of .* ended as FAILED"):
        records.check_all_done(
            store, "synthetic_faces", ["schema_gen"], {"schema_gen": 0}
        )
