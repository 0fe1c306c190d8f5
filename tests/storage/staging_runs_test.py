"""Deliveries of a run that grows, is killed and goes on here or elsewhere."""

import os

import pytest

from kfer.errors import StoreError, UserError
from kfer.storage import fetching, objects, staging
from kfer.storage.order import Order
from tests import stores

RUN = Order(("metrics.json",), ("config.json",), (".index",))


def staged(place):
    return staging.Staging(objects.Place(place), RUN)


def new_run(place):
    made = staged(place)
    made.start_same()
    stores.put_files(
        made.path, config_json="{}", history_jsonl="1\n", c__1_data="w", c__1_index="i"
    )
    return made


def test_a_run_is_delivered_as_it_grows(place, log):
    made = new_run(place)
    made.deliver()
    assert log == ["+config.json", "+c/1.data", "+history.jsonl", "+c/1.index"]
    log.clear()
    made.deliver()
    assert log == []
    stores.put_files(made.path, history_jsonl="1\n2\n", c__2_data="w2", c__2_index="i")
    os.remove(os.path.join(made.path, "c/1.data"))
    os.remove(os.path.join(made.path, "c/1.index"))
    made.deliver()
    assert log == [
        *("+c/2.data", "+history.jsonl", "+c/2.index"),
        *("-c/1.index", "-c/1.data"),
    ]
    log.clear()
    stores.put_files(made.path, metrics_json="{}", report_html="r")
    made.deliver()
    assert log == ["+report.html", "+metrics.json"]
    log.clear()
    stores.put_files(made.path, history_jsonl="1\n2\n3\n")
    made.deliver()
    assert log == ["-metrics.json", "+history.jsonl", "+metrics.json"]


def test_a_run_goes_on_from_what_was_delivered(place, log):
    new_run(place).deliver()
    made = staged(place)
    made.close()  # the machine is another
    made.start_same()
    assert sorted(os.listdir(made.path)) == ["c", "config.json", "history.jsonl"]
    log.clear()
    stores.put_files(made.path, history_jsonl="1\n2\n")
    made.deliver()
    assert log == ["+history.jsonl"]


def test_a_run_that_was_killed_here_goes_on_with_what_lies_here(place, monkeypatch):
    made = new_run(place)
    made.deliver()
    stores.put_files(made.path, c__2_data="w2", c__2_index="i")
    monkeypatch.setattr(fetching, "fetch", None)
    again = staged(place)
    again.start_same()
    assert os.path.exists(os.path.join(again.path, "c/2.index"))
    again.deliver()
    assert "c/2.index" in stores.content(place)


def test_a_run_that_went_on_elsewhere_is_fetched(place, memory):
    made = new_run(place)
    made.deliver()
    stores.put_files(made.path, c__2_data="stale", c__2_index="stale")
    memory.pipe({f"{place}/c/2.data": b"theirs", f"{place}/c/2.index": b"theirs"})
    again = staged(place)
    again.start_same()
    with open(os.path.join(again.path, "c/2.data")) as file:
        assert file.read() == "theirs"


def test_what_another_changes_meanwhile_is_told_not_replaced(place, memory):
    made = new_run(place)
    made.deliver()
    memory.pipe_file(f"{place}/history.jsonl", b"theirs")
    stores.put_files(made.path, history_jsonl="1\n2\n")
    with pytest.raises(
        UserError, match="history.jsonl was changed by another meanwhile"
    ):
        made.deliver()
    assert stores.content(place)["history.jsonl"] == b"theirs"


def test_what_another_put_where_nothing_was_is_told_not_replaced(place, memory):
    made = new_run(place)
    memory.pipe_file(f"{place}/config.json", b"theirs")
    with pytest.raises(UserError, match="config.json was changed by another meanwhile"):
        made.deliver()
    assert stores.content(place) == {"config.json": b"theirs"}


def interrupted(place, log):
    """A run whose delivery failed before the sign of its second checkpoint."""
    made = new_run(place)
    made.deliver()
    stores.put_files(made.path, history_jsonl="1\n2\n", c__2_data="w2", c__2_index="i")
    log.fails = ("c/2.index",)
    with pytest.raises(StoreError):
        made.deliver()
    return made


def test_a_delivery_that_failed_in_the_middle_is_gone_on_with(place, log):
    made = interrupted(place, log)
    assert stores.content(place)["history.jsonl"] == b"1\n2\n"
    log.fails = ()
    stores.put_files(made.path, history_jsonl="1\n2\n3\n")
    made.deliver()
    found = stores.content(place)
    assert (found["history.jsonl"], found["c/2.index"]) == (b"1\n2\n3\n", b"i")


def test_a_kill_in_the_middle_of_a_delivery_is_gone_on_from(place, log):
    """After it the store holds the history of a step whose checkpoint isn't there."""
    interrupted(place, log)
    again = staged(place)
    again.start_same()
    assert sorted(os.listdir(os.path.join(again.path, "c"))) == [
        "1.data",
        "1.index",
        "2.data",
    ]
    log.fails = ()
    stores.put_files(again.path, c__2_data="w2", c__2_index="i")
    again.deliver()
    assert stores.content(place)["c/2.index"] == b"i"


def test_a_run_that_must_be_there_is_asked_for(place, memory):
    with pytest.raises(UserError, match="There is nothing at"):
        staged(place).start_same("config.json")
    memory.pipe_file(f"{place}/dataset.json", b"{}")
    with pytest.raises(UserError, match="has no config.json: it is something else"):
        staged(place).start_same("config.json")


def test_files_that_are_being_written_stay_here(place):
    made = new_run(place)
    stores.put_files(made.path, **{"_x_partial-1": "half"})
    assert any(n.startswith(".x.partial-") for n in os.listdir(made.path))
    made.deliver()
    assert not [key for key in stores.content(place) if "partial" in key]


def test_early_deliveries_find_the_open_folder_and_end_nothing(place, log):
    made = new_run(place)
    staging.deliver_early(made.path)
    assert stores.content(place) == {}
    with staging.opened(made):
        staging.deliver_early(made.path)
        assert len(stores.content(place)) == 4
        stores.put_files(made.path, c__2_data="w2")
        log.fails = ("c/2.data",)
        staging.deliver_early(made.path)
        log.fails = ()
        staging.deliver_early(made.path + "/")
    assert "c/2.data" in stores.content(place)


def test_two_commands_of_a_machine_don_t_write_one_place(place):
    with staging.opened(new_run(place)):
        with pytest.raises(
            UserError, match="Another command of this machine writes to"
        ):
            with staging.opened(staged(place)):
                pass
    with staging.opened(staged(place)):
        pass
