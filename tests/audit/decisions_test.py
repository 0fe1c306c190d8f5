"""Decisions survive whatever happens, and change what they say and nothing else."""

import json
from concurrent import futures

import pytest

from kfer.audit import decisions
from kfer.audit.decisions import Decision
from kfer.data import record
from kfer.errors import UserError

COLUMNS = {"a": record.categorical("a", ("cat", "dog", "fox"))}
GIVEN = {"a": {"1": 0, "2": 1, "3": 2}}


def decision(image_id, action, label="", who="ann", given="cat"):
    return Decision(image_id, "a", given, action, label, who, decisions.now(), "abc")


def test_a_full_disk_is_one_line():
    with pytest.raises(UserError, match="Can't write to /dev/full: No space left"):
        decisions.append("/dev/full", decision("1", "keep", "cat"))


def test_what_is_written_is_read(tmp_path):
    path = str(tmp_path / "folder" / "decisions.jsonl")
    assert decisions.read(path) == []
    written = [decision("1", "take", "dog"), decision("Zürich, 2", "keep", "cat")]
    for one in written:
        decisions.append(path, one)
    assert decisions.read(path) == written
    with open(path) as file:
        first = json.loads(file.readline())
    assert first["who"] == "ann" and first["when"].endswith("+00:00")


def test_many_writers_lose_no_line(tmp_path):
    path = str(tmp_path / "decisions.jsonl")
    with futures.ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(decisions.append, path, decision(str(n), "skip"))
            for n in range(64)
        ]
        for job in jobs:
            job.result()
    assert sorted(int(d.image_id) for d in decisions.read(path)) == list(range(64))


def test_half_a_line_of_a_dead_writer_spoils_itself_alone(tmp_path):
    path = tmp_path / "decisions.jsonl"
    decisions.append(str(path), decision("1", "take", "dog"))
    with open(path, "a") as file:
        file.write('{"image_id": "2", "col')
    decisions.append(str(path), decision("3", "skip"))
    assert [d.image_id for d in decisions.read(str(path))] == ["1", "3"]


def test_a_line_of_something_else_is_told(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text('{"image_id": "1"}\n')
    with pytest.raises(UserError, match=r"decisions\.jsonl:1 is no decision"):
        decisions.read(str(path))
    with pytest.raises(UserError, match="Unknown decision 'drop'; known: keep, take"):
        decision("1", "drop")


def test_the_last_counts_and_undo_gives_back_what_was_before():
    made = [
        decision("1", "take", "dog"),
        decision("1", "pick", "fox", who="bob"),
        decision("2", "keep", "dog"),
        decision("2", "undo"),
        decision("3", "undo"),
    ]
    assert decisions.standing(made) == {("a", "1"): made[1]}
    made.append(decision("1", "undo"))
    assert decisions.standing(made) == {("a", "1"): made[0]}
    made += [decision("1", "undo"), decision("1", "undo")]
    assert decisions.standing(made) == {}


def test_only_what_changes_a_label_is_a_correction():
    made = [
        decision("1", "take", "dog"),
        decision("2", "keep", "dog", given="dog"),
        decision("3", "pick", "cat", given="fox"),
        decision("2", "skip"),
    ]
    found = decisions.corrections(made, COLUMNS, GIVEN)
    assert found == {"a": {"1": 1, "3": 0}}


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (decision("9", "take", "dog"), "of ann on a of 9 has no such label"),
        (decision("1", "take", "cow"), "says 'cow', which is no class"),
        (decision("2", "take", "fox"), "was about 'cat', but the label is 'dog' now"),
    ],
)
def test_decisions_about_something_else_are_refused_together(made, text):
    with pytest.raises(UserError, match=text):
        decisions.corrections([decision("1", "take", "dog"), made], COLUMNS, GIVEN)
