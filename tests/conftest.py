"""Shared by all tests: two logical CPU devices, quiet logs, tiny runs and batches."""

import logging
import os
import sys

import numpy as np
import pytest

import kfer  # noqa: F401  (switches on oneDNN before TensorFlow loads)
from kfer import tasks
from kfer.settings import config
from kfer.structures import Batch, Noise

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# A slow test runs itself again in a process with more devices.
NUM_DEVICES = int(os.environ.get("KFER_TEST_DEVICES", "2"))


def pytest_collection_finish(session):
    """Splits the CPU, if any collected module uses TensorFlow, before the first op."""
    del session
    if "tensorflow" not in sys.modules:
        return
    import tensorflow as tf

    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * NUM_DEVICES
    try:
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        raise pytest.UsageError(
            "A test module runs a TensorFlow op when it is imported, so the CPU can no "
            "longer be split into logical devices; move the op into a test or fixture"
        ) from error


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A prepared data set of 32 training and 16 test faces."""
    from kfer.data import datasets

    folder = str(tmp_path_factory.mktemp("data") / "faces")
    options = datasets.ReaderOptions(limit={"train": 32, "test": 16})
    datasets.make("synthetic_faces", "", folder, options)
    return folder


def tiny_tasks():
    """A class label of 3 and a pair of values."""
    return (
        *tasks.annotator_tasks(1, ("a", "b", "c"), "class"),
        tasks.valence_arousal_task(),
    )


def make_tiny_config(recipe="kfer", method="joint", **fields):
    settings = {
        "tasks": tiny_tasks(),
        "width": 0.125,
        "noise_size": 8,
        "batch_size": 8,
        "gan_start_epoch": -1,
        **fields,
    }
    return config.experiment_config("cifar10_multi", recipe, method, **settings)


def make_random_batch(run, size=8, seed=0, missing=None):
    random = np.random.default_rng(seed)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    def uniform(low, high, *shape):
        return random.uniform(low, high, shape).astype(np.float32)

    labels, mask = {}, {}
    for task in run.tasks:
        given = np.ones(size, np.float32)
        given[list((missing or {}).get(task.name, ()))] = 0.0
        if task.is_categorical:
            values = random.integers(0, task.size, size).astype(np.int32)
            labels[task.name] = np.where(given > 0, values, 0).astype(np.int32)
        else:
            labels[task.name] = uniform(-1, 1, size, task.size) * given[:, None]
        mask[task.name] = given
    units = run.channels(run.embedding_size)
    noise = Noise(
        y0_encoder=normal(size, run.noise_size),
        y0_decoder=normal(size, run.noise_size),
        dropout=random.random((size, 2 * units)).astype(np.float32),
    )
    image = uniform(-1, 1, size, run.image_size, run.image_size, 3)
    return Batch(image, labels, mask, noise, np.arange(size))


@pytest.fixture(scope="session")
def tiny_config():
    """Makes the config of a tiny run: tiny_config(recipe, method, **settings)."""
    return make_tiny_config


@pytest.fixture(scope="session")
def make_batch():
    """Makes a random Batch of NumPy arrays: make_batch(config, size, seed, missing).

    `missing` maps a task to the rows whose label is masked (and 0, as by contract).
    """
    return make_random_batch


class State:
    """Every variable of a built method and its optimizers, to look at and to put back.

    Means of metrics are left out: they are reset before a step, not part of it.
    """

    def __init__(self, method):
        self.variables = {v.ref(): v for v in method.trainable_variables}
        self.variables.update({v.ref(): v for v in method.non_trainable_variables})
        for metric in method.metrics:
            for variable in metric.variables:
                self.variables.pop(variable.ref(), None)
        self.trained = {v.ref() for v in method.trainable_variables}
        for optimizer in (method.generator_optimizer, method.discriminator_optimizer):
            if optimizer is not None:
                kept = [*optimizer.variables, optimizer.learning_rate]
                self.variables.update({v.ref(): v for v in kept})
        self.start = self.values()

    def values(self):
        """Variable reference -> its value now."""
        return {ref: variable.numpy() for ref, variable in self.variables.items()}

    def restore(self):
        """Puts every variable back to where it was."""
        for ref, variable in self.variables.items():
            if not np.array_equal(variable.numpy(), self.start[ref]):
                variable.assign(self.start[ref])

    def changed(self, trained_only=True):
        """References of the variables that differ from the start."""
        return {
            ref
            for ref, value in self.values().items()
            if (ref in self.trained or not trained_only)
            and not np.array_equal(value, self.start[ref])
        }


@pytest.fixture(scope="session")
def two_replicas():
    """The one MirroredStrategy of two replicas for steps that run eagerly.

    A second one in the process would number its collectives from the start again, and
    eager collectives of one number must agree in shape.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


@pytest.fixture(scope="session")
def snapshot():
    """Makes the State of a built method."""
    return State


@pytest.fixture(scope="session")
def make_method():
    """Builds a compiled method of a config: make_method(config, optimizer=Adam)."""

    def make(run, optimizer=None):
        import tensorflow as tf

        from kfer import methods
        from kfer.training.optimizers import Adam

        tf.keras.utils.set_random_seed(run.seed)
        method = methods.build(run)
        create = optimizer or (lambda: Adam(run.learning_rate, epsilon=run.epsilon))
        method.compile(create(), create())
        method.build_all()
        return method

    return make


@pytest.fixture(scope="session")
def shared_joint(make_method):
    """One tiny joint method for all tests (building it takes seconds) and its State."""
    method = make_method(make_tiny_config())
    return method, State(method)


@pytest.fixture
def joint(shared_joint):
    """The tiny joint method, put back after the test."""
    method, state = shared_joint
    for metric in method.metrics:
        metric.reset_state()
    yield method
    method.config = make_tiny_config()
    method.warmup = False
    state.restore()


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """(root, result and lines of a tiny pipeline's first run, those of its second)."""
    from tests.pipelines import tiny

    root = tmp_path_factory.mktemp("pipeline")
    one = tiny.run(tiny.config(), root)
    return root, one, tiny.run(tiny.config(), root)
