"""Deliveries of what is made anew: the mark last, and nothing half after a fault."""

import os

import pytest

from kfer.errors import StoreError, UserError
from kfer.storage import fetching, objects, staging
from kfer.storage.order import Order
from tests import stores

DATA = Order(("dataset.json",))


def new_data(place, overwrite=False, **more):
    made = staging.Staging(objects.Place(place), DATA)
    made.start_empty(overwrite)
    stores.put_files(
        made.path, dataset_json="{}", train_tfrecord="1", test_tfrecord="2", **more
    )
    return made


def test_the_mark_comes_last(place, log):
    made = new_data(place)
    made.deliver()
    assert log == [
        "+test.tfrecord",
        "+train.tfrecord",
        "+dataset.json",
        "-.kfer-delivery",
    ]
    assert stores.content(place) == {
        "dataset.json": b"{}",
        "train.tfrecord": b"1",
        "test.tfrecord": b"2",
    }
    path = made.path
    made.close()
    assert not os.path.exists(path)


@pytest.mark.parametrize("failing", ("train.tfrecord", "test.tfrecord", "dataset.json"))
def test_a_delivery_that_fails_leaves_no_mark_and_is_made_again(place, log, failing):
    log.fails = (failing,)
    with pytest.raises(StoreError):
        new_data(place).deliver()
    assert "dataset.json" not in stores.content(place)
    with pytest.raises(UserError, match="has no dataset.json|There is nothing"):
        fetching.local_copy(place, ("dataset.json",))
    log.fails = ()
    new_data(place).deliver()
    assert len(stores.content(place)) == 3
    assert fetching.local_copy(place, ("dataset.json",))


def test_what_is_there_is_kept(place, memory):
    memory.pipe_file(f"{place}/notes.txt", b"mine")
    with pytest.raises(UserError, match="holds objects of something else .notes.txt.;"):
        new_data(place)
    memory.pipe_file(f"{place}/dataset.json", b"[]")
    with pytest.raises(UserError, match="already holds something complete; name"):
        new_data(place)
    assert stores.content(place) == {"notes.txt": b"mine", "dataset.json": b"[]"}


def test_what_came_meanwhile_is_kept(place, memory):
    made = new_data(place)
    memory.pipe_file(f"{place}/dataset.json", b"[]")
    with pytest.raises(UserError, match="already holds something complete"):
        made.deliver()
    assert stores.content(place) == {"dataset.json": b"[]"}


def test_replacing_takes_the_mark_away_first_and_all_that_was_there(place, log, memory):
    new_data(place, old_tfrecord="3").deliver()
    made, log[:] = new_data(place, overwrite=True), []
    stores.put_files(made.path, train_tfrecord="new")
    made.deliver()
    assert log == [
        "-dataset.json",
        "+test.tfrecord",
        "+train.tfrecord",
        "-old.tfrecord",
        "+dataset.json",
        "-.kfer-delivery",
    ]
    assert stores.content(place)["train.tfrecord"] == b"new"
    assert "old.tfrecord" not in stores.content(place)


def test_what_was_put_but_is_not_there_ends_without_a_mark(place, monkeypatch, memory):
    real = objects.Place.put

    def other_writer(self, folder, keys):
        real(self, folder, keys)
        if "train.tfrecord" in keys:
            memory.pipe_file(f"{place}/train.tfrecord", b"other")

    monkeypatch.setattr(objects.Place, "put", other_writer)
    with pytest.raises(
        UserError, match="train.tfrecord is 5 bytes though 1 bytes were"
    ):
        new_data(place).deliver()
    assert "dataset.json" not in stores.content(place)


def test_two_deliveries_at_once_end_with_one_of_them(place, monkeypatch):
    one, other = new_data(place), staging.Staging(objects.Place(place), DATA)
    real = objects.Place.put

    def interrupted(self, folder, keys):
        real(self, folder, keys)
        if folder == one.path and "train.tfrecord" in keys:
            # equal in size, and another machine's
            other.path = other.path + "-other"
            os.mkdir(other.path)
            other._new = True
            files = {"dataset_json": "[]", "train_tfrecord": "9", "test_tfrecord": "8"}
            stores.put_files(other.path, **files)
            other.deliver()

    monkeypatch.setattr(objects.Place, "put", interrupted)
    with pytest.raises(UserError, match="Another command delivers to"):
        one.deliver()
    assert stores.content(place) == {
        "dataset.json": b"[]",
        "train.tfrecord": b"9",
        "test.tfrecord": b"8",
    }


def test_a_file_is_put_whole_where_it_is_made(place):
    made = staging.StagedFile(objects.Place(f"{place}/scores.json"), Order())
    made.start_empty()
    made.deliver()
    assert stores.content(place) == {}
    with open(made.path, "w") as file:
        file.write("{}")
    made.deliver()
    assert stores.content(place) == {"scores.json": b"{}"}
