"""Every row of METHODS as Keras has models; most on a stub encoder."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer.crowd.triples import Triples, Values
from kfer.errors import UserError
from kfer.methods import METHODS, base, batches
from kfer.training.optimizers import Adam
from tests.methods import toys
from tests.methods.toys import IMAGES, RATE, labels_of

# One of each kind; the others are the same code under another loss.
QUICK = ("kfer", "vgg_all", "co_teaching", "ltnet", "elr")
NAMES = (*METHODS, *toys.COMPOSED)
ALL = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in NAMES]


def encoder_values(method):
    return [v.numpy() for v in method.encoder.trainable_variables]


@pytest.mark.parametrize("name", ALL)
def test_fit_evaluate_predict_save_clone(stub, tmp_path, name):
    method = stub(name)
    method.compile("adam")
    labels = labels_of(method.config)
    start = encoder_values(method)
    history = method.fit(
        IMAGES,
        labels,
        epochs=2,
        verbose=0,
        validation_data=(IMAGES[:6], labels_of(method.config, 6)),
    ).history
    assert len(history["loss"]) == 2 and np.isfinite(history["loss"]).all()
    assert np.isfinite(history["val_loss"]).all()
    moved = [np.any(a != b) for a, b in zip(start, encoder_values(method))]
    assert any(moved)

    scores = method.evaluate(IMAGES, labels, return_dict=True, verbose=0)
    assert set(scores) == {*base.Method.metric_names(method)}
    answers = method.predict(IMAGES, batch_size=3, verbose=0)
    expected = method.answers(batches.images(method.config, IMAGES))
    for target, value in expected.items():
        np.testing.assert_allclose(answers[target], value, rtol=1e-5, atol=1e-6)
    assert answers["class"].sum(1) == pytest.approx(np.ones(8), rel=1e-5)

    path = str(tmp_path / "m.keras")
    method.save(path)
    again = keras.saving.load_model(path)
    assert type(again) is type(method) and again.config == method.config
    for target, value in again.predict(IMAGES, verbose=0).items():
        np.testing.assert_allclose(value, answers[target], rtol=1e-5, atol=1e-6)
    again.compile(optimizer=Adam(RATE))
    start = encoder_values(again)
    data = batches.training(again.config, IMAGES, labels, 8)
    history = again.fit(data, verbose=0, validation_data=data).history
    assert np.isfinite([*history["loss"], *history["val_loss"]]).all()
    assert any(np.any(a != b) for a, b in zip(start, encoder_values(again)))

    assert set(method.get_config()) == {"config", *method.OPTIONS}
    twin = keras.models.clone_model(method)
    assert [v.shape for v in twin.weights] == [v.shape for v in method.weights]
    twin.set_weights(method.get_weights())
    for target, value in twin.predict(IMAGES, verbose=0).items():
        np.testing.assert_allclose(value, answers[target], rtol=1e-5, atol=1e-6)


class TestCompile:
    def test_a_name_takes_the_config_s_rate(self, stub):
        for arguments in ({"generator_optimizer": "adam"}, {"optimizer": "adam"}, {}):
            method = stub()
            method.compile(**arguments)
            assert isinstance(method.optimizer, keras.optimizers.Adam)
            assert float(method.optimizer.learning_rate) == pytest.approx(RATE)
            assert method.discriminator_optimizer is None
        method.compile({"class_name": "SGD", "config": {"learning_rate": 0.5}})
        assert isinstance(method.optimizer, keras.optimizers.SGD)
        assert float(method.optimizer.learning_rate) == 0.5

    def test_an_optimizer_is_taken_as_it_is(self, stub):
        method, own = stub(), Adam(0.25)
        method.compile(optimizer=own)
        assert method.optimizer is own and method.generator_optimizer is own

    def test_a_discriminator_gets_a_twin(self, joint):
        before = joint.generator_optimizer, joint.discriminator_optimizer
        joint.compile(Adam(0.25, 0.3))
        twin = joint.discriminator_optimizer
        assert type(twin) is Adam and twin is not joint.generator_optimizer
        assert (float(twin.learning_rate), twin.beta_1) == (0.25, 0.3)
        joint.compile(*before)

    @pytest.mark.parametrize(
        "arguments, text",
        [
            ({"generator_optimizer": "adam", "optimizer": "adam"}, "give one of them"),
            (
                {"optimizer": keras.optimizers.legacy.Adam()},
                "keras.optimizers or a name",
            ),
            ({"decoder_optimizer": "adam"}, "'vgg_all' has no decoder; leave"),
            ({"loss": "mse"}, "A method has its own loss; leave it out"),
            ({"metrics": ["mse"]}, "A method has its own metrics; leave it out"),
        ],
    )
    def test_what_has_no_meaning(self, stub, arguments, text):
        with pytest.raises(UserError, match=text):
            stub().compile(**arguments)


class TestSchedules:
    def step_of(self, stub, callback, **arguments):
        """How far two epochs of SGD move the encoder."""
        method = stub()
        method.compile(keras.optimizers.SGD(RATE))
        start = encoder_values(method)
        labels = labels_of(method.config)
        method.fit(IMAGES, labels, epochs=2, verbose=0, callbacks=callback, **arguments)
        ends = encoder_values(method)
        return sum(np.abs(a - b).sum() for a, b in zip(start, ends)), method

    def test_a_scheduler_acts(self, stub):
        plain, _ = self.step_of(stub, None)
        still, method = self.step_of(
            stub, keras.callbacks.LearningRateScheduler(lambda _: 0.0)
        )
        assert plain > 0 and still == 0
        assert float(method.optimizer.learning_rate) == 0

    def test_a_plateau_acts_on_our_adam(self, stub):
        method = stub()
        method.compile(Adam(RATE))
        labels = labels_of(method.config)
        plateau = keras.callbacks.ReduceLROnPlateau(
            "loss", 0.5, patience=1, min_delta=1e9
        )
        method.fit(IMAGES, labels, epochs=3, verbose=0, callbacks=[plateau])
        # the first epoch is the best, and each of the two others halves
        assert float(method.optimizer.learning_rate) == pytest.approx(RATE / 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_schedules_act_on_every_method(stub, name):
    """A rate of zero moves nothing; a plateau halves what is left of it."""
    method = stub(name)
    method.compile(keras.optimizers.SGD(RATE))
    labels = labels_of(method.config)
    start = encoder_values(method)
    still = keras.callbacks.LearningRateScheduler(lambda _: 0.0)
    method.fit(IMAGES, labels, verbose=0, callbacks=[still])
    for before, after in zip(start, encoder_values(method), strict=True):
        np.testing.assert_array_equal(before, after)
    method.optimizer.learning_rate = RATE
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=1e9)
    method.fit(IMAGES, labels, epochs=2, verbose=0, callbacks=[plateau])
    assert float(method.optimizer.learning_rate) == pytest.approx(RATE / 2)
    assert any(np.any(a != b) for a, b in zip(start, encoder_values(method)))


def test_evaluate_weighs_labels_alike(stub):
    """Batches of 3, 3 and 2, of which the last has one label."""
    method = stub()
    method.compile()
    run = method.config
    labels = {"annotator_1": np.array([0, 1, 2, 0, 1, 2, 0, -1])}
    logits = method(batches.images(run, IMAGES)).labels["annotator_1"].numpy()[:7]
    hits = logits.argmax(1) == labels["annotator_1"][:7]
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    losses = -np.log(chances[np.arange(7), labels["annotator_1"][:7]])
    found = method.evaluate(IMAGES, labels, batch_size=3, return_dict=True, verbose=0)
    assert found["annotator_1/accuracy"] == pytest.approx(hits.mean(), rel=1e-5)
    assert found["annotator_1/cross_entropy"] == pytest.approx(losses.mean(), rel=1e-4)
    assert found["annotator_2/accuracy"] == 0


def test_warm_up_comes_first_under_a_bare_fit(stub):
    class Phases(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.found = []

        def on_train_batch_begin(self, batch, logs=None):
            self.found.append(self.model.warmup)

    class Warm(type(stub())):
        has_warmup = True

    expected = {-1: [False] * 3, 0: [True, False, False], 1: [True, True, False]}
    for start, warm in expected.items():
        method = Warm(stub(gan_start_epoch=start).config)
        method.compile()
        phases, labels = Phases(), labels_of(method.config)
        method.fit(IMAGES, labels, epochs=3, verbose=0, callbacks=phases)
        assert phases.found == warm


@pytest.mark.parametrize("name", ("dawid_skene", "em"))
def test_a_bare_fit_starts_from_what_annotators_said(stub, name):
    method, twin = stub(name), stub(name)
    labels = labels_of(method.config)
    sets = np.stack([labels[f"annotator_{i}"] for i in (1, 2)])
    said = {
        "class": Triples.of_sets(sets, 3),
        "pain": [Values.of_sets(np.ones((2, 1)))],
    }
    twin.begin(said)
    method.compile()
    assert not method.saw_labels and twin.saw_labels
    method.fit(IMAGES, labels, epochs=1, verbose=0)
    assert method.saw_labels
    # em's matrices move at an epoch's end, its prior doesn't
    for part in ("log_prior", "strength"):
        ours, theirs = getattr(method, part), getattr(twin, part)
        np.testing.assert_array_equal(ours["class"], theirs["class"])
    # begun once: a later fit goes on
    method.strength["class"].assign(7.0)
    method.fit(IMAGES, labels, epochs=1, verbose=0)
    assert float(method.strength["class"]) == 7.0


def test_batches_alone_do_not_tell_what_annotators_said(stub, make_batch):
    method = stub("em")
    method.compile()
    batch = tf.nest.map_structure(tf.constant, make_batch(method.config))
    with pytest.raises(UserError, match="call its begin first, or use kfer.fit"):
        method.fit(tf.data.Dataset.from_tensors(batch), epochs=1, verbose=0)
    with pytest.raises(UserError, match="was made for 8 pictures, got 6"):
        method.fit(IMAGES[:6], labels_of(method.config, 6), batch_size=6, verbose=0)


def test_a_data_set_of_batches(stub, make_batch):
    method = stub()
    method.compile()
    batch = tf.nest.map_structure(tf.constant, make_batch(method.config))
    data = tf.data.Dataset.from_tensors(batch)
    history = method.fit(data, epochs=1, verbose=0, validation_data=data).history
    assert {"loss", "val_loss"} <= set(history)
    found = method.predict(data, verbose=0)
    np.testing.assert_allclose(
        found["class"], method.answers(batch.image)["class"], rtol=1e-5
    )
