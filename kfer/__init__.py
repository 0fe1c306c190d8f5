"""kfer: facial emotion and other image labels learned from noisy annotations.

Importing this package is quick: TensorFlow, Beam and TFX load when a name that needs
them is first used. It also switches on oneDNN, without which TensorFlow 2.15 trains
several times slower on a CPU; set TF_ENABLE_ONEDNN_OPTS=0 beforehand to keep it off.
"""

import importlib
import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

_PUBLIC = {
    "EXPERIMENTS": "kfer.settings.config",
    "RECIPES": "kfer.settings.recipes",
    "ExperimentConfig": "kfer.settings.config",
    "Recipe": "kfer.settings.config",
    "experiment_config": "kfer.settings.config",
    "UserError": "kfer.errors",
    "LabelTask": "kfer.tasks",
    "annotator_tasks": "kfer.tasks",
    "expression_task": "kfer.tasks",
    "valence_arousal_task": "kfer.tasks",
    "METHODS": "kfer.methods",
    "Encoder": "kfer.models.encoder",
    "Decoder": "kfer.models.decoder",
    "Discriminator": "kfer.models.discriminator",
    "train": "kfer.runs",
    "evaluate": "kfer.evaluation.scoring",
    "export_model": "kfer.serving.export",
    "Predictor": "kfer.serving.predict",
    "fit": "kfer.python.fitting",
    "load": "kfer.python.loading",
    "Model": "kfer.python.model",
}
# Rooms that are used as kfer.data.from_table(...) and called as kfer.audit(...).
_ROOMS = ("audit", "data")

__all__ = ["__version__", *_PUBLIC, *_ROOMS]


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"kfer.{name}")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kfer' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__():
    return sorted(__all__)
