"""D: image, y0, label and joint streams -> one score each (Fig. 2b)."""

from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.models import convolution
from kfer.models.configured import Configured
from kfer.models.fit import LabelFit
from kfer.models.layers import ResidualBlock, ResidualMLP, SelfAttention, each
from kfer.models.layout import IMAGE_CHANNELS, first_side
from kfer.models.spectral import SpectralDense
from kfer.settings.config import ExperimentConfig
from kfer.structures import Scores
from kfer.tasks import IMAGE, JOINT, Y0


class Group(NamedTuple):
    """What D scores: the encoder's (x, y0, predicted labels) or the decoder's
    (drawn image, normal y0, given labels)."""

    image: Any  # [B, S, S, 3] in [-1, 1]
    y0: Any  # [B, Z]
    labels: dict[str, Any]  # stream task -> [B, size]
    # [B, F] the encoder's of the real picture, where S_joint is a projection; else ()
    features: Any = ()


class ImageStream(keras.layers.Layer):
    """[B, S, S, 3] -> [B, 512]: residual blocks with self-attention after the first."""

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(**kwargs)
        self.pool_first = first_side(config.image_size) < config.image_size
        first, *middle, last = (config.channels(count) for count in IMAGE_CHANNELS)
        self.first = ResidualBlock(first, False, True, name="block0")
        self.attention = SelfAttention(name="attention")
        self.blocks = [
            ResidualBlock(count, True, True, name=f"block{i}")
            for i, count in enumerate(middle, 1)
        ]
        self.last = ResidualBlock(last, True, False, name="block5")

    def call(self, images: Any, training: bool = False) -> Any:
        if self.pool_first:
            images = each(convolution.average_pool, images)
        hidden = self.attention(
            self.first(images, training=training), training=training
        )
        for block in (*self.blocks, self.last):
            hidden = block(hidden, training=training)
        return each(lambda x: tf.reduce_sum(tf.nn.relu(x), [1, 2]), hidden)


class Discriminator(Configured, keras.Model):
    """Scores groups; what an ablation removes is not built.

    Args:
      config: gives sizes, the stream tasks and what D sees of a predicted class.
      use_joint: whether there is S_joint.
      use_marginals: whether y0 and each label stream have scores of their own, and the
        image stream too.
      use_image_marginal: False where both groups hold the same image (no decoder), so
        that its marginal score says nothing, nor does a perceptron of S_joint beside a
        projection.

    Raises:
      UserError: r1_weight where no score comes from the picture, or in float16.
    """

    OPTIONS = ("use_joint", "use_marginals", "use_image_marginal")

    def __init__(
        self,
        config: ExperimentConfig,
        use_joint: bool = True,
        use_marginals: bool = True,
        use_image_marginal: bool = True,
        **kwargs: Any,
    ):
        super().__init__(name=kwargs.pop("name", "discriminator"), **kwargs)
        if not (use_joint or use_marginals):
            raise ValueError("A discriminator needs joint or marginal scores")
        self.config = config
        self.use_joint, self.use_marginals = use_joint, use_marginals
        self.use_image_marginal = use_image_marginal
        label_streams = tuple(task.name for task in config.stream_tasks)
        inputs = (IMAGE, Y0, *label_streams)
        scored = inputs if use_marginals else ()
        self.scored = tuple(s for s in scored if s != IMAGE or use_image_marginal)
        projects = use_joint and config.recipe.joint_score == "projection"
        use_mlp = use_joint and (use_image_marginal or not projects)
        self.embedded = inputs if use_mlp else self.scored
        units = config.channels(512)
        self.embeddings = {
            name: ImageStream(config, name="stream_x")
            if name == IMAGE
            else ResidualMLP(units, name=f"stream_{name}")
            for name in self.embedded
        }
        self.scorers = {n: SpectralDense(1, name=f"score_{n}") for n in self.scored}
        self.label_fit = LabelFit(config.stream_tasks, name="fit") if projects else None
        self.joint = None
        if use_mlp:
            self.joint = ResidualMLP(config.channels(1024), name="stream_joint")
            self.score_joint = SpectralDense(1, name="score_joint")
        if config.recipe.r1_weight:
            self._check_r1()

    def _check_r1(self) -> None:
        if IMAGE not in self.embedded:
            raise UserError(
                f"r1_weight is of scores of pictures, and D of {self.config.method!r} "
                f"has none where joint_score is {self.config.recipe.joint_score!r}; "
                "set it to 0"
            )
        if self.compute_dtype == "float16":
            raise UserError(
                "r1_weight needs slopes that are too small for float16; set it to 0, "
                "or train in bfloat16 or float32"
            )

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the scores, in order."""
        return self.scored + ((JOINT,) if self.has_joint else ())

    @property
    def has_joint(self) -> bool:
        """Whether there is S_joint."""
        return self.joint is not None or self.label_fit is not None

    def call(self, groups: tuple[Group, ...], training: bool = False) -> Any:
        """Scores each group.

        Args:
          groups: one Group or a tuple of them; sigma is computed once for all.
          training: move the power iterations by one.

        Returns:
          Scores for each group, stream -> [B] float32.
        """
        groups = (groups,) if isinstance(groups, Group) else groups
        features = {
            name: layer(_inputs(name, groups, self.compute_dtype), training=training)
            for name, layer in self.embeddings.items()
        }
        scores = {
            name: layer(features[name], training=training)
            for name, layer in self.scorers.items()
        }
        if self.joint is not None:
            together = each(lambda *parts: tf.concat(parts, 1), *features.values())
            hidden = self.joint(together, training=training)
            scores[JOINT] = self.score_joint(hidden, training=training)
        found = [
            {n: tf.cast(s[i][:, 0], tf.float32) for n, s in scores.items()}
            for i in range(len(groups))
        ]
        if self.label_fit is not None:
            for by_stream, group in zip(found, groups, strict=True):
                fit = self.label_fit(group.features, group.labels)
                by_stream[JOINT] = by_stream.get(JOINT, 0.0) + fit
        return tuple(Scores(by_stream) for by_stream in found)


def _inputs(name: str, groups: tuple[Group, ...], dtype: Any) -> tuple[tf.Tensor, ...]:
    def pick(group: Group) -> tf.Tensor:
        if name == IMAGE:
            return group.image
        return group.y0 if name == Y0 else group.labels[name]

    return tuple(tf.cast(pick(group), dtype) for group in groups)
