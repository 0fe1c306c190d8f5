"""Where a step runs: tf.distribute by name, who writes the folder, what it sends."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig

MULTI_WORKER = "multi_worker"

# TensorFlow reads the cluster and this process's place in it from here.
_CLUSTER = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def make_strategy(name: str, jit_compile: bool = False) -> tf.distribute.Strategy:
    """The strategy of that name; to be called before the first op.

    Args:
      name: 'default' (one device), 'mirrored' (all GPUs of this machine, or its CPU),
        'multi_worker' (the processes named in TF_CONFIG) or 'tpu' (the one that
        TPU_NAME names, or this machine's).
      jit_compile: whether the step will be compiled. Keras compiles each replica's,
        which on a CPU can't be one of a MirroredStrategy; where there is one replica
        the default strategy does the same and is taken.

    Raises:
      UserError: an unknown name, no cluster or no TPU.
    """
    if name not in STRATEGIES:
        raise UserError(f"Unknown strategy {name!r}; known: {', '.join(STRATEGIES)}")
    strategy = STRATEGIES[name]()
    if jit_compile and strategy.num_replicas_in_sync == 1:
        return tf.distribute.get_strategy()
    return strategy


def _mirrored() -> tf.distribute.Strategy:
    devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    return tf.distribute.MirroredStrategy(devices or ["/cpu:0"])


def _multi_worker() -> tf.distribute.Strategy:
    is_chief(MULTI_WORKER)  # refuses a wrong TF_CONFIG in one line
    # A lost worker is an error at once; else the others wait for it for ever.
    os.environ.setdefault("GRPC_FAIL_FAST", "use_caller")
    return tf.distribute.MultiWorkerMirroredStrategy()


def _tpu() -> tf.distribute.Strategy:
    name = os.environ.get("TPU_NAME", "local")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"There is no TPU {name!r} to train on ({reason}); set TPU_NAME, or use "
            "another --strategy"
        ) from error


STRATEGIES: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "default": tf.distribute.get_strategy,
    "mirrored": _mirrored,
    MULTI_WORKER: _multi_worker,
    "tpu": _tpu,
}


def is_chief(name: str) -> bool:
    """Whether this process writes the run's folder: one of a cluster does.

    Args:
      name: of the strategy. Under 'multi_worker' TF_CONFIG tells: the task of type
        'chief', or worker 0 where there is none.

    Raises:
      UserError: 'multi_worker' without a TF_CONFIG that names a cluster and this task.
    """
    if name != MULTI_WORKER:
        return True
    text = os.environ.get(_CLUSTER, "")
    try:
        content = json.loads(text)
        cluster, task = content["cluster"], content["task"]
        kind, index = task["type"], int(task["index"])
        known = 0 <= index < len(cluster[kind])
    except (ValueError, KeyError, TypeError):
        known = False
    if not known or kind not in ("chief", "worker"):
        raise UserError(
            f"--strategy={MULTI_WORKER} needs a {_CLUSTER} with all workers and this "
            f"one's place, such as {_EXAMPLE}; found {text!r}"
        )
    return kind == "chief" or ("chief" not in cluster and index == 0)


@contextlib.contextmanager
def own_folder(name: str, run_dir: str) -> Iterator[str]:
    """The folder that this process writes: run_dir, or one that goes at the end.

    All workers do all that a run does, for reading a variable that replicas share out
    (batch norm's statistics) takes every one of them; only the chief's files stay.

    Args:
      name: of the strategy.
      run_dir: of the run.
    """
    if is_chief(name):
        yield run_dir
    else:
        with tempfile.TemporaryDirectory(prefix="kfer-worker-") as folder:
            yield folder


@contextlib.contextmanager
def one_line_if_lost(name: str) -> Iterator[None]:
    """Under 'multi_worker' says in one line what to do when a worker is gone.

    Raises:
      UserError: an error of the connection ended the block.
    """
    try:
        yield
    except (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
        tf.errors.InternalError,
        tf.errors.FailedPreconditionError,
    ) as error:
        if name != MULTI_WORKER:
            raise
        raise UserError(
            f"The other workers can't be reached ({str(error).splitlines()[0]}); stop "
            "them all and start every one again with the same command: training goes "
            "on at the last checkpoint"
        ) from error


def distribute(
    strategy: tf.distribute.Strategy,
    make: Callable[[tf.distribute.InputContext | None], tf.data.Dataset],
) -> Any:
    """Batches for `fit`: each pipeline makes its own rows of the global batch.

    Args:
      strategy: that runs the step.
      make: see input_pipeline.train_dataset's input_context.
    """
    if strategy.num_replicas_in_sync == 1:
        return make(None)
    return strategy.distribute_datasets_from_function(make)


def allreduce_bytes(method: Any, config: ExperimentConfig) -> dict[str, int]:
    """Bytes that a training step sums over replicas, counted from the variables.

    With N replicas in a ring each sends and receives 2 (N - 1) / N times as many.
    What follows the batch's size or is a handful of numbers is left out: moments of
    CCC, counts of labels, logged means.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.

    Returns:
      'generator': gradients of encoder and decoder; 'discriminator': of D, for all its
      steps; 'batch_norm': the decoder's sums, forward and backward; and 'total'.
    """
    decoder = getattr(method, "decoder", None)
    discriminator = getattr(method, "discriminator", None)
    norms = [norm.gamma for norm in decoder.norms] if decoder else []
    # Generator first draws twice: for its own step and, updated, for D's.
    again = config.recipe.update_order == "generator_first"
    found = {
        "generator": _bytes(method.generator_variables + method.decoder_variables),
        "discriminator": config.recipe.discriminator_steps
        * _bytes(discriminator.trainable_variables if discriminator else []),
        # Sum and sum of squares of each channel, and as much for their gradients.
        "batch_norm": (2 + 2 + (2 if again else 0)) * _bytes(norms),
    }
    return found | {"total": sum(found.values())}


def _bytes(variables: list) -> int:
    return sum(v.shape.num_elements() * v.dtype.size for v in variables)
