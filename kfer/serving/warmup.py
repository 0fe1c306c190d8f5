"""Requests that TensorFlow Serving replays before a model answers its first client."""

import io
import os

import numpy as np
from PIL import Image

FOLDER = "assets.extra"
FILE = "tf_serving_warmup_requests"

# Pictures in a request; docs/guide/serving.md has a server batch to these sizes.
BATCH_SIZES = (1, 8, 32, 64)


def write(model_dir: str, image_size: int) -> str:
    """Writes PredictionLog records into a SavedModel's folder; the file's path.

    'serving_default' is sent one request of each of BATCH_SIZES, 'predict_images' one
    picture.

    Args:
      model_dir: holds the SavedModel.
      image_size: side of its images in pixels.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = os.path.join(model_dir, FOLDER, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tf.io.TFRecordWriter(path) as writer:
        for signature, name, values in _requests(image_size):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "kfer"
            request.model_spec.signature_name = signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
    return path


def _requests(image_size: int) -> list[tuple[str, str, np.ndarray]]:
    data = picture(image_size)
    encoded = [
        ("serving_default", "image_bytes", np.array([data] * size, object))
        for size in BATCH_SIZES
    ]
    images = np.zeros((1, image_size, image_size, 3), np.float32)
    return [*encoded, ("predict_images", "images", images)]


def picture(image_size: int) -> bytes:
    """A JPEG of a colour gradient: nobody's picture."""
    ramp = np.linspace(0, 255, image_size).astype(np.uint8)
    red, green = np.meshgrid(ramp, ramp)
    buffer = io.BytesIO()
    pixels = np.stack([red, green, 255 - red], axis=-1)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
