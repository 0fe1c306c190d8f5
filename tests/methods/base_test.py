import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods, tasks
from kfer.errors import UserError
from kfer.methods import METHODS
from kfer.methods.base import Method, answer
from kfer.methods.joint_distribution import JointDistribution
from kfer.methods.supervised import Supervised
from kfer.structures import EncoderOutput

CLASSES = ("a", "b", "c")


def run_of(tiny_config, **fields):
    """Two label sets of one class and two pairs of values, one of each loss."""
    label_tasks = (
        *tasks.annotator_tasks(2, CLASSES, "class"),
        tasks.valence_arousal_task(weight=0.5),
        tasks.LabelTask("gaze", "continuous", dimensions=("x", "y"), loss="mse"),
    )
    return tiny_config(method="vgg_all", tasks=label_tasks, **fields)


@pytest.fixture
def method(tiny_config):
    return Supervised(run_of(tiny_config))


def logits(*probabilities):
    return tf.math.log(tf.constant(probabilities))


def output_of(**labels):
    return EncoderOutput(mean=None, logvar=None, labels=labels)


class TestTable:
    @pytest.mark.parametrize("name", METHODS)
    def test_every_row_builds(self, tiny_config, name):
        run = methods.resolve_tasks(tiny_config(method=name))
        model = methods.build(run)
        assert isinstance(model, Method)
        assert model.config is run
        assert METHODS[name].about

    def test_which_class(self, tiny_config):
        assert type(methods.build(tiny_config(method="joint"))) is JointDistribution
        assert type(methods.build(tiny_config(method="vgg_all"))) is Supervised

    def test_an_unknown_row(self, tiny_config):
        known = ", ".join(sorted(METHODS))
        with pytest.raises(UserError, match=f"^Unknown method 'vgg'; known: {known}$"):
            methods.build(tiny_config(method="vgg"))

    def test_own_tasks_stay(self, tiny_config):
        run = tiny_config(method="without_gx")
        assert methods.resolve_tasks(run) is run

    def test_majority_keeps_one_head_for_a_target(self, tiny_config):
        run = dataclasses.replace(run_of(tiny_config), method="vgg_majority")
        found = methods.resolve_tasks(run).tasks
        assert [(t.name, t.column, t.target) for t in found] == [
            ("class", "majority", "class"),
            ("valence_arousal", "valence_arousal", "valence_arousal"),
            ("gaze", "gaze", "gaze"),
        ]
        assert found[0].classes == CLASSES

    def test_clean_reads_the_clean_columns(self, tiny_config):
        run = dataclasses.replace(run_of(tiny_config), method="vgg_clean")
        found = methods.resolve_tasks(run).tasks
        assert [(t.name, t.column) for t in found] == [
            ("class", "clean/class"),
            ("valence_arousal", "clean/valence_arousal"),
            ("gaze", "clean/gaze"),
        ]
        assert found[1].weight == 0.5


def test_metric_names(method):
    assert method.metric_names() == [
        "loss",
        "annotator_1/cross_entropy",
        "annotator_2/cross_entropy",
        "valence_arousal/ccc",
        "gaze/mse",
        "annotator_1/accuracy",
        "annotator_2/accuracy",
    ]
    assert [metric.name for metric in method.metrics] == method.metric_names()


class TestTaskLoss:
    def loss(self, method, index, labels, predicted, mask):
        task = method.config.tasks[index]
        predicted = tf.convert_to_tensor(predicted)
        return float(
            method.task_loss(task, tf.constant(labels), predicted, tf.constant(mask))
        )

    def test_cross_entropy_over_the_given_labels(self, method):
        predicted = logits([0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6])
        value = self.loss(method, 0, [0, 1, 2], predicted, [1.0, 0.0, 1.0])
        assert value == pytest.approx((np.log(2) - np.log(0.6)) / 2, rel=1e-5)

    def test_mean_squared_error_over_the_given_labels(self, method):
        y_true = [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
        y_pred = [[1.0, 1.0], [9.0, 9.0], [1.0, 0.0]]
        value = self.loss(method, 3, y_true, y_pred, [1.0, 0.0, 1.0])
        assert value == pytest.approx((0.5 + 0.5) / 2)

    def test_one_minus_the_mean_ccc(self, method):
        # valence is right and scores 1, arousal is mirrored and scores -1
        y_true = [[0.0, -0.5], [0.4, 0.5]]
        y_pred = [[0.0, 0.5], [0.4, -0.5]]
        value = self.loss(method, 2, y_true, y_pred, [1.0, 1.0])
        assert value == pytest.approx((0.0 + 2.0) / 2, abs=1e-6)

    def test_unbiased_variance_never_reaches_zero(self, tiny_config):
        method = Supervised(run_of(tiny_config, ccc_variance="unbiased"))
        values = np.random.default_rng(0).uniform(-1, 1, (8, 2)).astype(np.float32)
        value = self.loss(method, 2, values, values, np.ones(8, np.float32))
        assert value == pytest.approx(1 - 7 / 8, abs=1e-6)

    @pytest.mark.parametrize("index", range(4))
    def test_no_label_at_all(self, method, index):
        size = method.config.tasks[index].size
        labels = [1, 2] if index < 2 else np.zeros((2, size), np.float32)
        predicted = tf.Variable(np.random.default_rng(0).normal(size=(2, size)))
        predicted = tf.cast(predicted, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(predicted)
            loss = method.task_loss(
                method.config.tasks[index],
                tf.constant(labels),
                predicted,
                tf.zeros(2),
            )
        # a CCC of nothing is 0, its loss 1; the other losses are 0
        assert float(loss) == (1.0 if index == 2 else 0.0)
        assert not np.any(tape.gradient(loss, predicted))


class TestLabelLoss:
    def test_weighted_sum_over_tasks_and_what_is_logged(self, method, make_batch):
        batch = make_batch(method.config, 2)
        ones, values = np.ones(2, np.float32), [[0.0, 0.0], [1.0, 1.0]]
        batch = batch._replace(
            labels={
                "annotator_1": np.array([0, 1], np.int32),
                "annotator_2": np.array([2, 2], np.int32),
                "valence_arousal": np.array(values, np.float32),
                "gaze": np.array(values, np.float32),
            },
            mask={**batch.mask, "annotator_2": np.array([1.0, 0.0], np.float32)},
        )
        assert np.all(batch.mask["gaze"] == ones)
        output = output_of(
            annotator_1=logits([0.5, 0.25, 0.25], [0.5, 0.25, 0.25]),
            annotator_2=logits([0.1, 0.1, 0.8], [0.9, 0.05, 0.05]),
            valence_arousal=tf.constant([[1.0, 1.0], [0.0, 0.0]]),
            gaze=tf.constant([[0.0, 0.0], [0.0, 1.0]]),
        )
        loss = float(method.label_loss(batch, output))
        first = (np.log(2) + np.log(4)) / 2
        second = -np.log(0.8)  # the other row is masked
        ccc, mse = 2.0, (0.0 + 0.5) / 2  # mirrored: 1 - (-1)
        assert loss == pytest.approx(first + second + 0.5 * ccc + mse, rel=1e-5)
        logged = {name: float(value) for name, value in method.results().items()}
        assert logged == pytest.approx(
            {
                "loss": 0.0,  # train_step's to log
                "annotator_1/cross_entropy": first,
                "annotator_2/cross_entropy": second,
                "valence_arousal/ccc": ccc,
                "gaze/mse": mse,
                "annotator_1/accuracy": 0.5,
                "annotator_2/accuracy": 1.0,
            },
            abs=1e-5,
        )

    def test_metrics_are_means_over_steps(self, method):
        method.log("loss", tf.constant(1.0))
        method.log("loss", tf.constant(4.0))
        assert float(method.results()["loss"]) == 2.5


class TestAnswers:
    def test_answer_of_classes_is_a_distribution(self):
        task = tasks.expression_task()
        values = answer(task, tf.math.log([[1.0, 2.0, 5.0, 8.0, 8.0, 8.0, 8.0]]))
        expected = np.array([1, 2, 5, 8, 8, 8, 8]) / 40
        assert values.numpy()[0] == pytest.approx(expected, rel=1e-5)

    def test_answer_of_values_is_inside_their_range(self):
        task = tasks.LabelTask("pain", "continuous", dimensions=("p",), low=0, high=10)
        values = answer(task, tf.constant([[-3.0], [4.5], [12.0]]))
        assert values.numpy().ravel().tolist() == [0.0, 4.5, 10.0]

    @pytest.mark.parametrize("which", ("first", "mean"))
    def test_heads_of_one_target(self, tiny_config, make_batch, which):
        method = Supervised(run_of(tiny_config, evaluated_heads=which))
        image = tf.constant(make_batch(method.config, 3).image)
        heads = method(image).labels
        answers = method.answers(image)
        assert set(answers) == {"class", "valence_arousal", "gaze"}
        first = tf.nn.softmax(heads["annotator_1"])
        both = (first + tf.nn.softmax(heads["annotator_2"])) / 2
        expected = first if which == "first" else both
        np.testing.assert_allclose(answers["class"], expected, rtol=1e-5)
        assert not np.allclose(first, both)
        np.testing.assert_allclose(
            answers["valence_arousal"], np.clip(heads["valence_arousal"], -1, 1)
        )

    def test_no_dropout_and_no_noise(self, method, make_batch):
        image = tf.constant(make_batch(method.config, 2).image)
        first, second = method.answers(image), method.answers(image)
        for name, value in first.items():
            np.testing.assert_array_equal(value, second[name])


def test_a_phase_switch_traces_the_step_anew(method):
    method.train_function = traced = object()
    method.set_phase(False)
    assert method.train_function is traced
    method.set_phase(True)
    assert method.warmup and method.train_function is None


def test_build_all_makes_the_optimizer_s_slots(make_method, tiny_config):
    method = make_method(run_of(tiny_config))
    weights = len(method.encoder.trainable_variables)
    # iterations, each weight's own count, and two moments of each weight
    assert len(method.generator_optimizer.variables) == 2 + 2 * weights


def test_a_batch_without_labels_leaves_their_means_as_they_were(make_batch, method):
    run = method.config
    method.compile()
    method.build_all()
    batch = make_batch(run, 4, 0, {})
    method.train_step(batch)
    before = {name: float(value) for name, value in method.results().items()}
    method.train_step(make_batch(run, 4, 1, {t.name: range(4) for t in run.tasks}))
    after = {name: float(value) for name, value in method.results().items()}
    del before["loss"], after["loss"]
    assert before["annotator_1/cross_entropy"] > 0.1
    assert after == pytest.approx(before)


def test_logged_means_are_over_labels(method):
    """Three labels with a mean of 1 and one with 5."""
    method.log("annotator_1/cross_entropy", tf.constant(1.0), tf.constant(3.0))
    method.log("annotator_1/cross_entropy", tf.constant(5.0), tf.constant(1.0))
    assert float(method.results()["annotator_1/cross_entropy"]) == pytest.approx(2.0)
