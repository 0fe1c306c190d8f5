"""Model and clean Examples -> scores, a page that shows them, and a blessing."""

import json

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import io_utils

from components import artifacts
from kfer.serving import scorecard
from kfer.settings import config as config_lib
from kfer.training import run_folder


@component
def fer_evaluator(
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    model_run: InputArtifact[standard_artifacts.ModelRun],
    evaluation: OutputArtifact[standard_artifacts.ModelEvaluation],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    minimum: Parameter[str],
    largest_drop: Parameter[float],
    code_version: Parameter[str],
    rival_run: InputArtifact[standard_artifacts.ModelRun] = None,
    last_blessed: InputArtifact[standard_artifacts.Model] = None,
) -> None:
    """Scores the model and blesses it, or not; says what scores can't be had.

    Args:
      examples: with the truth, or labels held out; see kfer.evaluation.yardstick.
      model, model_run: of the Trainer.
      evaluation: evaluation.json, predictions.npz and report.html.
      blessing: an empty file BLESSED or NOT_BLESSED, as TFX's Evaluator writes it.
      minimum: JSON, see judgement.objections.
      largest_drop: see judgement.objections.
      code_version: a change of it scores anew.
      rival_run: of another Trainer, shown beside it.
      last_blessed: the model to beat, if there was one.
    """
    del code_version
    run_dir = artifacts.folder(model_run)
    found = scorecard.write(
        artifacts.folder(evaluation),
        artifacts.model_dir(model),
        artifacts.folder(examples),
        run_dir,
        [artifacts.folder(rival_run)] if rival_run else [],
        json.loads(minimum),
        artifacts.model_dir(last_blessed) if last_blessed else "",
        largest_drop,
    )
    versions = run_folder.read_json(f"{run_dir}/{run_folder.VERSIONS}")
    config = run_folder.load_config(run_dir)
    artifacts.note(
        evaluation,
        **{
            artifacts.SUMMARY: scorecard.describe(found),
            artifacts.COMMIT: versions["commit"],
            artifacts.CONTENT_HASH: versions["data"]["content_hash"],
            artifacts.CONFIG_HASH: config_lib.config_hash(config),
            artifacts.VERSIONS: json.dumps(_packages(versions)),
        },
    )
    _bless(blessing, model, found["objections"])


def _packages(versions: dict) -> dict:
    others = ("commit", "command", "started", "data")
    return {name: version for name, version in versions.items() if name not in others}


def _bless(blessing, model, objections: list) -> None:
    """Files and properties as TFX's own Pusher and resolvers read them."""
    name = "NOT_BLESSED" if objections else "BLESSED"
    io_utils.write_string_file(f"{blessing.uri}/{name}", "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(not objections)
    )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    artifacts.note(blessing, objections=json.dumps(objections))
