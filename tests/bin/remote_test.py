"""Flags that name places: which path they get, and what is delivered when."""

import os
import types

import fsspec
import pytest
from absl import flags

from kfer.bin import remote
from kfer.errors import UserError
from kfer.storage import fetching
from kfer.storage.order import Order
from tests import stores


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))


@pytest.fixture
def command(monkeypatch):
    """Makes a command's module with string flags, and sets them."""
    values = flags.FlagValues()
    values(["kfer-toy"])
    monkeypatch.setattr(remote.flags, "FLAGS", values)

    def make(uses, arguments=False, **given):
        module = types.ModuleType("toy")
        module.STORES = uses
        module.store_arguments = lambda argv: arguments
        for name, value in given.items():
            if isinstance(value, bool):
                flags.DEFINE_bool(name, value, "", values)
            elif isinstance(value, list):
                flags.DEFINE_list(name, value, "", values)
            else:
                flags.DEFINE_string(name, value, "", values)
        values.mark_as_parsed()
        monkeypatch.setattr(
            flags.FlagValues,
            "get_key_flags_for_module",
            lambda found, _: [found[name] for name in given],
        )
        return module, values

    return make


@pytest.fixture
def place():
    name = stores.memory_place()
    fsspec.filesystem("memory").pipe_file(f"{name}/dataset.json", b"{}")
    return name


def test_a_place_that_is_read_becomes_its_copy(command, place):
    module, values = command(
        {"data": remote.READ_DATA, "more": remote.READ}, data=place, more=["a", place]
    )
    with remote.resolved(module, []):
        assert os.listdir(values.data) == ["dataset.json"]
        assert values.more == ["a", values.data]


def test_what_is_written_is_delivered_when_all_went_well(command, place):
    target = f"{place}/new"
    module, values = command({"out": remote.WRITE_DATA}, out=target, overwrite=False)
    with pytest.raises(ValueError):
        with remote.resolved(module, []):
            write(values.out)
            raise ValueError
    assert stores.content(target) == {}
    values.out = target
    with remote.resolved(module, []):
        write(values.out)
        path = values.out
    assert stores.content(target) == {"dataset.json": b"[]"}
    assert not os.path.exists(path)


def write(folder):
    with open(os.path.join(folder, "dataset.json"), "w") as file:
        file.write("[]")


def test_overwriting_is_allowed_by_its_flag(command, place):
    module, values = command({"out": remote.WRITE_DATA}, out=place, overwrite=False)
    with pytest.raises(UserError, match="already holds something complete"):
        with remote.resolved(module, []):
            pass
    values.overwrite = True
    with remote.resolved(module, []):
        write(values.out)
    assert stores.content(place) == {"dataset.json": b"[]"}


def test_a_folder_that_is_changed_begins_as_it_is(command, place):
    module, values = command({"out": remote.change_folder("audit.json")}, out=place)
    with remote.resolved(module, []):
        assert os.listdir(values.out) == ["dataset.json"]
        with open(os.path.join(values.out, "audit.json"), "w") as file:
            file.write("1")
    assert [*stores.content(place)] == ["audit.json", "dataset.json"]


def test_a_use_may_follow_from_other_flags(command, place):
    uses = {"run": lambda: remote.READ_DATA}
    module, values = command(uses, run=place)
    with remote.resolved(module, []):
        assert os.path.isdir(values.run)


def test_arguments_are_read_where_the_command_takes_places(command, place):
    module, _ = command({}, arguments=True)
    with remote.resolved(module, ["verify", place]) as argv:
        assert argv[0] == "verify" and os.listdir(argv[1]) == ["dataset.json"]
    module, _ = command({}, arguments=False)
    with pytest.raises(UserError, match="The argument memory://.* is memory://.*, and"):
        with remote.resolved(module, [place]):
            pass


def test_other_flags_refuse_stores(command, place):
    module, _ = command({}, root=place)
    with pytest.raises(
        UserError, match="--root is memory://.* folders of this machine"
    ):
        with remote.resolved(module, []):
            pass


def test_a_command_may_take_the_place_itself(command, place):
    module, values = command({"publish": remote.AS_IT_IS}, publish=place)
    with remote.resolved(module, []):
        assert values.publish == place


def test_a_password_is_refused_and_not_repeated(command):
    module, _ = command({"data": remote.READ}, data="s3://id:secret@b/x")
    with pytest.raises(UserError, match="^--data has a password in its ad") as caught:
        with remote.resolved(module, []):
            pass
    assert "secret" not in str(caught.value)


def test_flags_of_other_modules_are_resolved_where_they_are_named(
    command, place, monkeypatch
):
    module, values = command({"images": remote.READ}, images=place)
    keyless = lambda *_: []  # noqa: E731
    monkeypatch.setattr(flags.FlagValues, "get_key_flags_for_module", keyless)
    with remote.resolved(module, []):
        assert os.listdir(values.images) == ["dataset.json"]


def test_what_is_printed_names_the_place(command, place, capsys):
    module, values = command({"data": remote.READ_DATA}, data=place)
    with remote.resolved(module, []):
        print(f"{values.data}: 3 records")
    assert capsys.readouterr().out == f"{place}: 3 records\n"


def test_flags_without_places_stay(command, tmp_path):
    given = {"data": str(tmp_path), "number": "3", "image": "host/name:1"}
    module, values = command({"data": remote.READ_DATA}, **given)
    with remote.resolved(module, ["a", "b"]) as argv:
        assert argv == ["a", "b"]
        assert {name: values[name].value for name in given} == given


def test_a_file_place_is_a_path(command, tmp_path):
    module, values = command({"data": remote.READ}, data=f"file://{tmp_path}")
    with remote.resolved(module, []):
        assert values.data == str(tmp_path)


def test_a_run_is_marked_by_its_metrics_and_a_data_set_by_its_manifest():
    assert Order(("dataset.json",)) == remote.DATA
    assert remote.RUN.is_marker("metrics.json")
    assert remote.RUN.is_marker("model/saved_model.pb")
    assert remote.RUN.first == ("versions.json", "config.json")
