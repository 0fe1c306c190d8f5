"""The adversarial game over EM's targets, with labels through annotators' noise."""

from kfer.methods.em import ExpectationMaximisation
from kfer.methods.joint_distribution import JointDistribution


class JointEM(JointDistribution, ExpectationMaximisation):
    """The label losses of `em` and the game of `joint`.

    One head predicts each truth. What D sees of it for a label set went through that
    set's annotator where the recipe says so (labels_through_annotators): the labels
    given are noisy, so only noisy predictions can have their distribution.

    Args:
      config: see ExperimentConfig.
      **kwargs: of JointDistribution.

    Raises:
      UserError: the labels should pass an annotator's matrix, and a label set is of
        several.
    """
