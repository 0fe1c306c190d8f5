"""Calls kfer.preprocess.ingest.prepare."""

from typing import Any

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components import artifacts
from kfer.preprocess import ingest

EXAMPLES = "examples"
SOURCE = "source"
ROOT = "root"
DATA_DIGEST = "data_digest"
CODE_VERSION = "code_version"


class Executor(base_beam_executor.BaseBeamExecutor):
    """See component.FaceExampleGen."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Makes the data set in the artifact's folder."""
        del input_dict
        examples = artifact_utils.get_single_instance(output_dict[EXAMPLES])
        dataset = ingest.prepare(
            ingest.from_json(exec_properties[SOURCE]),
            exec_properties[ROOT],
            artifacts.folder(examples),
            self._beam_pipeline_args,
            "face_example_gen",
        )
        artifacts.describe_examples(examples, dataset)
