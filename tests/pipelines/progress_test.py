"""Lines made of LocalDagRunner's log and of what ML Metadata says."""

import json
import logging

from pipelines.progress import Lines, describe
from pipelines.records import Made, Node


def record(message, *args):
    return logging.LogRecord("absl", logging.INFO, "f", 1, message, args, None)


def listen(nodes):
    written = []
    lines = Lines(nodes.get, 12, written.append)
    return lines, written


def test_one_line_a_node():
    made = {"examples": Made("/a/1", {"summary": "60 train"})}
    lines, written = listen(
        {
            "reader": Node("COMPLETE", made),
            "checker": Node("CACHED", {"current": Made("/m/2", {})}),
        }
    )
    lines.emit(record("Component %s is running.", "reader"))
    lines.emit(record("Something else about %s", "reader"))
    assert written == [] and lines.current == "reader"
    lines.emit(record("Component %s is finished.", "reader"))
    lines.emit(record("Component %s is running.", "checker"))
    lines.emit(record("Component %s is finished.", "checker"))
    assert [line.split() for line in written] == [
        ["[1/12]", "reader", "0.0", "s", "60", "train"],
        ["[2/12]", "checker", "cached", "none"],
    ]
    assert written[0].index("60 train") == written[1].index("none")


def test_a_failure():
    lines, written = listen({})
    lines.emit(record("Component %s is running.", "gate"))
    lines.failed("class 9 is unknown")
    assert written[0].endswith("failed: class 9 is unknown")


def test_a_training_is_told_by_its_run(tmp_path):
    scores = {"expression": {"accuracy": 0.5}, "valence_arousal": {"ccc": 0.25}}
    metrics = {"last": {"step": 7, "test": scores}}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    outputs = {"model": Made("/m", {}), "model_run": Made(str(tmp_path), {})}
    assert describe(Node("COMPLETE", outputs)) == (
        "step 7: expression accuracy 50.00 %, valence_arousal CCC 0.2500"
    )
    (tmp_path / "metrics.json").write_text("{}")
    assert describe(Node("COMPLETE", outputs)) == "trained"


def test_the_model_to_beat():
    outputs = {"current": Made("/m/2", {}), "model": Made("/m/1", {})}
    assert describe(Node("COMPLETE", outputs)) == "/m/1"


def test_other_outputs_are_told_by_their_place():
    outputs = {"schema": Made("/root/schema/2", {})}
    assert describe(Node("COMPLETE", outputs)) == "schema /root/schema/2"
