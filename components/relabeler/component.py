"""Examples and a teacher's Model -> Examples with machine labels."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.relabeler import executor


class RelabelerSpec(component_spec.ComponentSpec):
    """What goes in and out of Relabeler."""

    PARAMETERS = {
        executor.COLUMNS: component_spec.ExecutionParameter(type=str),
        executor.CODE_VERSION: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        executor.EXAMPLES: component_spec.ChannelParameter(
            type=standard_artifacts.Examples
        ),
        executor.TEACHER: component_spec.ChannelParameter(
            type=standard_artifacts.Model
        ),
    }
    OUTPUTS = {
        executor.RELABELED: component_spec.ChannelParameter(
            type=standard_artifacts.Examples
        ),
    }


class Relabeler(base_beam_component.BaseBeamComponent):
    """Replaces label columns by a teacher's answers; the truth is kept.

    Args:
      examples: whose labels are replaced.
      teacher: a Model that answers for expression, valence and arousal.
      columns: label columns, parted by commas.
      code_version: a change of it relabels anew.
    """

    SPEC_CLASS = RelabelerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        teacher: types.BaseChannel,
        columns: str,
        code_version: str,
    ):
        super().__init__(
            RelabelerSpec(
                examples=examples,
                teacher=teacher,
                columns=columns,
                code_version=code_version,
                relabeled=types.Channel(type=standard_artifacts.Examples),
            )
        )
