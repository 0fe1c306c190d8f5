"""A method's steps as XLA modules, with a map of what goes in and comes out.

XLA's bridge gives a compiled tf.function as one module whose inputs are the arguments
and then the captured variables, in capture order, and whose outputs are the results and
then each variable that the function assigned, in the same order.
"""

import json
import math
import os
from collections.abc import Callable
from typing import Any

import arrays
import numpy as np
import tensorflow as tf
from exportable import check

from kfer.errors import UserError
from kfer.models import flops
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, Noise

FORMAT_VERSION = 1
# Beside the folder, where all that were exported apart find them.
PICTURES = os.path.join("..", "pictures.npz")
# An initializer that is known by its rule alone; see initial.py.
RULES = ("Zeros", "Ones", "RandomUniform", "RandomNormal", "HeNormal", "_UnitNormal")


def build(config: ExperimentConfig) -> tuple[Any, dict[Any, Any]]:
    """The method, and by variable the initializer that drew it, if one did.

    Raises:
      UserError: see `check`.
    """
    drawn = {}

    def creator(create: Callable, **settings: Any) -> Any:
        variable = create(**settings)
        initializer = getattr(settings.get("initial_value"), "func", None)
        drawn[variable.ref()] = getattr(initializer, "__self__", initializer)
        return variable

    from kfer.training import compiling

    tf.keras.utils.set_random_seed(config.seed)
    with tf.variable_creator_scope(creator):
        method = compiling.compiled(config)
    check(method, config)
    return method, drawn


def variables_of(method: Any) -> list[Any]:
    """Every variable that a step may read, in an order that depends on the config."""
    names = ("generator", "discriminator", "decoder")
    optimizers = [getattr(method, f"{name}_optimizer") for name in names]
    found = list(method.variables)
    for optimizer in filter(None, optimizers):
        found += [*optimizer.variables, optimizer.learning_rate]
    return list({variable.ref(): variable for variable in found}.values())


def describe(method: Any, drawn: dict[Any, Any]) -> list[dict[str, Any]]:
    """A row of map.json for every variable."""
    metrics = {v.ref() for metric in method.metrics for v in metric.variables}
    weights = {v.ref() for v in method.variables} - metrics
    rows = []
    for index, variable in enumerate(variables_of(method)):
        ref = variable.ref()
        role = "metric" if ref in metrics else "weight"
        rows.append(
            {
                # Some names occur twice.
                "name": f"{index:04d} {variable.name}",
                "shape": variable.shape.as_list(),
                "dtype": variable.dtype.name,
                "role": role if ref in metrics | weights else "optimizer",
                "start": rule(variable, drawn.get(ref)),
            }
        )
    return rows


def rule(variable: Any, initializer: Any) -> dict[str, Any] | None:
    """How initial.py makes the variable's first value; None if it can't."""
    kind = type(initializer).__name__
    if kind in RULES:
        return {"rule": kind, **initializer.get_config()}
    value = variable.numpy()
    if (value == value.flat[0]).all():
        return {"rule": "Constant", "value": value.flat[0].item()}
    return None


class Exporter:
    """Writes modules that share one list of variables."""

    def __init__(self, method: Any, out_dir: str):
        self.out_dir = out_dir
        self.index = {
            id(v.handle): index for index, v in enumerate(variables_of(method))
        }
        self.modules: dict[str, Any] = {}

    def write(self, name: str, function: Callable, batch: Any) -> None:
        """Compiles function(batch) and writes it.

        Args:
          name: of the module.
          function: of the batch; gives a dict of tensors.
          batch: a structure of tf.TensorSpec.

        Raises:
          UserError: the function reads a tensor that was made outside of it.
        """
        flat = tf.nest.flatten(batch)

        def call(*parts: tf.Tensor) -> dict[str, tf.Tensor]:
            return function(tf.nest.pack_sequence_as(batch, parts))

        compiled = tf.function(call, jit_compile=True, autograph=False)
        graph = compiled.get_concrete_function(*flat)
        captured = self._captured(name, graph.graph.captures)
        get_ir = compiled.experimental_get_compiler_ir(*flat)
        with open(os.path.join(self.out_dir, f"{name}.hlo"), "wb") as file:
            file.write(get_ir(stage="hlo_serialized"))
        self.modules[name] = {
            "batch": [
                {"name": part, "shape": spec.shape.as_list(), "dtype": spec.dtype.name}
                for part, spec in zip(paths(batch), flat, strict=True)
            ],
            "variables": [index for index, _ in captured],
            "updated": [index for index, written in captured if written],
            "results": paths(graph.structured_outputs),
        }

    def _captured(self, name: str, captures: Any) -> list[tuple[int, bool]]:
        """Which variables a module reads, in order, and whether it may assign them."""
        for outer, _ in captures:
            if id(outer) not in self.index:
                raise UserError(
                    f"{name} can't be exported: it reads a tensor of {outer.shape} "
                    "that is no variable; make it a constant within the step"
                )
        return [(self.index[id(outer)], writes(inner)) for outer, inner in captures]


def writes(variable: Any) -> bool:
    """Whether an op of the graph may assign the variable (a resource tensor).

    Raises:
      RuntimeError: it goes into a function, where this can't be seen.
    """
    kinds = {operation.type for operation in variable.consumers()}
    inside = {kind for kind in kinds if "Call" in kind or "If" in kind}
    if inside:
        raise RuntimeError(f"{variable.name} goes into {sorted(inside)}")
    return bool(kinds - {"ReadVariableOp", "VariableShape"})


def paths(structure: Any) -> list[str]:
    """'labels/annotator_1' and so on, in the order of tf.nest.flatten."""
    if hasattr(structure, "_asdict"):
        items = structure._asdict().items()
    elif isinstance(structure, dict):
        items = sorted(structure.items())
    else:
        return [""]
    return [
        f"{name}/{rest}" if rest else name
        for name, inner in items
        for rest in paths(inner)
    ]


def batch_spec(config: ExperimentConfig) -> Any:
    """What a training step reads."""

    def spec(*shape: int, dtype: Any = tf.float32) -> tf.TensorSpec:
        return tf.TensorSpec([config.batch_size, *shape], dtype)

    side, noise = config.image_size, config.noise_size
    return Batch(
        image=spec(side, side, 3),
        labels={
            t.name: spec(dtype=tf.int32) if t.is_categorical else spec(t.size)
            for t in config.tasks
        },
        mask={task.name: spec() for task in config.tasks},
        noise=Noise(
            spec(noise),
            spec(noise),
            spec(2 * config.channels(config.embedding_size)),
        ),
        index=spec(dtype=tf.int64),
    )


def export(
    config: ExperimentConfig,
    dataset: Any,
    out_dir: str,
    with_values: bool = False,
    images: str = arrays.PIXELS,
) -> Any:
    """Writes the folder; see export_step.py.

    Args:
      config: after methods.resolve_tasks.
      dataset: a prepared data set.
      out_dir: new or to be overwritten.
      with_values: write values.npz.
      images: one of arrays.IMAGES.

    Returns:
      The method at its start.

    Raises:
      UserError: see `build`.
    """
    method, drawn = build(config)
    variables = describe(method, drawn)
    values = {
        row["name"]: variable.numpy()
        for row, variable in zip(variables, variables_of(method), strict=True)
    }
    if not with_values:
        values = {r["name"]: values[r["name"]] for r in variables if not r["start"]}
    os.makedirs(out_dir, exist_ok=True)
    np.savez(os.path.join(out_dir, "values.npz"), **values)
    data = arrays.of_dataset(dataset, config, images)
    np.savez(os.path.join(out_dir, "data.npz"), **data)
    exporter = Exporter(method, out_dir)
    warmup_epochs = config.recipe.gan_start_epoch + 1 if method.has_warmup else 0
    _write_steps(exporter, method, config, bool(warmup_epochs))
    _write_serving(exporter, method, config)
    if config.recipe.encoder_start == "standardized":
        _write_start(exporter, method, config)
    content = {
        "format_version": FORMAT_VERSION,
        "config": config_lib.to_dict(config),
        "content_hash": dataset.content_hash,
        "pictures": PICTURES if images == arrays.APART else "",
        "warmup_epochs": warmup_epochs,
        "variables": variables,
        "modules": exporter.modules,
    }
    with open(os.path.join(out_dir, "map.json"), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    return method


def _write_steps(
    exporter: Exporter, method: Any, config: ExperimentConfig, has_warmup: bool
) -> None:
    """The modules that train, and what a step of each costs."""
    for name in ("warmup", "train") if has_warmup else ("train",):
        method.warmup = name == "warmup"
        exporter.write(name, method.train_step, batch_spec(config))
        cost = flops.training_flops(config, config.batch_size, method.warmup)
        exporter.modules[name]["pflop"] = cost / 1e15


def _write_start(exporter: Exporter, method: Any, config: ExperimentConfig) -> None:
    """The module that fits the encoder's dense layers to the first pictures."""
    batches = math.ceil(method.encoder.trunk.start_images / config.batch_size)
    side = config.image_size
    image = tf.TensorSpec([batches * config.batch_size, side, side, 3], tf.float32)

    def fit(parts: dict[str, Any]) -> dict[str, Any]:
        for encoder in method.encoders:
            encoder.trunk.start(parts["image"])
        return {}

    exporter.write("start", fit, {"image": image})


def _write_serving(exporter: Exporter, method: Any, config: ExperimentConfig) -> None:
    """The modules that answer and draw."""
    spec = batch_spec(config)

    def answers(parts: dict[str, Any]) -> dict[str, Any]:
        return method.answers(parts["image"])

    exporter.write("answers", answers, {"image": spec.image})
    if getattr(method, "decoder", None) is None:
        return
    labels = {
        task.name: tf.TensorSpec([config.batch_size, task.size], tf.float32)
        for task in config.stream_tasks
    }

    def draw(parts: dict[str, Any]) -> dict[str, Any]:
        return {"image": method.decoder(parts["y0"], parts["labels"])}

    exporter.write("draw", draw, {"y0": spec.noise.y0_decoder, "labels": labels})
