"""BACKBONES: picture -> features, name -> how its trunk is made."""

import importlib
from typing import Any

from kfer.models.backbones.base import Backbone
from kfer.settings.config import ExperimentConfig

# Name -> (module, class); any other name is a network of keras.applications.
BACKBONES = {
    "vgg16": ("kfer.models.backbones.vgg16", "Vgg16"),
    "compact": ("kfer.models.backbones.compact", "Compact"),
    "compact_s": ("kfer.models.backbones.compact", "Compact"),
    "compact_xs": ("kfer.models.backbones.compact", "Compact"),
}
_APPLICATIONS = ("kfer.models.backbones.applications", "Application")


def make(config: ExperimentConfig) -> Backbone:
    """The trunk of config.backbone, its variables not yet made.

    Raises:
      UserError: no such backbone, or pictures too small for it.
    """
    module, name = BACKBONES.get(config.backbone, _APPLICATIONS)
    kind: Any = getattr(importlib.import_module(module), name)
    return kind(config)
