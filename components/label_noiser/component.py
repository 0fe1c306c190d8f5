"""Examples -> Examples with simulated noisy label sets."""

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components import artifacts
from kfer.data import label_noise, rewrite


@component
def label_noiser(
    examples: InputArtifact[standard_artifacts.Examples],
    noisy: OutputArtifact[standard_artifacts.Examples],
    noise: Parameter[str],
    code_version: Parameter[str],
) -> None:
    """Puts noise on the training labels; the rates that came out are noted.

    Args:
      examples: with the truth of their training split.
      noisy: the same pictures with the noisy label sets.
      noise: label_noise.LabelNoise as JSON.
      code_version: a change of it draws anew.
    """
    del code_version
    dataset = rewrite.with_noise(
        artifacts.load_examples(examples),
        label_noise.from_json(noise),
        artifacts.folder(noisy),
    )
    artifacts.describe_examples(noisy, dataset)
