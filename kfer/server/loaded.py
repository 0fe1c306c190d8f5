"""One version of a model in memory: a picture's bytes in, a row of answers out."""

import inspect
import os
from typing import Any

import numpy as np

from kfer.faces import recorded
from kfer.images import decode
from kfer.serving import model_folder, predict, warmup

WARM_UP_SIZES = (1, 2, 8, 32)


class LoadedModel:
    """An exported model that takes each picture on its own and answers for many.

    What it says of a picture is what `serving_default` says of it, or of its upright
    copy without transparency, as kfer-predict does.

    Args:
      folder: a SavedModel of kfer.serving.export.
      version: its number.

    Raises:
      UserError: it is damaged, or no SavedModel.
    """

    def __init__(self, folder: str, version: int):
        self.folder, self.version = folder, version
        self.mark = fingerprint(folder)
        self.description = model_folder.read_description(folder)
        self.signatures = read_signatures(folder)
        # The functions live as long as what was loaded.
        self._loaded = model_folder.load(folder)
        self._answer = self._loaded.signatures["predict_images"]
        self._resize = _resizing(self.size)
        # The first call of a graph takes seconds, which no client should wait.
        self.prepare(warmup.picture(self.size), decode.Limits())
        for count in WARM_UP_SIZES:
            self.answer(np.zeros((count, self.size, self.size, 3), np.float32))

    @property
    def size(self) -> int:
        """Side of what the network sees, in pixels."""
        return self.description["image_size"]

    @property
    def has_status(self) -> bool:
        """Whether a row that is no answer says so, see model_folder.STATUS."""
        return model_folder.STATUS in self._answer.structured_outputs

    @property
    def targets(self) -> list[dict[str, Any]]:
        """What it answers: name, kind, classes or dimensions, low and high of each."""
        return self.description["targets"]

    def framing(self, kind: str = "", detector: str = "") -> tuple[str, str]:
        """(framing, detector): those asked for, else those of the training pictures.

        Raises:
          UserError: the model's folder names one that is unknown.
        """
        where = f"{self.folder}/assets/{model_folder.LABELS}"
        return recorded.chosen(self.description, where, kind, detector)

    def prepare(self, data: bytes, limits: decode.Limits) -> np.ndarray:
        """An encoded picture as float32 [S, S, 3] RGB in [-1, 1].

        Raises:
          kfer.images.decode.BadImage: it is none, or beyond the limits.
        """
        import tensorflow as tf

        plain = predict.plain(data, limits)
        try:
            return self._resize(tf.constant(plain)).numpy()
        except tf.errors.InvalidArgumentError as error:
            raise predict.undecodable(data) from error

    def answer(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Output name -> [B, ...] for float32 [B, S, S, 3] RGB in [-1, 1]."""
        import tensorflow as tf

        found = self._answer(images=tf.constant(images))
        return {name: value.numpy() for name, value in found.items()}


def _resizing(size: int) -> Any:
    """The graph of `serving_default` from one picture's bytes to the network."""
    import tensorflow as tf

    from kfer.data import augment
    from kfer.serving import encoded

    def one(data: tf.Tensor) -> tf.Tensor:
        return augment.normalise(encoded.decode_one(data, size))

    spec = tf.TensorSpec([], tf.string)
    return tf.function(one, autograph=False).get_concrete_function(spec)


def fingerprint(folder: str) -> tuple[tuple[int, int, int], ...]:
    """Changes when the files of a model do; empty where they are gone."""
    files = (model_folder.FILES["saved_model"], f"assets/{model_folder.LABELS}")
    try:
        found = [os.stat(os.path.join(folder, name)) for name in files]
    except OSError:
        return ()
    return tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in found)


def read_signatures(folder: str) -> dict[str, Any]:
    """The model's signatures as TensorFlow Serving's /metadata has them.

    Raises:
      UserError: the file is damaged.
    """
    from google.protobuf import message
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    path = os.path.join(folder, model_folder.FILES["saved_model"])
    try:
        with open(path, "rb") as file:
            saved = saved_model_pb2.SavedModel.FromString(file.read())
        defined = saved.meta_graphs[0].signature_def
    except (OSError, message.DecodeError, IndexError) as error:
        raise model_folder.damaged(folder, error) from error
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in defined.items():
        found.signature_def[name].CopyFrom(definition)
    return _in_full(found)


def _in_full(proto: Any) -> dict[str, Any]:
    """A protobuf as a dict, fields that have no value of their own among it."""
    from google.protobuf import json_format

    convert = json_format.MessageToDict
    old, new = "including_default_value_fields", "always_print_fields_with_no_presence"
    # protobuf 4, which the TFX stack holds, has the old name; 5 has the new one alone.
    name = new if new in inspect.signature(convert).parameters else old
    return convert(proto, preserving_proto_field_name=True, **{name: True})
