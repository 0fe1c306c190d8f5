"""Latency of an exported encoder in every format, printed as one JSON line.

  python benchmarks/serving.py --image_size=64 --threads=2

The network has the paper's width and random weights: time does not depend on them. Each
format gets float images, so that the numbers compare. 'session' is the SavedModel in a
session, as TensorFlow Serving runs it; 'serving_default' has the decoding of a JPEG
before it.
"""

import json
import os
import platform
import tempfile
from collections.abc import Sequence

import numpy as np
from absl import app, flags

from kfer.bin import common
from kfer.serving import latency, model_folder, warmup
from kfer.settings import config as config_lib

FLAGS = flags.FLAGS

flags.DEFINE_enum("image_size", "64", ["32", "64"], "Side in pixels.")
flags.DEFINE_float("width", 1.0, "Factor of all channel counts; 1 is the paper's.")
flags.DEFINE_integer("threads", 2, "Threads of the one pool that computes.", 1)
flags.DEFINE_integer("repeats", 30, "Timed requests of one picture.", 1)
flags.DEFINE_list("formats", list(model_folder.FILES), "Formats to measure.")

_EXPERIMENTS = {32: "cifar10_multi", 64: "raf_multi"}


def build(config: config_lib.ExperimentConfig):
    """The encoder alone, with random weights."""
    from kfer import methods
    from kfer.training.optimizers import Adam

    method = methods.build(config)
    method.compile(Adam())
    method.build_all()
    return method


def write(method, config, folder: str, form: str, quantize: bool = False) -> str:
    """The model in a format; its folder."""
    from kfer.serving import export

    path = os.path.join(folder, f"{form}-{quantize}")
    if form == "saved_model":
        export.export_model(method, config, path)
    else:
        export.export_converted(method, config, path, form, quantize)
    return path


def measure(path: str, size: int) -> dict[str, float]:
    """Size in MB, milliseconds of one picture and images a second of 64."""
    from kfer.serving import runtimes

    files = [os.path.join(r, n) for r, _, names in os.walk(path) for n in names]
    megabytes = round(sum(map(os.path.getsize, files)) / 1e6, 1)
    images = random_images(size)
    answers = runtimes.load(path, FLAGS.threads)
    timed = times(lambda: answers(images[:1]), lambda: answers(images))
    return {"megabytes": megabytes, **timed}


def random_images(size: int) -> np.ndarray:
    """float32 [64, S, S, 3] in [-1, 1]."""
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (64, size, size, 3)).astype(np.float32)


def times(one, many) -> dict[str, float]:
    """Of a call with one picture and one with 64."""
    taken = latency.milliseconds(one, FLAGS.repeats)
    batch = latency.milliseconds(many, max(5, FLAGS.repeats // 6))
    return {
        "batch_1_milliseconds": round(taken, 2),
        "batch_64_images_per_second": round(64_000 / batch, 1),
    }


def measure_session(path: str, size: int) -> dict[str, float]:
    """'predict_images' in a session."""
    import tensorflow as tf

    v1 = tf.compat.v1
    threads = v1.ConfigProto(
        intra_op_parallelism_threads=FLAGS.threads, inter_op_parallelism_threads=1
    )
    images = random_images(size)
    with tf.Graph().as_default(), v1.Session(config=threads) as session:
        graph = v1.saved_model.load(session, ["serve"], path)
        signature = graph.signature_def["predict_images"]
        outputs = [row.name for row in signature.outputs.values()]
        call = session.make_callable(outputs, [signature.inputs["images"].name])
        return times(lambda: call(images[:1]), lambda: call(images))


def measure_encoded(path: str, size: int) -> dict[str, float]:
    """The same of 'serving_default' with JPEGs of the model's size."""
    import tensorflow as tf

    serve = model_folder.load(path).signatures["serving_default"]
    data = warmup.picture(size)
    one, many = tf.constant([data]), tf.constant([data] * 64)
    return times(lambda: serve(image_bytes=one), lambda: serve(image_bytes=many))


def main(argv: Sequence[str]) -> None:
    del argv
    common.import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    size = int(FLAGS.image_size)
    config = config_lib.experiment_config(
        _EXPERIMENTS[size], method="vgg_all", image_size=size, width=FLAGS.width
    )
    from kfer import methods

    config = methods.resolve_tasks(config)
    method = build(config)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FLAGS.formats:
            path = write(method, config, folder, form)
            found[form] = measure(path, size)
            if form == "saved_model":
                found["serving_default"] = measure_encoded(path, size)
                found["session"] = measure_session(path, size)
            if form == "tflite":
                path = write(method, config, folder, form, quantize=True)
                found["tflite_int8_weights"] = measure(path, size)
    result = {
        **found,
        "image_size": size,
        "width": FLAGS.width,
        "threads": FLAGS.threads,
        "command": common.command_line(),
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "load_average": os.getloadavg()[0],
        "tensorflow": tf.__version__,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    common.quiet()
    app.run(main)
