"""Settings that a user gives and the run then never reads."""

from collections.abc import Container
from typing import Any

from absl import logging

from kfer.settings import axes

_GAME = (
    "update_order",
    "discriminator_steps",
    "score_weight_inside_hinge",
    "score_reduction",
    "count_removed_scores",
    "discriminator_label_input",
    "gan_start_epoch",
    "shared_sigma",
    "joint_score",
    "labels_through_annotators",
    "lambda_ratio",
    "lambda_ramp_steps",
    "r1_weight",
    "lambda_gan",
    "score_weights",
    "discriminator_rate",
)
_OF_VALUES = ("continuous_output", "ccc_variance", "clip_continuous")
_OF_ADAM = ("beta_1", "beta_2", "epsilon")
_OF_FACES = ("face_translation", "shifted_mirror", "augment_interpolation")
_OF_SCHEDULE = ("warmup_share", "start_factor", "final_factor")

# Setting -> the setting that says whether it is read, and that one's values if it is.
_READ_WITH = {
    "momentum": ("optimizer", ("sgd",)),
    "ema_decay": ("averaging", ("ema",)),
    "lookahead_every": ("averaging", ("lookahead",)),
    "lookahead_decay": ("averaging", ("lookahead",)),
    "crop_pad": ("augmentation", ("crop_flip",)),
    "crop_fill": ("augmentation", ("crop_flip",)),
    "mirror": ("augmentation", ("crop_flip", "face")),
    **dict.fromkeys(_OF_FACES, ("augmentation", ("face",))),
    "count_removed_scores": ("score_reduction", ("mean",)),
    **dict.fromkeys(_OF_SCHEDULE, ("schedule", ("cosine", "one_cycle"))),
}


def unread(config: Any, given: Container[str]) -> list[str]:
    """A line for each setting that is given and has no effect.

    Args:
      config: an ExperimentConfig.
      given: names of the settings that the user chose, among others.
    """
    found = {name: why for name in _READ_WITH if (why := _switched_off(config, name))}
    if config.optimization.weight_decay == 0.0:
        found["decay_form"] = "weight_decay is 0"
    if all(task.is_categorical for task in config.tasks):
        found |= dict.fromkeys(_OF_VALUES, "no task is of values")
    found |= _without_networks(config)
    return [
        f"{name} is given and has no effect: {why}"
        for name, why in found.items()
        if name in given
    ]


def warn(config: Any, given: Container[str]) -> None:
    """Logs the lines of `unread`."""
    for line in unread(config, given):
        logging.warning("%s", line)


def unread_rates(method: str) -> dict[str, str]:
    """Rate of Optimization -> why the method doesn't read it."""
    found = {}
    if not axes.has_decoder(method):
        found["decoder_rate"] = f"method {method!r} has no decoder"
    if method != "annot_mix":
        found["confusion_rate"] = f"method {method!r} has no networks of matrices"
    return found


def _switched_off(config: Any, name: str) -> str:
    switch, values = _READ_WITH[name]
    owners = (config, config.optimization, config.recipe)
    chosen = next(getattr(o, switch) for o in owners if hasattr(o, switch))
    return "" if chosen in values else f"{switch} is {chosen!r}"


def _without_networks(config: Any) -> dict[str, str]:
    """Setting -> why it isn't read, of networks and layers that the run hasn't."""
    method = config.method
    game, found = axes.regulariser_of(method), unread_rates(method)
    if game == "none":
        found |= dict.fromkeys(_GAME, f"method {method!r} plays no game")
        if config.optimization.optimizer == "sgd":
            found |= dict.fromkeys(_OF_ADAM, "nothing is updated by Adam")
    if game == "without_joint":
        found["joint_score"] = f"method {method!r} has no joint score"
    if not config.backbone.startswith("compact"):
        found["whitening_rate"] = f"backbone {config.backbone!r} has no whitening"
    return found
