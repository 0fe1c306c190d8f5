"""kfer: facial emotion and other image labels learned from noisy annotations.

Importing this package is quick: TensorFlow, Beam and TFX load when a name that needs
them is first used. It also switches on oneDNN, without which TensorFlow 2.15 trains
several times slower on a CPU; set TF_ENABLE_ONEDNN_OPTS=0 beforehand to keep it off.
kfer is written for Keras 2; beside Keras 3 it makes tf.keras the package tf_keras.
"""

import importlib
import importlib.util
import os
import sys

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def _choose_keras() -> None:
    """tf.keras is Keras 2 from its first use on, or ImportError says why it can't be.

    Every module takes it by `from tensorflow import keras`.
    """
    # Asked of the files, as importing Keras or importlib.metadata takes its time.
    found = importlib.util.find_spec("keras")
    places = found.submodule_search_locations if found else None
    if not any(os.path.isdir(os.path.join(at, "_tf_keras")) for at in places or ()):
        return
    chosen = os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    loaded = sys.modules.get("tensorflow")
    made_by = loaded.keras.Model.__module__ if loaded else "tf_keras"
    if chosen not in ("1", "true", "True") or not made_by.startswith("tf_keras"):
        raise ImportError(
            "kfer needs Keras 2 and tf.keras is Keras 3: import kfer before tf.keras "
            "is used, or set TF_USE_LEGACY_KERAS=1"
        )


_choose_keras()

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
