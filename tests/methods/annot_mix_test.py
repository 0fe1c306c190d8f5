import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kfer import methods
from kfer.errors import UserError
from kfer.methods import annot_mix, base
from kfer.training import compiling
from tests import runs
from tests.methods import annotated, toys


def made(monkeypatch, features, labels, label_tasks, **options):
    toy = toys.Toy(monkeypatch, "annot_mix", features, labels, label_tasks, **options)
    return toy.method, tf.nest.map_structure(tf.constant, toy.batch)


class TestDraws:
    @pytest.mark.parametrize("alpha", (0.2, 1.0, 4.0))
    def test_shares_have_beta_s_distribution(self, alpha):
        uniform = np.linspace(0.002, 0.998, 4000)
        table = annot_mix.quantiles(alpha)
        share = annot_mix.interpolated(table, tf.constant(uniform, tf.float32))
        wanted = scipy.stats.beta.ppf(uniform, alpha, alpha)
        np.testing.assert_allclose(share, wanted, atol=0.01)

    def test_alpha_0_mixes_nothing(self):
        share = annot_mix.interpolated(annot_mix.quantiles(0.0), tf.constant([0.3]))
        assert share.numpy() == [1.0]

    def test_the_ends(self):
        table = annot_mix.quantiles(1.0)
        found = annot_mix.interpolated(table, tf.constant([0.0, 0.9999999]))
        np.testing.assert_allclose(found, [0.0, 1.0], atol=1e-6)


class TestMixing:
    def test_classes_by_hand(self):
        """Two pictures, two annotators, two classes; the second said nothing of b."""
        labels = tf.constant([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
        mask = tf.constant([[1.0, 1.0], [1.0, 0.0]])
        share = tf.constant([0.75, 0.5])
        # picture 0 meets the partner's next label set, picture 1 the same one
        turn = tf.constant([0.6, 0.4])
        label, weight, who = annot_mix._mixed_classes(labels, mask, share, turn)
        # 0: set a meets b of picture 1, which is missing; set b meets its a
        # 1: set a meets a of picture 0; set b is missing here and meets b alone
        np.testing.assert_allclose(weight, [[0.75, 1.0], [1.0, 0.5]])
        np.testing.assert_allclose(label[0], [[1.0, 0.0], [0.0, 1.0]])
        np.testing.assert_allclose(label[1], [[0.5, 0.5], [0.0, 1.0]])
        np.testing.assert_allclose(who[0], [[1.0, 0.0], [0.25, 0.75]])
        np.testing.assert_allclose(who[1], [[1.0, 0.0], [0.0, 1.0]])

    def test_values_by_hand(self):
        values, mask = tf.constant([[2.0], [4.0]]), tf.constant([1.0, 0.0])
        found, weight = annot_mix._mixed_values(values, mask, tf.constant([0.25, 0.5]))
        np.testing.assert_allclose(found, [[2.0], [2.0]])
        np.testing.assert_allclose(weight, [0.25, 0.5])

    def test_pictures_and_labels_at_one_share(self, monkeypatch):
        features, truth = toys.clusters(6)
        method, batch = made(
            monkeypatch, features, {"annotator_1": truth}, toys.class_tasks(1)
        )
        normal = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
        noise = batch.noise._replace(y0_encoder=tf.constant(normal))
        mixed, _ = method.mixed(batch._replace(noise=noise))
        plain = batch.image[:, 0, :8, 0].numpy()
        for row in range(6):
            seen, other = mixed.image[row, 0, :8, 0].numpy(), plain[row - 1]
            gap = plain[row] - other
            share = (seen - other) @ gap / (gap @ gap)
            np.testing.assert_allclose(
                seen, share * plain[row] + (1 - share) * other, atol=1e-5
            )
            wanted = (
                share * np.eye(4)[truth[row]] + (1 - share) * np.eye(4)[truth[row - 1]]
            )
            np.testing.assert_allclose(
                mixed.labels["annotator_1"][row], wanted, atol=1e-5
            )


def test_the_loss_is_cross_entropy_through_the_matrices(monkeypatch):
    """Against NumPy, without mixing: -log sum_i p_i T(x, a)[i, y]."""
    features, labels, _ = annotated.problem()
    labels = {name: given[:12] for name, given in labels.items()}
    method, batch = made(
        monkeypatch, features[:12], labels, toys.class_tasks(3), mix_alpha=0.0
    )
    loss = float(method.training_loss(batch))
    hidden = method.encoder.features(batch.image, None)
    who = tf.tile(tf.eye(3)[None], [12, 1, 1])
    matrices = np.exp(method.confusions["class"](hidden, who))
    p = tf.nn.softmax(method.encoder(batch.image).labels["class"]).numpy()
    wanted = 0.0
    for place, given in enumerate(labels.values()):
        known = given >= 0
        said = np.einsum("bi,bij->bj", p, matrices[:, place])
        wanted -= np.mean(np.log(said[known, given[known]]))
    assert loss == pytest.approx(wanted, rel=1e-4)


def test_the_matrices_send_no_gradient_into_the_features(monkeypatch):
    """With a head that is sure of nothing all gradient of features is the head's."""
    features, labels, _ = annotated.problem()
    labels = {name: given[:12] for name, given in labels.items()}
    monkeypatch.setattr(toys.StubEncoder, "units", 4)
    method, batch = made(monkeypatch, features[:12], labels, toys.class_tasks(3))
    heads = [v for head in method.encoder.heads for v in head.variables]
    for variable in heads:
        variable.assign(tf.zeros_like(variable))
    hidden = method.encoder.hidden.trainable_variables
    own = [v for n in method.confusions.values() for v in n.trainable_variables]
    with tf.GradientTape() as tape:
        loss = method.training_loss(batch)
    found = tape.gradient(loss, [*hidden, *own])
    assert all(not np.any(g) for g in found[: len(hidden)])
    assert all(np.any(g) for g in found[len(hidden) :])


@pytest.mark.slow
def test_learns_through_annotators_noise(monkeypatch):
    """Not from every start: docs/guide/methods.md has three seeds."""
    features, labels, _ = annotated.problem()
    sets = toys.class_tasks(3)
    toy = toys.Toy(monkeypatch, "annot_mix", features, labels, sets, rate=0.005)
    noise = toy.batch.noise
    drawn = np.random.default_rng(0).normal(size=noise.y0_encoder.shape)
    noise = noise._replace(y0_encoder=drawn.astype(np.float32))
    toy.batch = toy.batch._replace(noise=noise)
    toy.train(200)
    found = toy.accuracy(*toys.clusters(1000, seed=3))
    print(f"accuracy {found:.3f}")
    assert found > 0.9


def test_mixup_besides_is_refused(tiny_config, monkeypatch):
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    message = "'annot_mix' mixes pictures in its own way; leave mixup out"
    with pytest.raises(UserError, match=message):
        methods.build(tiny_config(method="annot_mix", mixup=0.2))


def test_the_matrices_networks_have_a_rate_of_their_own(tiny_config, make_batch):
    """A hundredth of the rate is a hundredth of SGD's step; the encoder's is the same."""
    found = {}
    for factor in (1.0, 0.01):
        config = tiny_config(
            method="annot_mix",
            optimizer="sgd",
            learning_rate=0.1,
            bias_rate=64.0,
            confusion_rate=factor,
        )
        tf.keras.utils.set_random_seed(0)
        method = compiling.compiled(methods.resolve_tasks(config))
        own = method.confusion_variables
        before = [v.numpy() for v in own]
        batch = tf.nest.map_structure(tf.constant, make_batch(config, 8, 0))
        method.train_step(batch)
        moved = [v.numpy() - old for v, old in zip(own, before, strict=True)]
        found[factor] = moved, [v.numpy() for v in method.encoder.variables]
    for one, other in zip(found[1.0][0], found[0.01][0], strict=True):
        assert np.abs(one).max() > 1e-4
        np.testing.assert_allclose(other, 0.01 * one, rtol=0.01, atol=5e-7)
    for one, other in zip(found[1.0][1], found[0.01][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_methods_have_no_such_rate():
    # so their runs go on that began before there was the option
    for name, rate in (("annot_mix", 0.01), ("ltnet", 1.0), ("joint", 1.0)):
        config = runs.config(method=name, optimization="fast")
        assert config.optimization.confusion_rate == rate
