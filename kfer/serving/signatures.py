"""The graphs of a SavedModel's signatures: pictures in, answers by target out."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from kfer.data import augment, record
from kfer.errors import UserError
from kfer.evaluation import samples
from kfer.metrics import calibration
from kfer.serving import freezing
from kfer.settings.config import ExperimentConfig
from kfer.tasks import LabelTask, task_of_target

SERVING_DEFAULT = "serving_default"
PREDICT_IMAGES = "predict_images"
PREDICT_EXAMPLES = "predict_examples"
GENERATE = "generate"

# Feature of an example that holds the encoded picture.
PICTURE = record.IMAGE

_PARALLEL_DECODES = 4
# What float images may stand out of [-1, 1] by rounding.
_TOLERANCE = 1e-3


def signatures(
    method: Any, config: ExperimentConfig, answers: Any, include_decoder: bool = False
) -> dict[str, Any]:
    """Signature name -> concrete function; see docs of each function below.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.
      answers: concrete function of `answer_function`; its variables become constants.
      include_decoder: also GENERATE.

    Raises:
      UserError: a decoder is asked for and the method has none, or two outputs would
        share a name.
    """
    output_names(config)
    side = config.image_size
    # One function that both signatures call, so that its constants are stored once.
    answer = freezing.frozen(answers)

    def from_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
        # oneDNN's fused convolution fails on an empty batch.
        count = tf.shape(images)[0]
        one_if_empty = tf.cast(tf.equal(count, 0), tf.int32)
        images = tf.pad(images, [[0, one_if_empty], [0, 0], [0, 0], [0, 0]])
        found = answer(images)
        return outputs(config, {name: value[:count] for name, value in found.items()})

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return from_images(augment.normalise(decode(image_bytes, side)))

    def predict_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return from_images(checked(images, -1.0, 1.0, "images"))

    def predict_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return serve(pictures_of(examples))

    encoded = tf.TensorSpec([None], tf.string, "image_bytes")
    serialized = tf.TensorSpec([None], tf.string, "examples")
    pixels = tf.TensorSpec([None, side, side, 3], tf.float32, "images")
    found = {
        SERVING_DEFAULT: _concrete(serve, encoded),
        PREDICT_IMAGES: _concrete(predict_images, pixels),
        PREDICT_EXAMPLES: _concrete(predict_examples, serialized),
    }
    if include_decoder:
        found[GENERATE] = _generate(method, config)
    return found


def answer_function(
    method: Any,
    config: ExperimentConfig,
    temperatures: Mapping[str, float] | None = None,
) -> Any:
    """The tf.function from images to answers that every export is made of.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.
      temperatures: target -> T of its probabilities; see kfer.metrics.calibration.

    Returns:
      tf.function of 'images' [B, S, S, 3] float32 RGB in [-1, 1], whose range is not
      checked -> target -> [B, size].
    """
    side = config.image_size

    def predict_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
        if config.recipe.channel_order == "bgr":
            images = tf.reverse(images, axis=[-1])
        found = dict(method.answers(images))
        for target, temperature in (temperatures or {}).items():
            found[target] = tempered(found[target], temperature)
        return found

    spec = tf.TensorSpec([None, side, side, 3], tf.float32, "images")
    return tf.function(predict_images, input_signature=[spec], autograph=False)


def tempered(probabilities: tf.Tensor, temperature: float) -> tf.Tensor:
    """p^(1/T) with rows that sum to 1, [B, K]; calibration.scaled as a graph."""
    logits = tf.math.log(tf.maximum(probabilities, calibration.FLOOR))
    return tf.nn.softmax(logits / temperature)


def _concrete(function: Any, *specs: Any, **named: Any) -> Any:
    graph = tf.function(function, autograph=False)
    return graph.get_concrete_function(*specs, **named)


def output_names(config: ExperimentConfig) -> list[str]:
    """Names of what each signature but GENERATE returns.

    Raises:
      UserError: two are the same, as with targets 'a' and 'a_class'.
    """
    names = []
    for target, task in task_of_target(config.tasks).items():
        suffixes = ("", "_class", "_confidence", "_classes")
        names += [target + s for s in (suffixes if task.is_categorical else ("",))]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(
            f"Two outputs of the model would be called {', '.join(twice)}; give the "
            "tasks other targets"
        )
    return names


def outputs(
    config: ExperimentConfig, answers: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """What a serving client reads; each output has one row an image.

    Returns:
      For a target of classes: <target> probabilities [B, K], <target>_class string [B],
      <target>_confidence [B], <target>_classes string [B, K], the names in the order
      of the probabilities. For a target of values: <target> [B, D] within its range.
    """
    found = {}
    for target, task in task_of_target(config.tasks).items():
        found[target] = value = answers[target]
        if task.is_categorical:
            names = tf.constant(task.classes)
            found[f"{target}_class"] = tf.gather(names, tf.argmax(value, axis=1))
            found[f"{target}_confidence"] = tf.reduce_max(value, axis=1)
            # A row an image, as servers that merge requests ask of every output.
            found[f"{target}_classes"] = tf.tile(names[None], [tf.shape(value)[0], 1])
    return found


def decode(image_bytes: tf.Tensor, size: int) -> tf.Tensor:
    """Encoded JPEG or PNG pictures of any size as [B, size, size, 3] RGB in 0..255.

    The same steps as the input pipeline's: bilinear with antialiasing, the sides scaled
    each by its own factor. EXIF orientation is not applied, transparency is dropped.

    Raises:
      InvalidArgumentError: a row isn't a whole picture; the message names its index.
    """

    def one(data: tf.Tensor, name: str | None = None) -> tf.Tensor:
        picture = tf.io.decode_jpeg(data, channels=3, name=name)  # reads PNG as well
        resized = tf.image.resize(picture, [size, size], antialias=True)
        return tf.ensure_shape(resized, [size, size, 3])

    # A lone picture needs no index, and a tf.data pipeline would cost it some 3 ms.
    return tf.cond(
        tf.equal(tf.size(image_bytes), 1),
        lambda: one(image_bytes[0], "image_bytes_at_index_0")[None],
        lambda: _each(
            image_bytes,
            one,
            tf.zeros([size, size, 3]),
            "image_bytes holds no whole JPEG or PNG picture at index",
        ),
    )


def pictures_of(examples: tf.Tensor) -> tf.Tensor:
    """The encoded pictures [B] of serialized tf.train.Examples, as records have them.

    TFX's BulkInferrer and TFMA's evaluation send such examples.

    Raises:
      InvalidArgumentError: a row is no Example, or has no picture; its index is named.
    """
    spec = {PICTURE: tf.io.FixedLenFeature([], tf.string)}

    def one(example: tf.Tensor) -> tf.Tensor:
        return tf.io.parse_single_example(example, spec)[PICTURE]

    # Not all at once: the parser's message would quote the bytes of a broken one.
    what = f"examples holds no tf.train.Example with a feature {PICTURE} at index"
    return _each(examples, one, tf.constant(""), what)


def _each(values: tf.Tensor, one: Any, empty: tf.Tensor, what: str) -> tf.Tensor:
    """`one` of each of the values: only tf.data can tell which of them failed.

    Args:
      values: [B], string.
      one: value -> what `empty` is one of.
      empty: any result, which isn't returned.
      what: is said of the indices that failed.
    """
    count = tf.size(values, out_type=tf.int64)
    # Not enumerate(), which rewrites the graph, and logs it, at each request.
    rows = tf.data.Dataset.from_tensor_slices((tf.range(count), values))
    good = rows.map(
        lambda index, data: (index, one(data)),
        num_parallel_calls=_PARALLEL_DECODES,
        deterministic=True,
    ).ignore_errors()
    # Without a row of its own, an empty request would be an empty data set.
    first = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), empty))
    options = tf.data.Options()
    # They cost more than they gain in so short a pipeline.
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    whole = first.concatenate(good).batch(count + 1).with_options(options)
    index, found = whole.get_single_element()
    missing = tf.sets.difference(tf.range(count)[None], index[None, 1:]).values
    check = tf.debugging.Assert(
        tf.equal(tf.size(missing), 0),
        [what, missing],
        summarize=16,
    )
    with tf.control_dependencies([check]):
        return tf.identity(found[1:])


def checked(values: tf.Tensor, low: float, high: float, name: str) -> tf.Tensor:
    """The values, if every row lies in [low, high].

    Raises:
      InvalidArgumentError: names the indices of rows that don't, or aren't finite.
    """
    slack = _TOLERANCE if values.dtype.is_floating else 0
    inside = (values >= low - slack) & (values <= high + slack)
    # Not by a flattened shape: that of an empty batch can't be inferred.
    good = tf.reduce_all(inside, axis=list(range(1, values.shape.rank)))
    check = tf.debugging.Assert(
        tf.reduce_all(good),
        [
            f"{name} must lie in [{low:g}, {high:g}]; not at index",
            tf.where(~good)[:, 0],
        ],
        summarize=16,
    )
    with tf.control_dependencies([check]):
        return tf.identity(values)


def _generate(method: Any, config: ExperimentConfig) -> Any:
    """y0 [B, Z] and the labels of each stream task -> pictures by G_X.

    Labels are int32 [B] classes, -1 for none, or float32 [B, D] values. Outputs:
    'image' uint8 [B, S, S, 3] and 'image_float' float32 in [-1, 1], both RGB.
    """
    if getattr(method, "decoder", None) is None:
        raise UserError(
            f"Method {config.method!r} has no decoder to export; leave it out"
        )
    tasks = config.stream_tasks

    def generate(y0: tf.Tensor, **labels: tf.Tensor) -> dict[str, tf.Tensor]:
        given = {task.name: _decoder_input(task, labels[task.name]) for task in tasks}
        image = method.decoder(y0, given)
        order = config.recipe.channel_order
        shown = tf.reverse(image, axis=[-1]) if order == "bgr" else image
        return {"image": samples.to_uint8(image, order), "image_float": shown}

    y0 = tf.TensorSpec([None, config.noise_size], tf.float32, "y0")
    return _concrete(generate, y0, **{task.name: _label_spec(task) for task in tasks})


def _label_spec(task: LabelTask) -> tf.TensorSpec:
    if task.is_categorical:
        return tf.TensorSpec([None], tf.int32, task.name)
    return tf.TensorSpec([None, task.size], tf.float32, task.name)


def _decoder_input(task: LabelTask, label: tf.Tensor) -> tf.Tensor:
    if task.is_categorical:
        label = checked(label[:, None], -1, task.size - 1, task.name)[:, 0]
        return tf.one_hot(label, task.size)
    return checked(label, task.low, task.high, task.name)
