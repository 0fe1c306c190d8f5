"""What lies beside a model for people and programs: labels.json and the model card."""

import json
import os
from collections.abc import Mapping
from typing import Any

import kfer
from kfer import tasks as tasks_lib
from kfer.faces import recorded
from kfer.serving import model_folder
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.storage import whole

MODEL_CARD = "model_card.md"


def describe(
    config: ExperimentConfig,
    functions: Mapping[str, Any],
    step: int,
    details: Mapping[str, Any] | None,
    calibration: Mapping[str, Mapping[str, Any]] | None = None,
    framing: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The content of assets/labels.json."""
    fields = ("kind", "classes", "dimensions", "low", "high")
    return {
        "format_version": model_folder.FORMAT_VERSION,
        "kfer_version": kfer.__version__,
        "image_size": config.image_size,
        "channel_order": "rgb",
        recorded.KEY: dict(framing or {}) or None,
        "targets": [
            {"name": name} | {field: getattr(task, field) for field in fields}
            for name, task in tasks_lib.task_of_target(config.tasks).items()
        ],
        "signatures": {name: _signature(f) for name, f in functions.items()},
        "step": step,
        "details": dict(details or {}),
        "calibration": {name: dict(row) for name, row in (calibration or {}).items()},
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


def write(folder: str, described: dict[str, Any]) -> list[str]:
    """Writes labels.json and the model card; their paths."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.serving", "templates")
    )
    names = {target["name"] for target in described["targets"]}
    faces = bool(names & {"expression", "valence_arousal"})
    card = environment.get_template(MODEL_CARD).render(described, faces=faces)
    paths = []
    files = {model_folder.LABELS: json.dumps(described, indent=1), MODEL_CARD: card}
    for name, text in files.items():
        paths.append(os.path.join(folder, name))
        whole.write_lines(paths[-1], [text])
    return paths
