"""Which settings belong to the paper's trunk alone."""

from collections.abc import Container

from kfer.errors import UserError

PAPER = "vgg16"

_OWN = ("embedding_size", "dropout_rate", "encoder_start")


def check(backbone: str, given: Container[str]) -> None:
    """Raises UserError if a setting is given that the backbone has no use for.

    Args:
      backbone: see ExperimentConfig.
      given: names of the settings that the user chose.
    """
    for name in _OWN:
        if backbone != PAPER and name in given:
            raise UserError(
                f"{name} is a setting of backbone {PAPER!r}, and {backbone!r} has no "
                "use for it; leave it out"
            )
