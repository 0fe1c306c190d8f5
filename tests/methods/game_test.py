"""The game's faults (docs/design/game.md): seen under the old options, not the new."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import adversarial
from kfer.methods.joint_distribution import JointDistribution
from kfer.noise import transition
from kfer.structures import EncoderOutput, Noise, Scores
from tests.methods import annotated, toys
from tests.methods.joint_em_test import OPTIONS, started

SIZE = 64
# Without G_X and with a projection D has no convolutions: steps of milliseconds.
SMALL = {"discriminator_steps": 1, "gan_start_epoch": -1, "joint_score": "projection"}


def area(high, low):
    """The chance that one of `high` is above one of `low`, ties half."""
    apart = np.asarray(high)[:, None] - np.asarray(low)[None]
    return np.mean(apart > 0) + np.mean(apart == 0) / 2


def with_noise(toy, seed=0):
    """The toy's batch as tensors, its y0 drawn."""
    batch = toy.batch
    shape = (2, len(batch.image), toy.method.config.noise_size)
    drawn = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    noise = Noise(*drawn, dropout=batch.noise.dropout)
    return tf.nest.map_structure(tf.constant, batch._replace(noise=noise))


@functools.cache
def game(size=SIZE, rate=0.3, warmup=0, steps=60, **options):
    """A toy of two annotators whose D alone has trained, and its batch and truth."""
    features, truth = toys.clusters(size)
    rng = np.random.default_rng(3)
    labels = {
        f"annotator_{i}": transition.sample(truth, transition.symmetric(4, rate), rng)
        for i in (1, 2)
    }
    settings = {**SMALL, **options}
    sets = toys.class_tasks(2)
    with pytest.MonkeyPatch.context() as patch:
        toy = toys.Toy(patch, "without_gx", features, labels, sets, **settings)
    method, batch = toy.method, with_noise(toy)
    for head in method.encoder.heads:  # each cloud is taken for another class
        head.kernel.assign(tf.roll(head.kernel, 1, axis=1))
    if warmup:
        method.set_phase(True)
        toy.train(warmup)
        method.set_phase(False)

    @tf.function(autograph=False)
    def discriminator_step():
        method._discriminator_steps(method.forward(batch)[1], batch)

    for _ in range(steps):
        discriminator_step()
    return toy, batch, truth


class TestFinding1:
    """D told soft predictions from one-hot labels and needed nothing else."""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "choice, low, high", [("probabilities", 0.85, 1.0), ("samples", 0.4, 0.6)]
    )
    def test_label_streams(self, choice, low, high):
        toy, batch, _ = game(
            512, warmup=150, steps=150, discriminator_label_input=choice
        )
        encoder, decoder = toy.method.score(toy.method.forward(batch)[1])
        for name in ("annotator_1", "annotator_2"):
            sides = encoder.by_stream[name], decoder.by_stream[name]
            assert low <= area(*sides) <= high


class TestFinding2:
    """S_joint did not see whether labels fit a picture."""

    @pytest.mark.parametrize(
        "choice, sees",
        [pytest.param("mlp", False, marks=pytest.mark.slow), ("projection", True)],
    )
    def test_matched_from_shuffled(self, choice, sees):
        toy, batch, truth = game(
            joint_score=choice, discriminator_label_input="samples"
        )
        method = toy.method
        _, own = method.forward(batch)[1]
        order = np.random.default_rng(0).permutation(len(truth))
        labels = {name: tf.gather(part, order) for name, part in own.labels.items()}
        scores = method.score((own, own._replace(labels=labels)))
        matched, shuffled = (part.by_stream["joint"].numpy() for part in scores)
        kept = truth != truth[order]
        found = area(shuffled[kept], matched)
        assert found >= 0.8 if sees else found < 0.7

    def test_others_labels_teach_what_fits(self):
        """Where predictions are the labels given, both groups' pushes cancel."""
        toy, batch, _ = game(48, steps=0)
        fit = toy.method.discriminator.label_fit
        kernels = [layer.kernel for layer in fit.maps.values()]
        _, given = toy.method.forward(batch)[1]
        with tf.GradientTape() as tape:
            loss = toy.method.discriminator_loss((given, given), batch)
        for kernel, gradient in zip(kernels, tape.gradient(loss, kernels)):
            kernel.assign_sub(gradient)
        others = {name: tf.roll(part, 1, axis=0) for name, part in given.labels.items()}
        own, wrong = (fit(given.features, part) for part in (given.labels, others))
        assert area(wrong, own) >= 0.7  # 0.5 without pairs of other labels

    def test_gradient_of_a_wrong_prediction(self):
        """On so small a problem the perceptron's points there too, less so."""
        toy, batch, truth = game(
            joint_score="projection", discriminator_label_input="samples"
        )
        method = toy.method
        with tf.GradientTape() as tape:
            output, groups = method.forward(batch)
            scores = method.score(groups)[0].by_stream["joint"]
            gan = tf.reduce_mean(adversarial.generator_encoder(scores, 1.0))
        logits = output.labels["annotator_1"]
        found = tape.gradient(gan, logits).numpy()
        clean = tf.nn.softmax(logits).numpy() - np.eye(4)[truth]
        wrong = logits.numpy().argmax(1) != truth
        assert wrong.sum() >= SIZE / 4
        cosines = np.sum(found * clean, 1) / (
            np.linalg.norm(found, axis=1) * np.linalg.norm(clean, axis=1)
        )
        assert np.mean(cosines[wrong]) > 0.0


class TestFinding3:
    """A perfect encoder's predictions had another distribution than noisy labels."""

    @pytest.mark.parametrize("through", (False, True))
    def test_distribution_of_a_perfect_encoder(self, monkeypatch, through):
        options = {**OPTIONS, "labels_through_annotators": through}
        toy = started(monkeypatch, **options)
        _, truth = toys.clusters(annotated.SIZE)
        perfect = tf.constant(30.0 * np.eye(4)[truth], tf.float32)
        output = EncoderOutput(None, None, {"class": perfect})
        seen = toy.method._predicted_inputs(with_noise(toy), output)
        _, labels, _ = annotated.problem()
        for name, said in labels.items():
            given = said >= 0
            drawn = seen[name].numpy().argmax(1)[given]
            errors = [
                np.mean(drawn[truth[given] == k] == j)
                - np.mean(said[given][truth[given] == k] == j)
                for k in range(4)
                for j in range(4)
            ]
            assert np.max(np.abs(errors)) < 0.1 if through else np.max(errors) > 0.15


class TestFinding4:
    """A mean over the scores that are left gives S_joint another weight by ablation.

    lambda is 0.8 on CIFAR-10. One label set with all of its scores is x, y0, the
    label's and the joint one: 0.8 / 4. Without marginals the joint score is alone.
    """

    @pytest.mark.parametrize(
        "count, marginals, weight",
        [
            (False, True, 0.2),
            (False, False, 0.8),
            (True, True, 0.2),
            (True, False, 0.2),
        ],
    )
    def test_weight_of_s_joint(self, tiny_config, make_batch, count, marginals, weight):
        tasks = tiny_config().tasks[:1]
        run = tiny_config(tasks=tasks, lambda_gan=0.8, count_removed_scores=count)
        method = JointDistribution(run, use_marginals=marginals)
        batch = tf.nest.map_structure(tf.constant, make_batch(run))
        joint = tf.Variable(tf.zeros([8]))
        with tf.GradientTape() as tape:
            names = method.discriminator.streams
            scores = {name: tf.zeros([8]) for name in names}
            scores["joint"] = tf.identity(joint)
            loss = run.lambda_gan * method.reduce_scores(
                Scores(scores), batch, adversarial.generator_encoder
            )
        found = tf.reduce_sum(tape.gradient(loss, joint))
        assert float(found) == pytest.approx(weight)


class TestFinding7:
    """The game's label loss learned the given labels by heart."""

    def test_targets_are_right_more_often_than_labels(self, monkeypatch):
        toy = started(monkeypatch, **OPTIONS)
        _, truth = toys.clusters(annotated.SIZE)
        batch = tf.nest.map_structure(tf.constant, toy.batch)
        q = toy.method.softened(batch).labels["annotator_2"].numpy()
        given = np.mean(toy.batch.labels["annotator_2"] == truth)
        assert np.mean(q.argmax(1) == truth) > given + 0.08
        # joint's targets are the labels themselves
        plain, own, _ = game(steps=0)
        assert plain.method.softened(own).labels is own.labels

    def test_the_loss_pulls_towards_the_targets(self, monkeypatch):
        toy = started(monkeypatch, **OPTIONS)
        batch = tf.nest.map_structure(tf.constant, toy.batch)
        q = toy.method.softened(batch).labels["annotator_1"].numpy()
        logits = tf.zeros([annotated.SIZE, 4])
        with tf.GradientTape() as tape:
            tape.watch(logits)
            output = EncoderOutput(None, None, {"class": logits})
            loss = toy.method.label_loss(batch, output)
        pulled = -tape.gradient(loss, logits).numpy()
        assert (pulled.argmax(1) == q.argmax(1)).all()
        # Where a plain cross entropy of the three labels would pull.
        _, labels, _ = annotated.problem()
        said = [np.eye(4)[given] * (given >= 0)[:, None] for given in labels.values()]
        plain = sum(part / part.sum() for part in said)
        _, truth = toys.clusters(annotated.SIZE)
        right = [np.mean(targets.argmax(1) == truth) for targets in (pulled, plain)]
        assert right[0] > right[1] + 0.02


def test_lambda_counts_what_the_game_sends_through_y0(monkeypatch):
    """By the labels' gradients alone it went to its end, and y0's wrecked the net."""
    toy, batch, _ = game(steps=1, lambda_ratio=0.3)
    seen = []
    monkeypatch.setattr(
        toy.method.game_weight, "ratio", lambda *parts: seen.append(parts) or 1.0
    )
    toy.method.train_step(batch)
    label, gan = seen[0]
    heads = len(toy.method.config.tasks)
    assert len(label) == len(gan) == heads + 2
    assert label[heads:] == [None, None]
    assert all(float(tf.norm(part)) > 0.0 for part in (*gan, *label[:heads]))
