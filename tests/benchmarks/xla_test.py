"""The exported step, run by jax in an environment of its own, equals TensorFlow's."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.data import augment, input_pipeline
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.methods import METHODS
from kfer.training import compiling
from tests import runs
from tests.methods.replicas import EPSILON, RATE, weights_of, worst

ROOT = Path(__file__).resolve().parents[2]
XLA = ROOT / "benchmarks" / "xla"
PYTHON = ROOT / ".venv-xla" / "bin" / "python"
CURVES = "curves.jsonl"
# They count the annotators' labels before the first step.
COUNTING = ("dawid_skene", "em", "kfer")

sys.path.insert(0, str(XLA))
import exporting  # noqa: E402
import initial  # noqa: E402

needs_jax = pytest.mark.skipif(
    not PYTHON.exists(), reason="needs .venv-xla; make env-xla makes it"
)


def run_jax(*arguments):
    done = subprocess.run(
        [str(PYTHON), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=XLA,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def config(**fields):
    return runs.config(
        learning_rate=RATE, epsilon=EPSILON, gan_start_epoch=-1, **fields
    )


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(rows, values):
    """Values by the names that tests.methods.replicas.worst goes by."""
    prefix = {"weight": "", "optimizer": "optimizer/"}
    return {
        prefix[row["role"]] + row["name"].split(" ", 1)[1] + row["name"][:4]: value
        for row, value in zip(rows, values)
        if row["role"] != "metric"
    }


@needs_jax
@pytest.mark.slow
def test_five_steps_equal_tensorflows(tmp_path):
    run = config()
    method = exporting.export(run, runs.dataset(), str(tmp_path), with_values=True)
    batches = list(input_pipeline.train_dataset(runs.dataset(), run).take(5))
    names = exporting.paths(exporting.batch_spec(run))
    stacked = [np.stack(parts) for parts in zip(*map(tf.nest.flatten, batches))]
    np.savez(tmp_path / "batches.npz", **dict(zip(names, stacked)))
    logs = []
    for batch in batches:
        for metric in method.metrics:
            metric.reset_state()
        method.train_step(batch)
        logs.append({name: float(v) for name, v in method.results().items()})
    state = tmp_path / "state"
    flags = [f"--dir={tmp_path}", f"--state={state}"]
    print(run_jax("run_step.py", *flags, f"--batches={tmp_path / 'batches.npz'}"))
    for row, expected in zip(lines(state / "curves.jsonl"), logs, strict=True):
        assert row["train"] == pytest.approx(expected, rel=1e-3, abs=1e-4)
    rows = json.loads((tmp_path / "map.json").read_text())["variables"]
    with np.load(state / "state.npz") as stored:
        found = named(rows, [stored[row["name"]] for row in rows])
    with np.load(tmp_path / "values.npz") as stored:
        before = named(rows, [stored[row["name"]] for row in rows])
    after = named(rows, [v.numpy() for v in exporting.variables_of(method)])
    gap, name = worst(after, found)
    print(f"largest relative gap after 5 steps: {gap:.1e} of {name}")
    assert gap < 1e-3
    moved = worst(weights_of(before), weights_of(after))[0]
    assert moved > 2e-3  # many times the gap


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The encoder alone, which compiles in seconds; starting by rule."""
    folder = tmp_path_factory.mktemp("export")
    settings = f"learning_rate={RATE},epsilon={EPSILON},gan_start_epoch=-1"
    settings += ",width=0.125,batch_size=8,noise_size=8,embedding_size=64"
    command = [sys.executable, str(XLA / "export_step.py"), f"--out_dir={folder}"]
    command += ["--experiment=synthetic_faces", "--method=vgg_all"]
    command += [f"--data_dir={runs.dataset().root}", f"--set={settings}"]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder


@needs_jax
@pytest.mark.slow
def test_a_run_goes_on_and_is_read_back(exported, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    script, source = "run_step.py", f"--dir={exported}"
    run_jax(script, source, f"--state={whole}", "--epochs=4")
    for epochs in (1, 4):
        run_jax(script, source, f"--state={parts}", f"--epochs={epochs}")
    with np.load(whole / "state.npz") as one, np.load(parts / "state.npz") as two:
        assert int(one["step"]) == 4 * 3
        different = [name for name in one if not np.array_equal(one[name], two[name])]
    assert different == []
    curves = lines(parts / "curves.jsonl")
    assert [row["step"] for row in curves] == [3, 6, 9, 12]
    assert curves[3]["train"]["loss"] < curves[0]["train"]["loss"]

    method, scores = import_run(exported, parts, tmp_path / "run")
    rows = json.loads((exported / "map.json").read_text())["variables"]
    with np.load(parts / "state.npz") as state:
        for row, variable in zip(rows, exporting.variables_of(method), strict=True):
            np.testing.assert_array_equal(variable.numpy(), state[row["name"]])
    test = curves[3]["test"]
    found = scores["expression"]["accuracy"], scores["valence_arousal"]["ccc"]
    assert found[0] == pytest.approx(test["expression"]["accuracy"])
    assert found[1] == pytest.approx(test["valence_arousal"]["ccc"], abs=1e-4)
    # Of batches of 8: the last one was filled up.
    assert test["expression"]["count"] == 20

    run_jax("pack.py", f"--state={parts}", f"--out_dir={tmp_path / 'packed'}")
    small, _ = import_run(exported, tmp_path / "packed", tmp_path / "small")
    pairs = zip(method.encoder.variables, small.encoder.variables, strict=True)
    for exact, rounded in pairs:
        np.testing.assert_allclose(rounded.numpy(), exact.numpy(), rtol=2**-8)


def import_run(exported, state, out_dir):
    """The method of the run folder that import_run.py makes, and its scores."""
    command = [sys.executable, str(XLA / "import_run.py"), f"--dir={exported}"]
    command += [f"--state={state}", f"--data_dir={runs.dataset().root}"]
    subprocess.run([*command, f"--out_dir={out_dir}"], check=True, cwd=ROOT)
    method, run, step = compiling.restored(str(out_dir))
    assert step == 12
    return method, scoring.evaluate(method, runs.dataset(), run)


@needs_jax
@pytest.mark.slow
def test_products_of_other_precision(exported, tmp_path):
    """Near in the first step, before Adam blows rounding up; and the loss falls."""
    losses = {}
    for precision in ("fp32", "tf32", "bf16"):
        state = tmp_path / precision
        flags = [f"--dir={exported}", f"--state={state}", f"--precision={precision}"]
        flags += ["--steps_per_epoch=1", f"--epochs={12 if precision == 'bf16' else 1}"]
        run_jax("run_step.py", *flags)
        losses[precision] = [row["train"]["loss"] for row in lines(state / CURVES)]
    (exact,), (tf32,), bf16 = losses.values()
    assert tf32 == pytest.approx(exact, rel=1e-5)
    assert bf16[0] != exact
    assert bf16[0] == pytest.approx(exact, rel=0.003)
    assert np.mean(bf16[-3:]) < np.mean(bf16[:3])


_WARP = """
import sys, numpy as np, batches
data = np.load(sys.argv[1])
for kind in ("nearest", "bilinear"):
    found = batches.warp(data["images"], data["transforms"], kind)
    np.save(f"{sys.argv[2]}/{kind}.npy", np.asarray(found))
keys = batches.jax.random.key(0)
np.save(f"{sys.argv[2]}/face.npy", batches.face(keys, 256, 32, False, 4.8))
np.save(f"{sys.argv[2]}/crop.npy", batches.crop_flip(keys, 256, 32))
"""


@needs_jax
@pytest.mark.slow
def test_augmentation_is_kfers(tmp_path):
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (16, 32, 32, 3)).astype(np.float32)
    recipe = runs.run_config().recipe
    transforms = {
        "nearest": augment.crop_flip_transforms(tf.constant([0, 1]), 16, 32).numpy(),
        "bilinear": augment.face_transforms(
            tf.constant([0, 1]), 16, 32, recipe
        ).numpy(),
    }
    for kind, rows in transforms.items():
        np.savez(
            tmp_path / "in.npz",
            images=images,
            transforms=rows[:, :6].reshape(-1, 2, 3),
        )
        run_jax("-c", _WARP, tmp_path / "in.npz", tmp_path)
        expected = augment.apply(images, rows, kind).numpy()
        found = np.load(tmp_path / f"{kind}.npy")
        assert np.abs(found - expected).max() < 0.02  # of 255
    # The draws: mirrored half the time, shifts and scales within their ranges.
    crop, face = np.load(tmp_path / "crop.npy"), np.load(tmp_path / "face.npy")
    assert 0.4 < np.mean(crop[:, 0, 0] == -1) < 0.6
    assert set(np.unique(crop[:, 1, 2])) == set(range(-4, 5))
    zoom = np.hypot(face[:, 1, 0], face[:, 1, 1])
    assert 1 / 1.1 - 1e-5 <= zoom.min() < 0.95 < 1.05 < zoom.max() <= 1 / 0.9 + 1e-5
    angle = np.degrees(np.arctan2(np.abs(face[:, 1, 0]), face[:, 1, 1]))
    assert 8 < angle.max() <= 10.001


def test_every_variable_starts_by_rule():
    """Each rule's draws have the spread of TensorFlow's own."""
    method, drawn = exporting.build(dataclasses.replace(config(), width=0.25))
    rows, variables = exporting.describe(method, drawn), exporting.variables_of(method)
    assert {row["role"] for row in rows} == {"weight", "optimizer", "metric"}
    assert len({row["name"] for row in rows}) == len(rows)
    assert {row["start"]["rule"] for row in rows} == {*exporting.RULES, "Constant"}
    for index, (row, variable) in enumerate(zip(rows, variables)):
        ours, theirs = initial.value(row, 3, index), variable.numpy()
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        if theirs.size == 1 or row["start"]["rule"] in ("Zeros", "Ones", "Constant"):
            drawn_one = row["start"]["rule"] not in ("Zeros", "Ones", "Constant")
            assert drawn_one or (ours == theirs).all(), row
        elif theirs.size > 1000:
            assert ours.std() == pytest.approx(theirs.std(), rel=0.1), row
            assert np.abs(ours.mean()) < 0.1 * ours.std()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",  # the drawn faces have no majority vote and no clean training labels
    [
        name
        for name, row in METHODS.items()
        if name != "joint" and not row.column and name not in COUNTING
    ],
)
def test_every_method_can_be_exported(tmp_path, name):
    run = methods.fit_to_data(
        methods.resolve_tasks(config(method=name)), runs.dataset()
    )
    exporting.export(run, runs.dataset(), str(tmp_path))
    content = json.loads((tmp_path / "map.json").read_text())
    updated = content["modules"]["train"]["updated"]
    roles = {content["variables"][index]["role"] for index in updated}
    assert roles == {"weight", "optimizer", "metric"}


def test_a_tensor_from_outside_is_refused(tmp_path):
    method, _ = exporting.build(config(method="vgg_all"))
    outside = tf.zeros([3])
    with pytest.raises(
        UserError, match=r"train can't be exported: .* \(3,\) that is no"
    ):
        exporting.Exporter(method, str(tmp_path)).write(
            "train", lambda parts: {"x": parts + outside}, tf.TensorSpec([3])
        )


def test_names_follow_the_order_of_nest():
    names = exporting.paths(exporting.batch_spec(config()))
    assert names == [
        "image",
        "labels/annotator_1",
        "labels/annotator_2",
        "labels/annotator_3",
        "labels/valence_arousal",
        "mask/annotator_1",
        "mask/annotator_2",
        "mask/annotator_3",
        "mask/valence_arousal",
        "noise/y0_encoder",
        "noise/y0_decoder",
        "noise/dropout",
        "index",
    ]
    assert exporting.paths({"b": 1, "a": {"d": 2, "c": 3}}) == ["a/c", "a/d", "b"]
