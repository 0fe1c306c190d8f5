"""Suspects come worst first, and each decision is on the disk before it counts."""

import pytest

from kfer.audit import decisions, review
from kfer.errors import UserError
from tests.audit import reviewed, small


def test_the_worst_class_labels_come_first_with_their_pictures(tmp_path):
    found = reviewed.make(tmp_path)
    rows = [(row.image_id, row.column) for row in found.suspects]
    assert rows == [
        ("picture, 1", "annotator_3"),
        ("picture, 3", "annotator_2"),
        ("picture, 3", "annotator_1"),
    ]
    images = {r.image_id: r.image for r in small.records()}
    assert found.picture(0) == images["picture, 1"]
    assert found.picture(2) == images["picture, 3"]
    assert found.picture(3) is None and found.picture(-1) is None
    assert found.classes["annotator_3"] == small.CLASSES


def test_decisions_lead_on_and_are_found_again(tmp_path):
    data, audit = reviewed.write(tmp_path)
    found = review.Review(data, audit)
    assert found.next() == 0
    found.decide(0, "take", "", "ann")
    found.decide(1, "pick", "fox", "ann ")
    assert found.next() == 2
    again = review.Review(data, audit)  # as after a crash
    assert again.next() == 2
    first, second = decisions.read(again.path)
    assert (first.label, first.given, first.who) == ("cat", "dog", "ann")
    assert (second.label, second.given, second.who) == ("fox", "cat", "ann")
    assert first.audit == second.audit == found.digest and len(found.digest) == 64
    again.decide(2, "keep", "", "bob")
    assert again.next() is None


def test_two_at_once_get_different_suspects(tmp_path):
    found = reviewed.make(tmp_path)
    assert found.next("ann") == found.next("ann") == 0
    assert (found.next("bob"), found.next("cid")) == (1, 2)
    # Nobody's is left, so the worst comes again: who left keeps nothing from others.
    assert found.next("dee") == 0
    found.decide(0, "keep", "", "ann")
    assert found.next("ann") == 1
    found.decide(1, "skip", "", "bob")
    found.decide(2, "skip", "", "cid")
    assert found.next("ann") is None


def test_what_others_say_of_the_picture_and_who_decided_what_last(tmp_path):
    found = reviewed.make(tmp_path)
    said = {"annotator_1": "cat", "annotator_2": "cat", "first": "cat"}
    assert found.others(0) == said  # of annotator_3, who says dog
    assert found.last("ann") is None
    found.decide(1, "keep", "", "ann")
    found.decide(0, "skip", "", "bob")
    assert (found.last("ann"), found.last("bob ")) == (1, 0)


def test_each_takes_back_their_own_last(tmp_path):
    found = reviewed.make(tmp_path)
    found.decide(0, "keep", "", "ann")
    found.decide(1, "skip", "", "bob")
    found.decide(2, "skip", "", "ann")
    assert found.undo("ann") == 2 and found.undo("ann") == 0
    assert found.undo("ann") is None
    assert set(found.standing()) == {1} and found.next() == 0
    assert [d.action for d in decisions.read(found.path)][-2:] == ["undo", "undo"]


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ((3, "keep", "", "ann"), "There is no suspect 3"),
        ((0, "pick", "cow", "ann"), "'cow' is none of cat, dog, fox"),
        ((0, "keep", "", " "), "Say who decides"),
        ((0, "keep", "", "a" * 101), "Say who decides"),
        ((0, "drop", "", "ann"), "Unknown decision 'drop'"),
    ],
)
def test_what_is_no_decision_is_not_noted(tmp_path, decision, text):
    found = reviewed.make(tmp_path)
    with pytest.raises(UserError, match=text):
        found.decide(*decision)
    assert decisions.read(found.path) == [] and found.standing() == {}


def test_an_audit_of_something_else_is_refused(tmp_path):
    data, audit = reviewed.write(tmp_path)
    other = small.write(tmp_path / "other", truth=False)
    with pytest.raises(UserError, match="is of other data"):
        review.Review(other.root, audit)
    with pytest.raises(UserError, match="Can't read"):
        review.Review(data, str(tmp_path))
    with open(f"{audit}/corrected.csv", "a") as file:
        file.write("x,annotator_1,dog,cat,1,\n")
    with pytest.raises(UserError, match="is not the table of its audit.json"):
        review.Review(data, audit)
