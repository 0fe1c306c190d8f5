"""A model as it was exported before its rows had a status."""

import os
import shutil

import tensorflow as tf

from kfer.data import augment
from kfer.serving import encoded, signatures
from tests import runs


def write(path) -> str:
    """runs.model() without 'status': a bad row fails the whole request."""
    module = tf.Module()
    module.newer = tf.saved_model.load(runs.model())
    answer = module.newer.signatures["predict_images"]

    def from_images(images):
        found = answer(images=signatures.checked(images, -1.0, 1.0, "images"))
        return {name: value for name, value in found.items() if name != "status"}

    def serve(image_bytes):
        return from_images(augment.normalise(encoded.decode(image_bytes, 32)))

    files = tf.TensorSpec([None], tf.string, "image_bytes")
    pixels = tf.TensorSpec([None, 32, 32, 3], tf.float32, "images")
    functions = {
        "serving_default": tf.function(serve).get_concrete_function(files),
        "predict_images": tf.function(from_images).get_concrete_function(pixels),
    }
    tf.saved_model.save(module, str(path), functions)
    shutil.copytree(
        os.path.join(runs.model(), "assets"),
        os.path.join(path, "assets"),
        dirs_exist_ok=True,
    )
    return str(path)
