"""The graphs of a SavedModel's signatures: pictures in, answers by target out."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from kfer.data import augment
from kfer.errors import UserError
from kfer.evaluation import samples
from kfer.metrics import calibration
from kfer.serving import encoded, freezing, model_folder
from kfer.settings.config import ExperimentConfig
from kfer.tasks import LabelTask, task_of_target

SERVING_DEFAULT = "serving_default"
PREDICT_IMAGES = "predict_images"
PREDICT_EXAMPLES = "predict_examples"
GENERATE = "generate"

OUT_OF_RANGE = "images must lie in [-1, 1]"

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

    def from_images(
        images: tf.Tensor, good: tf.Tensor, fault: str
    ) -> dict[str, tf.Tensor]:
        # What a bad row holds must not reach the network, whatever it is.
        images = tf.where(good[:, None, None, None], images, 0.0)
        found = answer(_at_least_one(images))
        rows = {name: value[: tf.shape(good)[0]] for name, value in found.items()}
        return outputs(config, rows, good, fault)

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        images, whole = encoded.decoded(image_bytes, side)
        return from_images(augment.normalise(images), whole, encoded.NOT_WHOLE)

    def predict_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return from_images(images, inside(images, -1.0, 1.0), OUT_OF_RANGE)

    def predict_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        found = serve(encoded.pictures_of(examples))
        return {name: _a_row(value) for name, value in found.items()}

    files = tf.TensorSpec([None], tf.string, "image_bytes")
    serialized = tf.TensorSpec([None], tf.string, "examples")
    pixels = tf.TensorSpec([None, side, side, 3], tf.float32, "images")
    found = {
        SERVING_DEFAULT: _concrete(serve, files),
        PREDICT_IMAGES: _concrete(predict_images, pixels),
        PREDICT_EXAMPLES: _concrete(predict_examples, serialized),
    }
    if include_decoder:
        found[GENERATE] = _generate(method, config)
    return found


def _a_row(value: tf.Tensor) -> tf.Tensor:
    """Strings [B] as [B, 1]: a lone one as a row is none to TFX's BulkInferrer."""
    lone = value.dtype == tf.string and value.shape.rank == 1
    return value[:, tf.newaxis] if lone else value


def _at_least_one(images: tf.Tensor) -> tf.Tensor:
    """A row more where there is none: oneDNN's fused convolution fails on an empty
    batch."""
    one_if_empty = tf.cast(tf.equal(tf.shape(images)[0], 0), tf.int32)
    return tf.pad(images, [[0, one_if_empty], [0, 0], [0, 0], [0, 0]])


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
    names = [model_folder.STATUS]
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
    config: ExperimentConfig,
    answers: Mapping[str, tf.Tensor],
    good: tf.Tensor,
    fault: str,
) -> dict[str, tf.Tensor]:
    """What a serving client reads; each output has one row an image.

    Args:
      config: of the method.
      answers: target -> [B, size].
      good: bool [B], whether a row's image was one.
      fault: what is wrong with the others.

    Returns:
      'status' string [B], b'OK' or the fault; where there is one, all numbers are 0 and
      the class is ''. For a target of classes: <target> probabilities [B, K],
      <target>_class string [B], <target>_confidence [B], <target>_classes string
      [B, K], the names in the order of the probabilities. For a target of values:
      <target> [B, D] within its range.
    """
    found = {model_folder.STATUS: tf.where(good, model_folder.OK, fault)}
    for target, task in task_of_target(config.tasks).items():
        found[target] = value = tf.where(good[:, None], answers[target], 0.0)
        if task.is_categorical:
            names = tf.constant(task.classes)
            best = tf.gather(names, tf.argmax(value, axis=1))
            found[f"{target}_class"] = tf.where(good, best, "")
            found[f"{target}_confidence"] = tf.reduce_max(value, axis=1)
            # A row an image, as servers that merge requests ask of every output.
            found[f"{target}_classes"] = tf.tile(names[None], [tf.shape(value)[0], 1])
    return found


def checked(values: tf.Tensor, low: float, high: float, name: str) -> tf.Tensor:
    """The values, if every row lies in [low, high].

    Raises:
      InvalidArgumentError: names the indices of rows that don't, or aren't finite.
    """
    good = inside(values, low, high)
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


def inside(values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Whether each row lies in [low, high] but for rounding, bool [B]."""
    slack = _TOLERANCE if values.dtype.is_floating else 0
    found = (values >= low - slack) & (values <= high + slack)
    # Not by a flattened shape: that of an empty batch can't be inferred.
    return tf.reduce_all(found, axis=list(range(1, values.shape.rank)))


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
