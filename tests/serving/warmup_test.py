import io
import os

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import prediction_log_pb2

from kfer.serving import warmup
from tests import runs


def logs(model_dir):
    path = os.path.join(model_dir, warmup.FOLDER, warmup.FILE)
    records = tf.data.TFRecordDataset(path).as_numpy_iterator()
    return [prediction_log_pb2.PredictionLog.FromString(one) for one in records]


def test_a_model_answers_all_its_warm_up_requests():
    """A server that fails one of them does not load the model at all."""
    signatures = tf.saved_model.load(runs.model()).signatures
    sizes = []
    for log in logs(runs.model()):
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        found = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        (size,) = {len(value) for value in inputs.values()}
        assert found["expression"].shape == (size, 7)
        sizes.append((name, size))
    expected = [("serving_default", size) for size in (1, 8, 32, 64)]
    assert sizes == [*expected, ("predict_images", 1)]


def test_the_picture_is_a_gradient_of_the_models_size():
    picture = np.asarray(Image.open(io.BytesIO(warmup.picture(64)))).astype(int)
    assert picture.shape == (64, 64, 3)
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    wanted = [[0, 0, 255], [255, 0, 0], [0, 255, 255], [255, 255, 0]]
    assert np.abs(corners - wanted).max() < 40
