"""Checkpoints come back, the damaged are skipped, the oldest dropped."""

import os

import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.training.checkpoints import Checkpoints, restore_model
from kfer.training.optimizers import Adam


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable([1.0, 2.0])


def saved(folder, steps):
    model = Model()
    checkpoints = Checkpoints(model, str(folder))
    for step in steps:
        model.weight.assign([step, step + 0.5])
        checkpoints.save(step)
    return checkpoints


def test_restores_the_newest(tmp_path):
    saved(tmp_path, [3, 10])
    model = Model()
    assert restore_model(model, str(tmp_path)) == 10
    assert model.weight.numpy().tolist() == [10.0, 10.5]


def test_keeps_three(tmp_path):
    checkpoints = saved(tmp_path, [1, 2, 3, 4, 5])
    assert checkpoints.steps() == [5, 4, 3]
    files = os.listdir(checkpoints.folder)
    assert sorted({name.split(".")[0] for name in files}) == [
        "step-00000003",
        "step-00000004",
        "step-00000005",
    ]


@pytest.mark.parametrize("part", ("index", "data-00000-of-00001"))
def test_a_damaged_checkpoint_is_skipped(tmp_path, part):
    checkpoints = saved(tmp_path, [1, 2])
    path = os.path.join(checkpoints.folder, f"step-00000002.{part}")
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)
    model = Model()
    assert Checkpoints(model, str(tmp_path)).restore() == 1
    assert model.weight.numpy().tolist() == [1.0, 1.5]


def test_all_damaged(tmp_path):
    checkpoints = saved(tmp_path, [1])
    path = os.path.join(checkpoints.folder, "step-00000001.index")
    with open(path, "wb"):
        pass
    with pytest.raises(UserError, match=r"None of the checkpoints .* \(steps \[1\]\)"):
        Checkpoints(Model(), str(tmp_path)).restore()


def test_none(tmp_path):
    assert Checkpoints(Model(), str(tmp_path)).restore() == 0
    with pytest.raises(UserError, match="has no checkpoint yet"):
        restore_model(Model(), str(tmp_path))


def test_a_full_disk_leaves_the_older_ones(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path, [1])

    def full(prefix):
        with open(f"{prefix}.data-00000-of-00001", "wb") as file:
            file.write(b"half")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(checkpoints.tracked, "write", full)
    with pytest.raises(UserError, match="No space left.*last good one is step 1"):
        checkpoints.save(2)
    assert checkpoints.steps() == [1]
    assert not [n for n in os.listdir(checkpoints.folder) if "00000002" in n]


def test_a_step_by_name(tmp_path):
    saved(tmp_path, [3, 10])
    model = Model()
    assert restore_model(model, str(tmp_path), 3) == 3
    assert model.weight.numpy().tolist() == [3.0, 3.5]
    with pytest.raises(UserError, match=r"no checkpoint of step 4; it has \[3, 10\]"):
        restore_model(model, str(tmp_path), 4)


def test_a_damaged_step_is_no_reason_to_take_another(tmp_path):
    checkpoints = saved(tmp_path, [1, 2])
    with open(os.path.join(checkpoints.folder, "step-00000002.index"), "wb"):
        pass
    with pytest.raises(UserError, match=r"steps \[2\]\) can be"):
        restore_model(Model(), str(tmp_path), 2)


class Trained(Model):
    def __init__(self):
        super().__init__()
        self.late = tf.Variable([1.0])
        self.generator_optimizer = Adam(0.1)
        self.generator_optimizer.build([self.weight, self.late])

    def step(self, *variables):
        pairs = [(tf.ones_like(v), v) for v in variables]
        self.generator_optimizer.apply_gradients(pairs)


class TestCounts:
    """Adam's steps of each variable are saved beside what it tracks itself."""

    def test_they_come_back(self, tmp_path):
        model = Trained()
        model.step(model.weight)
        model.step(model.weight, model.late)
        Checkpoints(model, str(tmp_path)).save(2)
        other = Trained()
        restore_model(other, str(tmp_path))
        assert other.generator_optimizer.update_counts.numpy().tolist() == [2, 1]
        model.step(model.weight, model.late)
        other.step(other.weight, other.late)
        assert other.late.numpy() == model.late.numpy()

    def test_an_earlier_version_s_are_the_optimizer_s_steps(self, tmp_path):
        model = Trained()
        for _ in range(3):
            model.step(model.weight)
        checkpoints = Checkpoints(model, str(tmp_path))
        checkpoints.tracked = checkpoints.without_counts
        checkpoints.save(3)
        other = Trained()
        assert restore_model(other, str(tmp_path)) == 3
        assert other.generator_optimizer.update_counts.numpy().tolist() == [3, 3]
        assert other.weight.numpy().tolist() == model.weight.numpy().tolist()
