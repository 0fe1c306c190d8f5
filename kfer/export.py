"""A trained method -> SavedModel, written whole or not at all."""

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

import kfer
from kfer import config as config_lib
from kfer import evaluation, model_folder, run_folder
from kfer.config import ExperimentConfig
from kfer.data import folder as folder_lib
from kfer.errors import UserError

MODEL_CARD = "model_card.md"


@dataclasses.dataclass(frozen=True)
class Exported:
    """A SavedModel that was written.

    Attributes:
      path: its folder.
      signatures: name -> {'inputs': {name: 'dtype [shape]'}, 'outputs': the same}.
      num_variables: in the model.
      megabytes: of all files, in 10^6 bytes.
    """

    path: str
    signatures: dict[str, dict[str, dict[str, str]]]
    num_variables: int
    megabytes: float

    def describe(self) -> str:
        """Path, size and signatures in words."""
        size = f"{self.megabytes:.1f} MB, {self.num_variables} variables"
        lines = [f"{self.path}: {size}"]
        for name, signature in self.signatures.items():
            lines.append(f"{name}:")
            lines += [f"  <- {key}: {v}" for key, v in signature["inputs"].items()]
            lines += [f"  -> {key}: {v}" for key, v in signature["outputs"].items()]
        return "\n".join(lines)


def export_model(
    method: Any,
    config: ExperimentConfig,
    out_dir: str,
    include_decoder: bool = False,
    overwrite: bool = False,
    step: int = 0,
    details: Mapping[str, Any] | None = None,
) -> Exported:
    """Writes what answers for pictures: by default the encoder alone.

    Signatures 'serving_default' (encoded pictures), 'predict_images' (float32 pictures)
    and, with the decoder, 'generate'; see kfer.serving. Class names are outputs and lie
    in assets/labels.json; assets/model_card.md tells people the same.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.
      out_dir: must not exist or be empty, unless `overwrite`.
      include_decoder: with G_X.
      overwrite: a kfer SavedModel there is replaced, once the new one is complete.
      step: of training, noted.
      details: more to note in labels.json and in the model card.

    Raises:
      UserError: the place is taken, the disk refused, the model has diverged, or there
        is no decoder to include.
    """
    import tensorflow as tf

    from kfer import serving

    model_folder.check_target(out_dir, overwrite)
    functions = serving.signatures(method, config, include_decoder)
    variables = _captured(functions)
    described = describe(config, functions, step, details)
    with (
        model_folder.new_folder(out_dir, overwrite) as folder,
        tempfile.TemporaryDirectory() as temporary,
    ):
        module = tf.Module()
        # Only what the signatures read is saved, so no decoder or discriminator is.
        module.captured = variables
        assets = _write_assets(temporary, described)
        module.files = [tf.saved_model.Asset(path) for path in assets]
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, folder, functions, options)
        megabytes = model_folder.sync_all(folder) / 1e6
    return Exported(out_dir, described["signatures"], len(variables), megabytes)


def export_run(
    run_dir: str,
    out_dir: str = "",
    include_decoder: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Exports a run's newest checkpoint, by default into its own model/.

    Raises:
      UserError: no run, no checkpoint, or see export_model.
    """
    out_dir = out_dir or os.path.join(run_dir, run_folder.MODEL)
    run_folder.load_config(run_dir)
    model_folder.check_target(out_dir, overwrite)
    method, config, step = evaluation.load_method(run_dir)
    versions = run_folder.read_json(os.path.join(run_dir, run_folder.VERSIONS))
    details = {
        "commit": versions.get("commit", ""),
        "data": versions.get("data", {}).get("content_hash", ""),
    }
    return export_model(
        method, config, out_dir, include_decoder, overwrite, step, details
    )


def _captured(functions: Mapping[str, Any]) -> list[Any]:
    """The variables that the functions read, checked to be finite."""
    found = {}
    for function in functions.values():
        found |= {id(variable): variable for variable in function.variables}
    for variable in found.values():
        if not np.all(np.isfinite(variable.numpy())):
            raise UserError(
                f"The model has diverged: {variable.name} is not finite; train again "
                "with a lower learning rate"
            )
    return list(found.values())


def describe(
    config: ExperimentConfig,
    functions: Mapping[str, Any],
    step: int,
    details: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The content of assets/labels.json."""
    fields = ("kind", "classes", "dimensions", "low", "high")
    return {
        "format_version": model_folder.FORMAT_VERSION,
        "kfer_version": kfer.__version__,
        "image_size": config.image_size,
        "channel_order": "rgb",
        "targets": [
            {"name": name} | {field: getattr(task, field) for field in fields}
            for name, task in evaluation.task_of_target(config.tasks).items()
        ],
        "signatures": {name: _signature(f) for name, f in functions.items()},
        "step": step,
        "details": dict(details or {}),
        "config": config_lib.to_dict(config),
    }


def _signature(function: Any) -> dict[str, dict[str, str]]:
    def text(spec: Any) -> str:
        return f"{spec.dtype.name} {spec.shape.as_list()}".replace("None", "batch")

    inputs = function.structured_input_signature
    named = {spec.name: spec for spec in (*inputs[0], *inputs[1].values())}
    return {
        "inputs": {name: text(spec) for name, spec in named.items()},
        "outputs": {n: text(s) for n, s in function.structured_outputs.items()},
    }


def _write_assets(folder: str, described: dict[str, Any]) -> list[str]:
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("kfer", "templates"))
    names = {target["name"] for target in described["targets"]}
    faces = bool(names & {"expression", "valence_arousal"})
    card = environment.get_template(MODEL_CARD).render(described, faces=faces)
    paths = []
    files = {model_folder.LABELS: json.dumps(described, indent=1), MODEL_CARD: card}
    for name, text in files.items():
        paths.append(os.path.join(folder, name))
        folder_lib.write_lines(paths[-1], [text])
    return paths


def load_answers(model_dir: str) -> tuple[ExperimentConfig, evaluation.Answers]:
    """A SavedModel as evaluation.collect takes it, and the config that goes with it."""
    config = config_lib.from_dict(model_folder.read_description(model_dir)["config"])
    recipe = dataclasses.replace(config.recipe, channel_order="rgb")
    predict = model_folder.load(model_dir).signatures["predict_images"]

    def answers(image: Any) -> Mapping[str, Any]:
        return predict(images=image)

    return dataclasses.replace(config, recipe=recipe), answers
