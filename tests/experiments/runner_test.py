"""Cells run once, side by side; one that fails or lacks its data stops no other."""

import fcntl
import os
import subprocess
import types

import pytest

from kfer.errors import UserError
from kfer.experiments import data, runner
from kfer.experiments.cells import Cell
from kfer.storage import whole
from tests.experiments import fake

CELLS = [Cell("cifar10", "vgg_all", 0), Cell("cifar10", "sce", 0)]


@pytest.fixture
def trained(monkeypatch):
    """Flags of every training, which leaves a finished run; sce fails at first."""
    found = []

    def train(flags, log, share, claim):
        found.append((flags, share))
        out = next(f for f in flags if f.startswith("--out_dir=")).split("=")[1]
        if "--method=sce" in flags and len(found) < 3:
            os.makedirs(os.path.dirname(log), exist_ok=True)
            with open(log, "w", encoding="utf-8") as file:
                file.write("kfer-train: error: it broke\n")
            return 2
        os.makedirs(out)
        metrics = {"interrupted": False, "last": {}}
        whole.write_json(os.path.join(out, "metrics.json"), metrics)
        return 0

    monkeypatch.setattr(runner, "_train", train)
    monkeypatch.setattr(data, "prepare", lambda name, *rest: f"DATA/{name}")
    return found


def test_each_cell_once_and_failures_again(tmp_path, trained):
    plan = fake.plan(tmp_path, flags=("--strategy=default",))
    assert runner.run(plan, CELLS) == {"done": 1, "failed": 1}
    state = runner.state(plan, CELLS[1])
    assert state["status"] == "failed"
    assert state["reason"] == "status 2: kfer-train: error: it broke"
    flags, share = trained[0]
    assert flags[-3:] == [
        "--data_dir=DATA/cifar10",
        f"--out_dir={plan.folder(CELLS[0])}",
        "--strategy=default",
    ]
    assert share == os.sched_getaffinity(0)
    assert runner.run(plan, CELLS) == {"done": 2}
    assert len(trained) == 3  # the first was not run again
    assert runner.state(plan, CELLS[1])["reason"] == ""
    assert "--method=sce" in runner.state(plan, CELLS[1])["command"]


def test_missing_data_skip_a_cell(tmp_path, trained, monkeypatch):
    def prepare(name, *rest):
        raise UserError("no pictures here")

    monkeypatch.setattr(data, "prepare", prepare)
    plan = fake.plan(tmp_path)
    assert runner.run(plan, CELLS[:1]) == {"skipped": 1}
    state = runner.state(plan, CELLS[0])
    assert (state["status"], state["reason"]) == ("skipped", "no pictures here")
    assert trained == []


def test_another_runner_s_cell_is_left_alone(tmp_path, trained):
    plan = fake.plan(tmp_path)
    os.makedirs(os.path.dirname(plan.note(CELLS[0])))
    with open(f"{plan.note(CELLS[0])}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert runner.run(plan, CELLS[:1]) == {"not run": 1}
    assert trained == []


def test_a_training_that_outlives_its_runner_keeps_the_cell(tmp_path, monkeypatch):
    plan = fake.plan(tmp_path)
    os.makedirs(os.path.dirname(plan.note(CELLS[0])))
    started = []

    def popen(words, **fields):
        process = subprocess.Popen(["sleep", "60"], pass_fds=fields["pass_fds"])
        started.append(process)
        return types.SimpleNamespace(pid=process.pid, wait={}.popitem)

    monkeypatch.setattr(data, "prepare", lambda name, *rest: "DATA")
    monkeypatch.setattr(
        runner,
        "subprocess",
        types.SimpleNamespace(Popen=popen, STDOUT=subprocess.STDOUT),
    )
    try:
        with pytest.raises(KeyError):
            runner.run(plan, CELLS[:1])
        state = runner.state(plan, CELLS[0])
        assert (state["status"], state["reason"]) == ("not run", "begun, not ended")
        assert "--method=vgg_all" in state["command"]
        assert runner.run(plan, CELLS[:1]) == {"not run": 1}
        assert len(started) == 1
    finally:
        started[0].kill()
        started[0].wait()


def test_an_interrupted_run_is_not_done(tmp_path):
    assert not runner.is_done(str(tmp_path))
    path = str(tmp_path / "metrics.json")
    whole.write_json(path, {"interrupted": True, "last": {}})
    assert not runner.is_done(str(tmp_path))
    whole.write_json(path, {"interrupted": False, "last": {}})
    assert runner.is_done(str(tmp_path))


def test_a_cell_that_never_ran(tmp_path):
    state = runner.state(fake.plan(tmp_path), CELLS[0])
    assert state == {"status": "not run", "reason": ""}


def test_cores_are_dealt_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5})
    assert runner.deal_cores(1) == [{0, 1, 2, 5}]
    assert runner.deal_cores(2) == [{0, 2}, {1, 5}]
    assert runner.deal_cores(5) == [{0}, {1}, {2}, {5}, {0, 1, 2, 5}]


def test_a_recipe_has_its_own_folder(tmp_path):
    assert fake.plan(tmp_path).root.endswith("out/cpu")
    assert fake.plan(tmp_path, recipe="paper").root.endswith("out/cpu-paper")
