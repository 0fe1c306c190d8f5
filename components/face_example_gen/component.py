"""Raw faces, or faces that are drawn -> Examples: a prepared data set."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.face_example_gen import executor


class FaceExampleGenSpec(component_spec.ComponentSpec):
    """What goes in and out of FaceExampleGen."""

    PARAMETERS = {
        executor.SOURCE: component_spec.ExecutionParameter(type=str),
        executor.ROOT: component_spec.ExecutionParameter(type=str),
        executor.DATA_DIGEST: component_spec.ExecutionParameter(type=str),
        executor.CODE_VERSION: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {}
    OUTPUTS = {
        executor.EXAMPLES: component_spec.ChannelParameter(
            type=standard_artifacts.Examples
        ),
    }


class FaceExampleGen(base_beam_component.BaseBeamComponent):
    """Makes a prepared data set: splits, labels, truth and the rejected list.

    Args:
      source: ingest.Source as JSON.
      root: the raw folder; '' for drawn faces.
      data_digest: of the raw folder; a change of it makes the data set anew.
      code_version: likewise, of kfer's sources.
    """

    SPEC_CLASS = FaceExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, source: str, root: str, data_digest: str, code_version: str):
        super().__init__(
            FaceExampleGenSpec(
                source=source,
                root=root,
                data_digest=data_digest,
                code_version=code_version,
                examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
