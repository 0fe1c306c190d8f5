"""A blessed Model -> the next version of a served folder, whole or not at all."""

import json

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components import artifacts
from kfer.evaluation import judgement
from kfer.serving import publish

DESTINATION = "pushed_destination"


@component
def model_pusher(
    model: InputArtifact[standard_artifacts.Model],
    blessing: InputArtifact[standard_artifacts.ModelBlessing],
    serves: InputArtifact[standard_artifacts.InfraBlessing],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    push_dir: Parameter[str],
    code_version: Parameter[str],
) -> None:
    """Publishes the model, unless it was not blessed.

    Args:
      model: to publish.
      blessing: of fer_evaluator.
      serves: of serving_check, which stops the pipeline itself.
      pushed: notes where the version lies.
      push_dir: the folder that a server watches.
      code_version: a change of it pushes again.
    """
    del serves, code_version
    objections = json.loads(blessing.get_string_custom_property("objections"))
    if objections:
        text = f"nothing pushed, {judgement.describe(objections)}"
        artifacts.note(pushed, **{artifacts.SUMMARY: text, DESTINATION: ""})
        return
    target = publish.publish(artifacts.model_dir(model), push_dir)
    artifacts.note(pushed, **{artifacts.SUMMARY: target, DESTINATION: target})
