"""Values of annotators who are each off, fitted with the network."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods, tasks
from kfer.crowd import values as values_lib
from kfer.crowd.triples import Triples, Values
from kfer.errors import UserError
from kfer.methods import base
from kfer.training.checkpoints import Checkpoints
from kfer.training.optimizers import Adam
from tests.methods import toys
from tests.methods.replicas import RATE, assert_equal_steps, even, runner_pair, uneven

SIZE, TRAINED = 400, 150
# One is off and overdoes it, one is noisy, one good.
BIAS = np.array([[0.25, -0.2], [0.0, 0.0], [0.0, 0.0]])
SCALE = np.array([1.3, 1.0, 0.9])
SPREAD = np.array([0.05, 0.45, 0.1])


def problem(seed=0, size=SIZE, people=3):
    """Features, values by label set, and their truth, linear in the features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(size, 8)).astype(np.float32)
    weights = np.random.default_rng(99).normal(size=(8, 2)) * 0.12
    truth = np.clip(features @ weights + 0.1 * rng.normal(size=(size, 2)), -0.7, 0.7)
    found = {}
    for a in range(people):
        noise = SPREAD[a] * rng.normal(size=truth.shape)
        found[f"values_{a + 1}"] = BIAS[a] + SCALE[a] * truth + noise
    return features, found, truth


def values_of(labels):
    """As kfer.data.annotations gives them."""
    stack = np.stack([*labels.values()])
    return [Values.of_sets(stack[:, :, d]) for d in (0, 1)]


def started(monkeypatch, seed=0, label_sets=3, **options):
    features, labels, truth = problem(seed)
    label_tasks = toys.value_tasks(label_sets)
    toy = toys.Toy(monkeypatch, "kfer", features, labels, label_tasks, **options)
    if toy.method.said_tasks:
        toy.method.begin({"valence_arousal": values_of(labels)})
    return toy, labels, truth


def targets(toy):
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    return toy.method.softened(batch).labels["values_1"].numpy()


def test_targets_before_training_are_the_crowd_s_consensus(monkeypatch):
    toy, labels, _ = started(monkeypatch)
    assert [task.name for task in toy.method.head_tasks] == ["valence_arousal"]
    found = targets(toy)
    for d, one in enumerate(values_of(labels)):
        wanted = values_lib.fit_held_out(one).mean
        np.testing.assert_allclose(found[:, d], np.clip(wanted, -1, 1), atol=1e-4)


def test_annotators_and_truth_are_found(monkeypatch):
    toy, labels, truth = started(monkeypatch, em_start_epoch=20)
    before = targets(toy)
    toy.train(TRAINED)
    after = targets(toy)
    errors = [np.sqrt(np.mean((found - truth) ** 2)) for found in (before, after)]
    mean = np.sqrt(np.mean((np.mean([*labels.values()], axis=0) - truth) ** 2))
    assert errors[1] < errors[0] < 0.6 * mean
    found = toy.method.value_annotators()["valence_arousal"]
    np.testing.assert_allclose(found.variance, np.tile(SPREAD, (2, 1)).T, atol=0.06)
    # The crowd's mean bias and scale can't be told from the truth.
    np.testing.assert_allclose(
        found.bias - found.bias.mean(0), BIAS - BIAS.mean(0), atol=0.05
    )
    np.testing.assert_allclose(found.scale[:, 0], SCALE / SCALE.mean(), atol=0.12)


@pytest.mark.slow
def test_it_beats_the_mean_by_every_seed(monkeypatch):
    features, _, truth = problem(seed=77)
    gains = []
    for seed in range(5):
        errors = []
        for how in ("gaussian", "mean"):
            toy, _, _ = started(monkeypatch, seed, em_start_epoch=20, em_values=how)
            toy.train(TRAINED)
            off = toy.answers(features)["valence_arousal"] - truth
            errors.append(np.sqrt(np.mean((off - off.mean(0)) ** 2)))
        gains.append(errors[1] - errors[0])
    assert min(gains) > 0.0, gains


def test_a_missing_value_is_masked(monkeypatch):
    toy, labels, _ = started(monkeypatch)
    whole = targets(toy)
    mask = {name: part.copy() for name, part in toy.batch.mask.items()}
    mask["values_2"][:5] = 0.0
    for part in mask.values():
        part[5:8] = 0.0
    toy.batch = toy.batch._replace(mask=mask)
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    found = toy.method.softened(batch)
    for name in labels:
        wanted = np.ones(SIZE)
        wanted[5:8] = 0.0
        np.testing.assert_array_equal(found.mask[name], wanted)
    moved = np.abs(found.labels["values_1"].numpy() - whole).max(axis=1)
    assert (moved[:5] > 0).all() and (moved[8:] == 0).all()


def test_without_two_values_of_a_picture_they_are_learned_as_they_are(monkeypatch):
    features, labels, _ = problem()
    alone = {name: np.full_like(value, np.nan) for name, value in labels.items()}
    for row in range(SIZE):
        name = f"values_{row % 3 + 1}"
        alone[name][row] = labels[name][row]
    toy = toys.Toy(monkeypatch, "kfer", features, labels, toys.value_tasks(3))
    toy.method.begin({"valence_arousal": values_of(alone)})
    toy.train(3)
    np.testing.assert_array_equal(targets(toy), labels["values_1"].astype(np.float32))
    for name, value in held(toy.method).items():
        assert np.isfinite(value).all(), name


def test_one_label_set_has_nothing_to_compare(monkeypatch):
    toy, _, _ = started(monkeypatch, label_sets=1)
    assert toy.method.config.options.num_value_annotators == ()
    assert not toy.method.value_truths and not toy.method.said_tasks
    assert not hasattr(toy.method, "values")
    old, _, _ = started(monkeypatch, em_values="mean")
    assert [t.name for t in old.method.head_tasks] == [*problem()[1]]


def test_a_restored_run_goes_on_with_the_same_bits(monkeypatch, tmp_path):
    toy, _, _ = started(monkeypatch, em_start_epoch=1)
    toy.train(3)
    saved = Checkpoints(toy.method, str(tmp_path))
    saved.save(3)
    expected = toy.train(2), targets(toy)
    other, _, _ = started(monkeypatch, seed=1, em_start_epoch=1)
    other.batch = toy.batch
    assert Checkpoints(other.method, str(tmp_path)).restore() == 3
    assert other.train(2) == expected[0]
    np.testing.assert_array_equal(targets(other), expected[1])


def held(method):
    return method.value_truths["valence_arousal"].variables


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_replicas_agree(tiny_config, two_replicas, make_batch, monkeypatch, loss):
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    rows = tuple(dataclasses.replace(t, loss=loss) for t in toys.value_tasks(3))
    options = toys.REPLICA_OPTIONS["kfer"] | {"num_value_annotators": [1, 1, 1]}
    run = tiny_config(
        method="kfer",
        tasks=(*tasks.annotator_tasks(2, ("a", "b", "c"), "class"), *rows),
        learning_rate=RATE,
        dropout_rate=0.3,
        **options,
    )
    pair = runner_pair(methods.resolve_tasks(run), two_replicas)
    assert isinstance(pair[0].method.generator_optimizer, Adam)
    pair[0].method.begin(
        {
            "valence_arousal": values_of(problem(size=8)[1]),
            "class": Triples.of_sets(
                np.random.default_rng(0).integers(0, 3, (2, 30)), 3
            ),
        }
    )
    assert_equal_steps(pair, make_batch, [even(8), uneven(8)])


def test_what_can_not_be(tiny_config):
    with pytest.raises(UserError, match="num_value_annotators has 3 entries for 1"):
        methods.build(tiny_config(method="em", num_value_annotators=[1, 1, 1]))
    with pytest.raises(UserError, match="em_values 'median' is none of gaussian, mean"):
        tiny_config(method="em", em_values="median")


def test_power_0_leaves_the_crowd_alone(monkeypatch):
    toy, _, _ = started(monkeypatch, em_power=0.0, em_start_epoch=0)
    for part in toy.batch.mask.values():
        part[5:8] = 0.0  # pictures without a value
    before = targets(toy)
    toy.train(3)
    assert np.isfinite(targets(toy)).all()
    np.testing.assert_allclose(targets(toy)[8:], before[8:], atol=0.05)
    for name, value in held(toy.method).items():
        assert np.isfinite(value).all(), name
