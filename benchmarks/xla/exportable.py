"""What the exported step can learn, and what it would learn wrongly."""

from typing import Any

from kfer.errors import UserError
from kfer.settings.backbones import PAPER
from kfer.settings.config import ExperimentConfig
from kfer.settings.optimization import PLAIN


def check(method: Any, config: ExperimentConfig) -> None:
    """Refuses what the exported step alone would learn wrongly, in one line.

    Raises:
      UserError: training would do more than steps of Adam: count the annotators' labels
        beforehand, whiten by the pictures, or change the rate and average the weights.
    """
    if method.said_tasks:
        found = f"method {config.method!r}, which counts labels before the first step"
    elif config.backbone != PAPER:
        found = f"backbone {config.backbone!r}, which is not {PAPER!r}"
    elif config.optimization != PLAIN:
        found = "an optimization other than 'plain'"
    else:
        return
    raise UserError(
        f"The step can't be exported with {found}; train it with kfer-train"
    )
