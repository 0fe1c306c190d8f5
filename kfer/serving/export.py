"""A trained method -> SavedModel, ONNX or TFLite, written whole or not at all."""

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.faces import recorded
from kfer.serving import assets, confidence, convert, latency, model_folder, runtimes
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.storage import whole
from kfer.training import run_folder


@dataclasses.dataclass(frozen=True)
class Exported:
    """A model that was written.

    Attributes:
      path: its folder.
      signatures: name -> {'inputs': {name: 'dtype [shape]'}, 'outputs': the same}.
      num_parameters: numbers that were learned.
      megabytes: of all files, in 10^6 bytes.
      calibration: see kfer.serving.confidence.calibrate.
    """

    path: str
    signatures: dict[str, dict[str, dict[str, str]]]
    num_parameters: int
    megabytes: float
    calibration: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )

    def describe(self) -> str:
        """Path, size, signatures and calibration in words."""
        size = f"{self.megabytes:.1f} MB, {self.num_parameters:,} parameters"
        lines = [f"{self.path}: {size}"]
        for name, signature in self.signatures.items():
            lines.append(f"{name}:")
            lines += [f"  <- {key}: {v}" for key, v in signature["inputs"].items()]
            lines += [f"  -> {key}: {v}" for key, v in signature["outputs"].items()]
        if self.calibration:
            lines.append(confidence.describe(self.calibration))
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Notes:
    """What is told of a model beside its weights.

    Attributes:
      step: of training.
      details: more for labels.json and the model card.
      calibration: of the confidence, see kfer.serving.confidence.calibrate; empty
        leaves the probabilities as the network gives them.
      framing: of the training pictures, see kfer.faces.recorded; empty if unknown.
    """

    step: int = 0
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )
    framing: Mapping[str, str] = dataclasses.field(default_factory=dict)


NO_NOTES = Notes()


def export_model(
    method: Any,
    config: ExperimentConfig,
    out_dir: str,
    include_decoder: bool = False,
    overwrite: bool = False,
    notes: Notes = NO_NOTES,
) -> Exported:
    """Writes what answers for pictures: by default the encoder alone.

    Signatures 'serving_default' (encoded pictures), 'predict_images' (float32
    pictures), 'predict_examples' (serialized tf.train.Examples) and, with the decoder,
    'generate'; see kfer.serving.signatures. Class names are outputs and lie in
    assets/labels.json; assets/model_card.md tells people the same.
    assets.extra has requests that a server warms up with.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.
      out_dir: must not exist or be empty, unless `overwrite`.
      include_decoder: with G_X.
      overwrite: a kfer SavedModel there is replaced, once the new one is complete.
      notes: see Notes.

    Raises:
      UserError: the place is taken, the disk refused, the model has diverged, or there
        is no decoder to include.
    """
    import tensorflow as tf

    from kfer.serving import signatures, warmup

    model_folder.check_target(out_dir, overwrite)
    temperatures = confidence.temperatures(notes.calibration)
    function = signatures.answer_function(method, config, temperatures)
    answers = function.get_concrete_function()
    functions = signatures.signatures(method, config, answers, include_decoder)
    parameters = _checked([answers, *functions.values()])
    described = assets.describe(config, functions, **vars(notes))
    with (
        model_folder.new_folder(out_dir, overwrite) as folder,
        tempfile.TemporaryDirectory() as temporary,
    ):
        module = tf.Module()
        # The encoder is in the graph, and only what else is read is saved, so without
        # 'generate' no variable is.
        module.captured = [v for f in functions.values() for v in f.variables]
        paths = assets.write(temporary, described)
        module.files = [tf.saved_model.Asset(path) for path in paths]
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, folder, functions, options)
        warmup.write(folder, config.image_size)
        megabytes = whole.sync_all(folder) / 1e6
    return _exported(out_dir, described, parameters, megabytes)


def _exported(
    out_dir: str, described: Mapping[str, Any], parameters: int, megabytes: float
) -> Exported:
    names = ("signatures", "calibration")
    signatures, calibration = (described[name] for name in names)
    return Exported(out_dir, signatures, parameters, megabytes, calibration)


def export_converted(
    method: Any,
    config: ExperimentConfig,
    out_dir: str,
    form: str,
    quantize: bool = False,
    overwrite: bool = False,
    notes: Notes = NO_NOTES,
) -> Exported:
    """Writes the encoder in ONNX or TFLite: model.onnx or model.tflite, and assets/.

    It takes 'images', float32 RGB in [-1, 1], any number, and answers by target name;
    see kfer.serving.convert.

    Args:
      method, config, out_dir, overwrite, notes: see export_model.
      form: convert.ONNX or convert.TFLITE.
      quantize: TFLite's weights as int8.

    Raises:
      UserError: see export_model; or a package for the conversion is missing.
    """
    from kfer.serving import signatures

    model_folder.check_target(out_dir, overwrite)
    temperatures = confidence.temperatures(notes.calibration)
    function = signatures.answer_function(method, config, temperatures)
    answers = function.get_concrete_function()
    parameters = _checked([answers])
    described = assets.describe(
        config, {signatures.PREDICT_IMAGES: answers}, **vars(notes)
    )
    described |= {"format": form, "quantized": quantize}
    with model_folder.new_folder(out_dir, overwrite) as folder:
        convert.write(folder, function, form, quantize)
        beside = os.path.join(folder, "assets")
        os.mkdir(beside)
        assets.write(beside, described)
        megabytes = whole.sync_all(folder) / 1e6
    return _exported(out_dir, described, parameters, megabytes)


def export_run(
    run_dir: str,
    out_dir: str = "",
    include_decoder: bool = False,
    overwrite: bool = False,
    calibrate_on: str = confidence.AUTO,
    data_dir: str = "",
    form: str = convert.SAVED_MODEL,
    quantize: bool = False,
    test_averaging: str = "",
) -> Exported:
    """Exports a run's newest checkpoint, by default into its own model/.

    Args:
      run_dir: of kfer-train.
      out_dir, include_decoder, overwrite: see export_model.
      calibrate_on: see kfer.serving.confidence.calibrate.
      data_dir: prepared data set to calibrate on; the run's own if ''.
      form, quantize: see export_converted; there is no decoder but in a SavedModel.
      test_averaging: what its answers are the mean of, see Optimization; '' for the
        run's own.

    Raises:
      UserError: no run, no checkpoint, no data set, or see export_model.
    """
    out_dir = out_dir or os.path.join(run_dir, run_folder.MODEL)
    run_folder.load_config(run_dir)
    model_folder.check_target(out_dir, overwrite)
    from kfer.training import compiling

    method, config, step = compiling.restored(run_dir, test_averaging=test_averaging)
    calibration = _calibration(method, config, run_dir, data_dir, calibrate_on)
    versions = run_folder.read_json(os.path.join(run_dir, run_folder.VERSIONS))
    data = versions.get("data", {})
    details = {
        "commit": versions.get("commit", ""),
        "data": data.get("content_hash", ""),
    }
    notes = Notes(step, details, calibration, data.get(recorded.KEY) or {})
    if form != convert.SAVED_MODEL:
        return export_converted(
            method, config, out_dir, form, quantize, overwrite, notes
        )
    return export_model(method, config, out_dir, include_decoder, overwrite, notes)


def _calibration(
    method: Any, config: ExperimentConfig, run_dir: str, data_dir: str, split: str
) -> dict[str, dict[str, Any]]:
    if split == confidence.NONE:
        return {}
    try:
        dataset = scoring.load_data(run_dir, data_dir)
        return confidence.calibrate(method, config, dataset, split)
    except UserError as error:
        raise UserError(
            f"The confidence can't be calibrated: {error} (--calibrate_on={split}; "
            "--data_dir names another data set, --calibrate_on=none leaves it out)"
        ) from error


def _checked(functions: Iterable[Any]) -> int:
    """How many numbers the functions' variables hold, all of them finite."""
    found = {id(v): v for function in functions for v in function.variables}
    for variable in found.values():
        if not np.all(np.isfinite(variable.numpy())):
            raise UserError(
                f"The model has diverged: {variable.name} is not finite; train again "
                "with a lower learning rate"
            )
    return sum(int(np.prod(variable.shape)) for variable in found.values())


def load_answers(model_dir: str) -> tuple[ExperimentConfig, scoring.Answers]:
    """A model as evaluation.collect takes it, and the config that goes with it."""
    config = config_lib.from_dict(model_folder.read_description(model_dir)["config"])
    recipe = dataclasses.replace(config.recipe, channel_order="rgb")
    return dataclasses.replace(config, recipe=recipe), runtimes.load(model_dir)


def latency_of(model_dir: str) -> dict[int, float]:
    """Milliseconds by batch size of a written model on this machine."""
    config, answers = load_answers(model_dir)
    return latency.measure(answers, config.image_size, repeats=5)
