import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.noise import transition
from kfer.settings import options
from kfer.structures import EncoderOutput
from tests.methods import overfit, toys


@pytest.fixture
def toy(monkeypatch):
    features, truth = toys.clusters(400, spread=0.6)
    matrix = transition.symmetric(4, 0.4)
    given = transition.sample(truth, matrix, np.random.default_rng(2))
    toy = toys.Toy(
        monkeypatch,
        "co_teaching",
        features,
        {"annotator_1": given},
        toys.class_tasks(1),
        forget_rate=0.4,
        ramp_epochs=10,
        dropout_rate=0.0,
    )
    toy.right = given == truth
    return toy


def test_what_is_chosen_is_cleaner_than_chance(toy):
    """By 25 points at least: 60 % of all labels are right."""
    toy.train(60)
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    for encoder in toy.method.encoders:
        chosen = toy.method.chosen(batch, encoder(batch.image)).numpy() > 0
        assert np.sum(chosen) == 240
        purity = np.mean(toy.right[chosen])
        print(f"right: {purity:.3f} of the chosen, {np.mean(toy.right):.3f} of all")
        assert purity > np.mean(toy.right) + 0.25


def test_the_share_falls_from_epoch_to_epoch(toy):
    # an epoch is a step here
    shares = [toy.train(1)["chosen"] for _ in range(12)]
    expected = [1.0 - 0.04 * epoch for epoch in range(10)] + [0.6, 0.6]
    assert shares == pytest.approx(expected, abs=1e-6)


def test_each_network_learns_what_the_other_chose(toy):
    """Losses by hand from both networks' outputs."""
    method, batch = toy.method, tf.nest.map_structure(tf.constant, toy.batch)
    method.generator_optimizer.iterations.assign(20)  # past the ramp
    outputs = [
        encoder(batch.image).labels["annotator_1"] for encoder in method.encoders
    ]
    costs = []
    for logits in outputs:
        log_p = tf.nn.log_softmax(logits).numpy()
        costs.append(-log_p[np.arange(400), toy.batch.labels["annotator_1"]])
    smallest = [np.argsort(cost)[:240] for cost in costs]
    assert set(smallest[0]) != set(smallest[1])
    expected = [costs[0][smallest[1]].mean(), costs[1][smallest[0]].mean()]
    logs = toy.train(1)
    assert logs["peer_loss"] == pytest.approx(expected[1], rel=1e-3)
    assert logs["loss"] == pytest.approx(sum(expected), rel=1e-3)
    assert logs["annotator_1/cross_entropy"] == pytest.approx(costs[0].mean(), rel=1e-3)


def test_the_networks_start_apart_and_the_first_one_answers(toy):
    method = toy.method
    features = tf.constant(toys.as_images(toys.clusters(5)[0]))
    first, second = (
        tf.nn.softmax(encoder(features).labels["annotator_1"])
        for encoder in method.encoders
    )
    assert not np.allclose(first, second)
    np.testing.assert_allclose(method.answers(features)["class"], first, rtol=1e-6)


def test_beats_cross_entropy_where_labels_are_learned_by_heart(monkeypatch):
    plain, _ = overfit.of_cross_entropy()
    found, _ = overfit.clean_accuracy(
        monkeypatch, "co_teaching", forget_rate=0.4, ramp_epochs=20
    )
    print(f"clean accuracy {found:.3f}, cross entropy's {plain:.3f}")
    assert found > plain + 0.2


def test_an_example_s_loss_is_the_mean_over_the_labels_it_has(monkeypatch):
    first, second = np.zeros(4, int), np.array([0, 0, -1, 0])
    toy = toys.Toy(
        monkeypatch,
        "co_teaching",
        toys.clusters(4)[0],
        {"annotator_1": first, "annotator_2": second},
        toys.class_tasks(2),
        forget_rate=0.5,
    )
    toy.method.generator_optimizer.iterations.assign(10)  # past the ramp: 2 of 4
    right = {"annotator_1": [0.9, 0.5, 0.4, 0.8], "annotator_2": [0.2, 0.6, 0.1, 0.7]}
    logits = {
        name: tf.math.log([[p, 1 - p - 2e-3, 1e-3, 1e-3] for p in values])
        for name, values in right.items()
    }
    # means of -log p: 0.857, 0.602, 0.916 (one label), 0.290; the sums rank the third
    # example before the second
    output = EncoderOutput(mean=None, logvar=None, labels=logits)
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    assert toy.method.chosen(batch, output).numpy().tolist() == [0, 1, 0, 1]


def test_the_size_of_the_split_must_be_known(toy):
    unknown = options.make("co_teaching")
    toy.method.config = dataclasses.replace(toy.method.config, options=unknown)
    with pytest.raises(UserError, match="co_teaching needs num_examples"):
        toy.method.share()


def test_a_mixed_picture_is_chosen_whole_or_not(monkeypatch):
    """Its mask is a weight, which must not count twice."""
    toy = toys.Toy(
        monkeypatch,
        "co_teaching",
        toys.clusters(4)[0],
        {"annotator_1": np.zeros(4, int)},
        toys.class_tasks(1),
        forget_rate=0.0,
    )
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    weights = tf.constant([0.25, 1.0, 0.0, 0.75])
    batch = batch._replace(mask={"annotator_1": weights})
    output = EncoderOutput(None, None, {"annotator_1": tf.zeros([4, 4])})
    assert toy.method.chosen(batch, output).numpy().tolist() == [1, 1, 0, 1]
