"""Small problems for methods: features in the place of pictures, a stub encoder."""

import types

import numpy as np
import tensorflow as tf

from kfer import methods, tasks
from kfer.methods import base
from kfer.models.encoder import Encoder
from kfer.settings import config as config_lib
from kfer.structures import Batch, Noise
from kfer.training.optimizers import Adam

FEATURES = 32
CLASSES = ("a", "b", "c", "d")

# Options without which a method doesn't run, or does less than it can, on 8 examples.
REPLICA_OPTIONS = {
    "forward_correction": {"noise_rates": [0.1, 0.3]},
    "elr": {"num_examples": 8},
    "em": {"num_examples": 8, "em_start_epoch": 0},
    "kfer": {"num_examples": 8, "em_start_epoch": 0},
    "joint_em": {"num_examples": 8, "em_start_epoch": 0},
    "joint_em_without_gx": {
        "num_examples": 8,
        "em_start_epoch": 0,
        "joint_score": "projection",
    },
    "co_teaching": {"num_examples": 8, "forget_rate": 0.5, "ramp_epochs": 1},
    "ltnet": {"trace_weight": 0.1},
    "known+elr": {"noise_rates": [0.1, 0.3], "num_examples": 8},
    "joint_alone+em+gce": {
        "num_examples": 8,
        "em_start_epoch": 0,
        "joint_score": "projection",
    },
}

# Pictures in memory, and the rate that the stub learns them at.
IMAGES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
RATE = 2e-3
# Methods of several parts that stand for all of them.
COMPOSED = ("ltnet+sce", "known+elr", "joint+ltnet+sce", "joint_alone+em+gce")


def mixed_tasks():
    """Two label sets of classes and two of values."""
    pain = [
        tasks.LabelTask(
            f"pain_{i}", "continuous", dimensions=("p",), high=10.0, target="pain"
        )
        for i in (1, 2)
    ]
    return (*tasks.annotator_tasks(2, ("a", "b", "c"), "class"), *pain)


def mixed_config(tiny_config, name, **fields):
    """The config of a method on mixed_tasks, with the options that it needs."""
    settings = {"tasks": mixed_tasks(), **REPLICA_OPTIONS.get(name, {}), **fields}
    return methods.resolve_tasks(tiny_config(method=name, **settings))


class StubEncoder(Encoder):
    """Reads the features from row 0, channel 0 of the picture; no convolutions.

    `units` of 0 gives the heads the features themselves; else there is a hidden layer.
    """

    units = 0

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        if self.units:
            self.hidden = tf.keras.layers.Dense(
                self.units, "relu", kernel_initializer="he_normal"
            )

    def features(self, image, dropout, training=False):
        hidden = image[:, 0, :, 0]
        if self.units:
            hidden = self.hidden(hidden)
        return hidden


class WideEncoder(StubEncoder):
    """With enough units to learn a few hundred labels by heart."""

    units = 256


class Toy:
    """A method on a stub encoder, its data, and steps on all of the data.

    Args:
      monkeypatch: pytest's.
      method: a key of METHODS.
      features: [n, F <= 32].
      labels: task -> [n] classes, -1 where missing, or [n, D] values.
      label_tasks: of these names.
      rate: of Adam.
      encoder: StubEncoder or WideEncoder.
      **settings: of the config and the method's options.
    """

    def __init__(
        self,
        monkeypatch,
        method,
        features,
        labels,
        label_tasks,
        rate=0.02,
        encoder=StubEncoder,
        **settings,
    ):
        monkeypatch.setattr(base, "Encoder", encoder)
        size = len(features)
        run = config_lib.experiment_config(
            "cifar10_multi",
            "kfer",
            method,
            tasks=label_tasks,
            width=0.125,
            noise_size=2,
            batch_size=size,
            **settings,
        )
        run = methods.fit_to_data(methods.resolve_tasks(run), data_of(size))
        tf.keras.utils.set_random_seed(run.seed)
        self.method = methods.build(run)
        self.method.compile(Adam(rate), Adam(rate))
        self.method.build_all()
        self.batch = make_batch(run, features, labels)

    @tf.function
    def _steps(self, batch, count):
        # In one graph: a call a step takes longer than the step.
        for _ in tf.range(count):
            self.method.train_step(batch)

    def train(self, steps):
        """Runs steps on the whole data; the last one's logs."""
        batch = tf.nest.map_structure(tf.constant, self.batch)
        for count in (steps - 1, 1):
            for metric in self.method.metrics:
                metric.reset_state()
            self._steps(batch, tf.constant(count))
        return {name: float(v) for name, v in self.method.results().items()}

    def answers(self, features):
        """What the method answers for features: target -> array."""
        found = self.method.answers(tf.constant(as_images(features)))
        return {name: value.numpy() for name, value in found.items()}

    def accuracy(self, features, truth, target="class"):
        return np.mean(self.answers(features)[target].argmax(1) == truth)


def data_of(size, noise=None):
    """What fit_to_data reads of a data set."""
    split = types.SimpleNamespace(num_records=size)
    return types.SimpleNamespace(
        split=lambda name: split, columns={}, noise={"train": noise or {}}
    )


def as_images(features):
    """[n, F] as float32 [n, 32, 32, 3]."""
    image = np.zeros((len(features), 32, 32, 3), np.float32)
    image[:, 0, : features.shape[1], 0] = features
    return image


def make_batch(run, features, labels):
    """All examples as one Batch."""
    size, given, mask = len(features), {}, {}
    for task in run.tasks:
        value = np.asarray(labels[task.name])
        if task.is_categorical:
            mask[task.name] = (value >= 0).astype(np.float32)
            given[task.name] = np.maximum(value, 0).astype(np.int32)
        else:
            mask[task.name] = np.ones(size, np.float32)
            given[task.name] = value.astype(np.float32)
    zeros = np.zeros((size, run.noise_size), np.float32)
    draws = np.ones((size, 2 * run.channels(run.embedding_size)), np.float32)
    return Batch(
        as_images(features),
        given,
        mask,
        Noise(zeros, zeros, draws),
        np.arange(size, dtype=np.int64),
    )


def clusters(size, seed=0, spread=0.35, num_features=8):
    """Classes 0..3 as Gaussian clouds: features [n, F] and classes [n]."""
    centres = np.random.default_rng(1234).normal(size=(len(CLASSES), num_features))
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(CLASSES), size)
    return centres[truth] + spread * rng.normal(size=(size, num_features)), truth


def class_tasks(count):
    """annotator_1.. of the target 'class'."""
    return tasks.annotator_tasks(count, CLASSES, "class")


def value_tasks(count):
    """values_1.. of the target 'valence_arousal'."""
    return tuple(
        tasks.LabelTask(
            f"values_{i}",
            "continuous",
            dimensions=tasks.VALENCE_AROUSAL,
            loss="mse",
            target="valence_arousal",
        )
        for i in range(1, count + 1)
    )


def labels_of(run, size=8):
    """Task -> labels of as many pictures in memory, some of them missing."""
    rng = np.random.default_rng(1)
    return {
        task.name: rng.integers(-1, task.size, size)
        if task.is_categorical
        else rng.uniform(task.low, task.high, (size, task.size))
        for task in run.tasks
    }
