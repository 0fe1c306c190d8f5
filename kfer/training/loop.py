"""Trains one config: strategy, model, fit in stretches, checkpoints, results."""

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from absl import logging
from tensorflow import keras

from kfer import methods
from kfer.data import annotations, broken, input_pipeline
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.models.backbones.base import Backbone
from kfer.settings.config import ExperimentConfig
from kfer.training import (
    averaging,
    callbacks,
    compiling,
    execution,
    outcome,
    remarks,
    run_folder,
    strategies,
)
from kfer.training.checkpoints import Checkpoints
from kfer.training.strategies import make_strategy

# See `train`.
Scorer = Callable[[Any, Dataset, ExperimentConfig], Callable[[], dict[str, Any]]]
Painter = Callable[[Any, str, Dataset], Callable[[int], str | None]]


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """How to run, which does not change what is learned.

    Attributes:
      steps: training steps in all; 0 means the config's epochs.
      eval_every: steps between evaluations and checkpoints; 0 means an epoch.
      strategy: see strategies.make_strategy.
      deterministic: same result bit for bit on the same kind of machine.
      evaluate: score the test split along the way.
      encoder_weights: start the encoder's convolutions from 'imagenet' (Keras
        Applications' VGG-16) or from arrays in a file; '' means from the seed.
      command: noted in the run's folder.
      mixed_precision: what layers multiply in, one of config.PRECISIONS; variables
        stay float32, and float16 scales both losses.
      jit_compile: compile the step with XLA.
      steps_per_execution: steps between returns to Python.
    """

    steps: int = 0
    eval_every: int = 0
    strategy: str = "mirrored"
    deterministic: bool = False
    evaluate: bool = True
    encoder_weights: str = ""
    command: str = ""
    mixed_precision: str = "float32"
    jit_compile: bool = False
    steps_per_execution: int = 1


def train(
    config: ExperimentConfig,
    dataset: Dataset,
    run_dir: str,
    settings: RunSettings = RunSettings(),
    scorer: Scorer | None = None,
    painter: Painter | None = None,
    scored_on: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Trains, or goes on training, and leaves the results in `run_dir`.

    Args:
      config: see kfer.settings.config.experiment_config.
      dataset: a prepared data set, see kfer.data.dataset.load.
      run_dir: new, or of the same run.
      settings: see RunSettings.
      scorer: (method, dataset, config) -> what scores the method each time it is
        called, target -> scores; None scores nothing.
      painter: (method, run_dir, dataset) -> step -> path of a sample picture, or None;
        None paints nothing.
      scored_on: what the scorer compares with, for metrics.json; None is the clean test
        split.

    Returns:
      What metrics.json holds: the last and the best evaluation, and 'interrupted' if a
      SIGTERM ended the run early.

    Raises:
      UserError: the folder is another run's, the data don't fit, the disk is full.
    """
    config = methods.resolve_tasks(config)
    check_inputs(config, dataset)
    per_epoch = input_pipeline.steps_per_epoch(dataset, config)
    total = settings.steps or config.epochs * per_epoch
    config = compiling.timed(methods.fit_to_data(config, dataset), total)
    remarks.warn(config, dataset, total / per_epoch)
    strategy = make_strategy(settings.strategy, settings.jit_compile)
    begun = settings.mixed_precision, run_folder.weights_id(settings.encoder_weights)
    with strategies.own_folder(settings.strategy, run_dir) as own_dir:
        run_folder.check(own_dir, config, dataset, *begun)
        if settings.deterministic:
            tf.config.experimental.enable_op_determinism()
        execution.configure()
        keras.utils.set_random_seed(config.seed)
        lost = strategies.one_line_if_lost(settings.strategy)
        with lost, broken.one_line(dataset):
            with strategy.scope():
                method = _new_method(config, settings)
            # What can't be built leaves no folder that the right settings don't fit.
            run_folder.claim(own_dir, config, dataset, settings.command, *begun)
            start = _restored(method, config, dataset, run_dir)
            scored = scorer and settings.evaluate
            score = scorer(method, dataset, config) if scored else dict
            draw = painter(method, own_dir, dataset) if painter else _no_picture
            interrupted = _fit(
                method, config, dataset, own_dir, settings, start, score, draw
            )
        return outcome.write(own_dir, interrupted, scored_on)


def _new_method(config: ExperimentConfig, settings: RunSettings) -> Any:
    method = compiling.compiled(
        config,
        settings.mixed_precision,
        jit_compile=settings.jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    if settings.encoder_weights:
        for encoder in method.encoders:
            encoder.trunk.load(settings.encoder_weights)
    return method


def _restored(
    method: Any, config: ExperimentConfig, dataset: Dataset, run_dir: str
) -> int:
    """The step of the checkpoint gone on from; 0 for a new run, which is started."""
    start = Checkpoints(method, run_dir).restore()
    if start:
        logging.info("Going on at step %d", start)
    elif count := method.encoder.trunk.start_images:
        images = _first_images(method.encoder.trunk, config, dataset)[:count]
        for encoder in method.encoders:
            encoder.trunk.start(images)
    if not start and method.said_tasks:
        method.begin(annotations.of_tasks(dataset, method.said_tasks))
    if not start and (average := averaging.of(method)):
        average.start()
    return start


def _no_picture(step: int) -> None:
    return None


def _first_images(
    trunk: Backbone, config: ExperimentConfig, dataset: Dataset
) -> tf.Tensor:
    """As many training pictures as the trunk starts from, or all; the same on every
    worker."""
    if not trunk.starts_augmented:
        config = input_pipeline.without_augmentation(config)
    batches = input_pipeline.train_dataset(dataset, config)
    count = math.ceil(trunk.start_images / config.batch_size)
    count = min(count, input_pipeline.steps_per_epoch(dataset, config))
    return tf.concat([batch.image for batch in batches.take(count)], axis=0)


def check_inputs(config: ExperimentConfig, dataset: Dataset) -> None:
    """Raises UserError if the data can't be learned from with this config."""
    input_pipeline.steps_per_epoch(dataset, config)
    if dataset.image_size and dataset.image_size < config.image_size:
        raise UserError(
            f"{dataset.root} holds {dataset.image_size} px images, the experiment asks "
            f"for {config.image_size} px; use --image_size={dataset.image_size} or "
            "prepare the data larger"
        )


def warmup_steps(config: ExperimentConfig, per_epoch: int) -> int:
    """Steps before the adversarial game begins, at the start of the epoch named by
    recipe.gan_start_epoch + 1: -1 means no warm-up, 0 one epoch of it."""
    return (config.recipe.gan_start_epoch + 1) * per_epoch


def stretches(
    start: int, total: int, every: int, warmup: int
) -> list[tuple[int, int, bool]]:
    """Cuts the steps still to do where something happens.

    Args:
      start: steps done.
      total: steps in all.
      every: evaluations come at its multiples.
      warmup: steps of warm-up.

    Returns:
      (begin, end, whether it is warm-up), in order.
    """
    marks = {*range(0, total, every), min(warmup, total), total, start}
    cuts = sorted(mark for mark in marks if start <= mark <= total)
    return [(a, b, a < warmup) for a, b in itertools.pairwise(cuts)]


def fits(plan: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Stretches of one length and phase share a call of fit, and so an iterator.

    Args:
      plan: of `stretches`.

    Returns:
      (steps of a stretch, how many such stretches, whether they are warm-up), in order.
    """
    alike = itertools.groupby(plan, lambda row: (row[1] - row[0], row[2]))
    return [(steps, len(list(rows)), warmup) for (steps, warmup), rows in alike]


def _fit(
    method: Any,
    config: ExperimentConfig,
    dataset: Dataset,
    run_dir: str,
    settings: RunSettings,
    start: int,
    score: Callable[[], dict[str, Any]],
    draw: Callable[[int], str | None],
) -> bool:
    """Runs fit over equal stretches at a time; whether a SIGTERM ended it."""
    per_epoch = input_pipeline.steps_per_epoch(dataset, config)
    total = settings.steps or config.epochs * per_epoch
    every = settings.eval_every or per_epoch
    warm = warmup_steps(config, per_epoch) if method.has_warmup else 0
    counter, stop = callbacks.StepCounter(start), callbacks.StopOnSignal()
    label = f"{config.name} {config.method}"
    progress = callbacks.Progress(counter, total, config.batch_size, label)
    saves = Checkpoints(method, run_dir)
    recorder = callbacks.Recorder(
        counter, run_dir, saves, per_epoch, total, config, score, draw
    )
    watch = callbacks.Divergence(counter, saves, config)
    handlers = [counter, progress, watch, recorder, stop]
    with _listening(stop, settings.strategy):
        for steps, count, warmup in fits(stretches(start, total, every, warm)):
            method.set_phase(warmup)
            # Not the method's own fit, which has warm-up by epochs: here by steps.
            keras.Model.fit(
                method,
                _batches(method, dataset, config, counter.step),
                epochs=count,
                steps_per_epoch=steps,
                verbose=0,
                callbacks=handlers,
            )
            if stop.stopped:
                break
    progress.close()
    return stop.stopped


def _listening(
    stop: callbacks.StopOnSignal, strategy: str
) -> contextlib.AbstractContextManager[None]:
    """Whether a SIGTERM is taken; the workers of a cluster stop together."""
    if strategy == strategies.MULTI_WORKER:
        return contextlib.nullcontext()
    return stop.listening()


def _batches(method: Any, dataset: Dataset, config: ExperimentConfig, step: int) -> Any:
    """Training batches from `step` on, spread as the method's strategy needs them."""

    def make(context: tf.distribute.InputContext | None) -> tf.data.Dataset:
        return input_pipeline.train_dataset(
            dataset, config, step, input_context=context
        )

    return strategies.distribute(method.distribute_strategy, make)
