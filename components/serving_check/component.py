"""Model -> InfraBlessing: it answers in a fresh process as it did in training."""

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components import artifacts
from kfer import runs
from kfer.evaluation import scoring
from kfer.serving import check as check_lib
from kfer.training import run_folder


@component
def serving_check(
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    model_run: InputArtifact[standard_artifacts.ModelRun],
    blessing: OutputArtifact[standard_artifacts.InfraBlessing],
    code_version: Parameter[str],
) -> None:
    """Raises UserError if a signature fails or answers differ.

    Args:
      examples: whose first pictures of the scored split are sent, else of train.
      model: to check.
      model_run: has what the trained method said of that split, if any was scored.
      blessing: says that the model serves.
      code_version: a change of it checks again.
    """
    del code_version
    run_dir = artifacts.folder(model_run)
    dataset = artifacts.load_examples(examples)
    compared = runs.compared(run_folder.load_config(run_dir), dataset)
    signatures = check_lib.check(
        artifacts.model_dir(model),
        dataset.root,
        f"{run_dir}/{scoring.PREDICTIONS}" if compared else "",
        compared.split if compared else "train",
    )
    blessing.set_int_custom_property("blessed", 1)
    shown = ", ".join(signatures)
    artifacts.note(
        blessing, **{artifacts.SUMMARY: f"answers in a fresh process: {shown}"}
    )
