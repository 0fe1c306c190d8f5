"""A kfer model of any format that answers for encoded pictures and for crops."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.serving import model_folder, publish, runtimes
from kfer.training import run_folder


class Model:
    """Answers of a SavedModel, ONNX or TFLite folder by target name.

    Args:
      model_dir: of kfer.serving.export.

    Raises:
      UserError: no model, a damaged one, or its runtime is not installed.
    """

    def __init__(self, model_dir: str):
        self.size = model_folder.read_description(model_dir)["image_size"]
        self._encoded = None
        if model_folder.format_of(model_dir) == "saved_model":
            signatures = model_folder.load(model_dir).signatures
            self._encoded = signatures["serving_default"]
            self._images = lambda images: signatures["predict_images"](images=images)
        else:
            self._images = runtimes.load(model_dir)

    def encoded(self, pictures: Sequence[bytes]) -> dict[str, np.ndarray]:
        """Target -> probabilities [B, K] or values [B, D] of JPEG or PNG pictures.

        What is no whole picture has a 'status' that says so, see model_folder.

        Raises:
          tf.errors.InvalidArgumentError: one of them is no whole picture, and the model
            is older than its status.
        """
        import tensorflow as tf

        data = tf.constant(list(pictures))
        if self._encoded is not None:
            return _arrays(self._encoded(image_bytes=data))
        from kfer.data import augment
        from kfer.serving import encoded

        images, whole = encoded.decoded(data, self.size)
        found = _arrays(self._images(augment.normalise(images).numpy()))
        status = np.where(whole, model_folder.OK, encoded.NOT_WHOLE.encode())
        return found | {model_folder.STATUS: status}

    def crops(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """The same of crops, uint8 [B, S, S, 3] RGB with S the model's own size."""
        import tensorflow as tf

        images = crops.astype(np.float32) / 127.5 - 1.0
        return _arrays(self._images(tf.constant(images)))


def _arrays(found: Any) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in found.items()}


def find_model(path: str) -> str:
    """The model's folder: `path`, a run's own, or the newest that is published there.

    Args:
      path: a model, a run's folder, or the base of numbered versions.

    Raises:
      UserError: there is none.
    """
    if os.path.isfile(os.path.join(path, run_folder.CONFIG)):
        path = os.path.join(path, run_folder.MODEL)
    if not model_folder.is_model(path) and (numbers := publish.versions(path)):
        path = publish.folder_of(path, numbers[-1])
        if not model_folder.is_model(path):
            raise UserError(
                f"{path}, the newest version there, is no kfer model; publish one "
                "or name another version's folder"
            )
    model_folder.read_description(path)
    return path
