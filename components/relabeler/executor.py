"""Calls kfer.serving.teacher.label and kfer.data.rewrite.with_machine_labels."""

from typing import Any

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components import artifacts
from kfer.data import rewrite
from kfer.serving import teacher

EXAMPLES = "examples"
TEACHER = "teacher"
RELABELED = "relabeled"
COLUMNS = "columns"
CODE_VERSION = "code_version"


class Executor(base_beam_executor.BaseBeamExecutor):
    """See component.Relabeler."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the relabelled data set into the artifact's folder."""
        relabeled = artifact_utils.get_single_instance(output_dict[RELABELED])
        model = artifact_utils.get_single_instance(input_dict[TEACHER])
        examples = artifact_utils.get_single_instance(input_dict[EXAMPLES])
        out_dir = artifacts.folder(relabeled)
        dataset = artifacts.load_examples(examples)
        machine = teacher.label(
            dataset,
            artifacts.model_dir(model),
            exec_properties[COLUMNS].split(","),
            self._beam_pipeline_args,
            work_dir=out_dir,
        )
        artifacts.describe_examples(
            relabeled, rewrite.with_machine_labels(dataset, machine, out_dir)
        )
