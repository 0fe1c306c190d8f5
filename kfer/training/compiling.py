"""Builds a method with its optimizers, new or as a run left it."""

import dataclasses
from typing import Any

import tensorflow as tf

from kfer import methods
from kfer.settings.config import ExperimentConfig
from kfer.training import averaging, checkpoints, execution, run_folder, schedules
from kfer.training.optimizers import SGD, Adam, Rule


def compiled(
    config: ExperimentConfig, mixed_precision: str = "float32", **options: Any
) -> Any:
    """The method's model with its optimizers and all variables.

    Args:
      config: see ExperimentConfig.
      mixed_precision: see RunSettings.
      **options: of keras.Model.compile.

    Raises:
      UserError: a schedule or an average needs optimization.total_steps.
    """
    learned = config.optimization
    generator = _generator_optimizer(config)
    discriminator = _adam(config, learned.discriminator_rate or config.learning_rate)
    with execution.precision(mixed_precision):
        method = methods.build(config)
        drawn = learned.decoder_rate and getattr(method, "decoder", None) is not None
        decoder = _adam(config, learned.decoder_rate) if drawn else None
        first, second, third = (
            optimizer and execution.loss_scaled(optimizer, mixed_precision)
            for optimizer in (generator, discriminator, decoder)
        )
        method.compile(first, second, decoder_optimizer=third, **options)
        method.build_all()
    networks = _networks(method)
    decayed = {v.ref() for v in networks if v.trainable}
    confusion = {v.ref() for v in method.confusion_variables}
    slowed = Rule(learned.confusion_rate)
    generator.set_rules(
        [
            slowed if v.ref() in confusion else _rule(v, config, v.ref() in decayed)
            for v in method.generator_variables
        ]
    )
    if learned.averaging != "none":
        others = {v.ref() for v in networks}
        own = [v for v in method.generator_variables if v.ref() not in others]
        generator.average = averaging.Average([*networks, *own], learned)
    return method


def _adam(config: ExperimentConfig, rate: float) -> Adam:
    return Adam(rate, config.beta_1, config.beta_2, config.epsilon)


def _generator_optimizer(config: ExperimentConfig) -> Any:
    """Of the label losses, and of the game's generator."""
    optimization = config.optimization
    if optimization.optimizer == "adam":
        optimizer: Any = _adam(config, config.learning_rate)
    else:
        optimizer = SGD(config.learning_rate, optimization.momentum)
    optimizer.schedule = schedules.factor(optimization)
    return optimizer


def _networks(method: Any) -> list[tf.Variable]:
    """What the encoders and the decoder hold, batch norm's statistics too."""
    decoder = getattr(method, "decoder", None)
    parts = [*method.encoders, *([decoder] if decoder else [])]
    return [v for part in parts for v in part.variables if v.dtype.is_floating]


def _rule(variable: tf.Variable, config: ExperimentConfig, decayed: bool) -> Rule:
    """See Optimization; a variable is known by its name."""
    optimization, parts = config.optimization, variable.name.split(":")[0].split("/")
    rate = 1.0
    whitening = any("whitening" in part for part in parts)
    if parts[-1] in ("bias", "beta"):
        rate = optimization.whitening_rate if whitening else optimization.bias_rate
    decay = optimization.weight_decay / rate if decayed and rate else 0.0
    until = 0
    if whitening and optimization.whitening_share < 1.0:
        until = round(optimization.whitening_share * optimization.total_steps)
    return Rule(rate, decay, optimization.decay_form == "decoupled", until)


def timed(config: ExperimentConfig, steps: int) -> ExperimentConfig:
    """The config with the number of steps that its schedule and average go by."""
    if not config.optimization.is_timed:
        return config
    optimization = dataclasses.replace(config.optimization, total_steps=steps)
    return dataclasses.replace(config, optimization=optimization)


def restored(
    run_dir: str, step: int = 0, test_averaging: str = ""
) -> tuple[Any, ExperimentConfig, int]:
    """A run's model with a checkpoint, its config and that step.

    Where the run averages its weights, the averages are in the networks.

    Args:
      run_dir: of kfer-train.
      step: of the checkpoint; 0 for the newest.
      test_averaging: see Optimization; '' for the run's own.

    Raises:
      UserError: the folder is no run, or has no such checkpoint.
    """
    config = run_folder.load_config(run_dir)
    if test_averaging:
        optimization = dataclasses.replace(
            config.optimization, test_averaging=test_averaging
        )
        config = dataclasses.replace(config, optimization=optimization)
    method = compiled(config)
    found = checkpoints.restore_model(method, run_dir, step)
    if average := averaging.of(method):
        average.load()
    return method, config, found
