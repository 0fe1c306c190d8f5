"""The proposed method (Zhang et al., WACV 2021): Algorithm 1 and what its code did."""

from typing import Any

import tensorflow as tf

from kfer.losses import adversarial, reduction
from kfer.methods import backprop
from kfer.methods.base import Method
from kfer.models.decoder import Decoder, label_input
from kfer.models.discriminator import IMAGE, JOINT, Y0, Discriminator, Group
from kfer.models.encoder import sample_y0
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput, Scores


class JointDistribution(Method):
    """Encoder, decoder and discriminator in one adversarial game.

    Args:
      config: see ExperimentConfig.
      use_joint: with S_joint.
      use_marginals: with a marginal score for each stream.
      use_decoder: with G_X. Without it the decoder's group is the real image with
        normal y0 and the given labels: D compares labels alone, and S_x is left out.
    """

    has_warmup = True
    OPTIONS = ("use_joint", "use_marginals", "use_decoder")

    def __init__(
        self,
        config: ExperimentConfig,
        use_joint: bool = True,
        use_marginals: bool = True,
        use_decoder: bool = True,
        **kwargs: Any,
    ):
        super().__init__(config, **kwargs)
        self.use_joint, self.use_marginals = use_joint, use_marginals
        self.use_decoder = use_decoder
        self.decoder = Decoder(config) if use_decoder else None
        self.discriminator = Discriminator(
            config, use_joint, use_marginals, use_image_marginal=use_decoder
        )

    def metric_names(self) -> list[str]:
        return [*super().metric_names(), "gan_loss", "discriminator_loss"]

    @property
    def generator_variables(self) -> list[tf.Variable]:
        decoder = self.decoder.trainable_variables if self.decoder else []
        return self.encoder.trainable_variables + decoder

    def build_networks(self) -> None:
        size = self.config.image_size
        image = tf.zeros([1, size, size, 3])
        output = self.encoder(image)
        y0 = tf.zeros([1, self.config.noise_size])
        drawn = self.decoder(y0, output.labels) if self.decoder else image
        group = Group(drawn, y0, {t.name: output.labels[t.name] for t in self._streams})
        self.discriminator((group, group))

    def build_all(self) -> None:
        super().build_all()
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    @property
    def _streams(self) -> tuple:
        return self.config.stream_tasks

    @tf.autograph.experimental.do_not_convert
    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        if self.warmup:
            self._warmup_step(batch)
        elif self.config.recipe.update_order == "discriminator_first":
            self._discriminator_first_step(batch)
        else:
            self._generator_first_step(batch)
        return self.results()

    def _warmup_step(self, batch: Batch) -> None:
        """Only the label losses train (recipe.gan_start_epoch)."""
        variables = self.encoder.trainable_variables
        with tf.GradientTape() as tape:
            output = self.encoder(
                batch.image, dropout=batch.noise.dropout, training=True
            )
            loss = self.label_loss(batch, output)
        self._apply(tape, loss, variables)
        self.log("loss", loss)

    def _discriminator_first_step(self, batch: Batch) -> None:
        """All discriminator steps, then the generator step, on one forward pass."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.generator_variables)
            output, groups = self.forward(batch)
            with tape.stop_recording():
                fixed = tf.nest.map_structure(tf.stop_gradient, groups)
                self._discriminator_steps(fixed, batch)
            loss = self.generator_loss(batch, output, groups)
        self._apply(tape, loss, self.generator_variables)

    def _generator_first_step(self, batch: Batch) -> None:
        """Algorithm 1: the generator step, then D on what the updated nets give."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.generator_variables)
            output, groups = self.forward(batch)
            loss = self.generator_loss(batch, output, groups)
        self._apply(tape, loss, self.generator_variables)
        with self.encoder.kept_statistics():
            _, groups = self.forward(batch)
        self._discriminator_steps(groups, batch)

    def forward(self, batch: Batch) -> tuple[EncoderOutput, tuple[Group, Group]]:
        """Encodes and draws: the encoder's output and both groups that D compares.

        Where a label is missing both groups hold zeros in its stream, so that D can't
        tell them apart by what was never annotated.
        """
        output = self.encoder(batch.image, dropout=batch.noise.dropout, training=True)
        given = {
            task.name: label_input(task, batch.labels[task.name], batch.mask[task.name])
            for task in self._streams
        }
        predicted = {
            task.name: self._predicted_input(task, output)
            * tf.cast(batch.mask[task.name] > 0.0, tf.float32)[:, None]
            for task in self._streams
        }
        y0 = batch.noise.y0_decoder
        drawn = self.decoder(y0, given, training=True) if self.decoder else batch.image
        encoder_y0 = sample_y0(output, batch.noise.y0_encoder)
        return output, (
            Group(batch.image, encoder_y0, predicted),
            Group(drawn, y0, given),
        )

    def _predicted_input(self, task: Any, output: EncoderOutput) -> tf.Tensor:
        raw = output.labels[task.name]
        as_is = self.config.recipe.discriminator_label_input == "logits"
        return tf.nn.softmax(raw) if task.is_categorical and not as_is else raw

    def generator_loss(
        self, batch: Batch, output: EncoderOutput, groups: tuple[Group, Group]
    ) -> tf.Tensor:
        """f + lambda (h_hat(-D(encoder)) + h_hat(D(decoder))), this replica's share."""
        encoder, decoder = self.score(groups)
        gan = self.reduce_scores(
            encoder, batch, adversarial.generator_encoder
        ) + self.reduce_scores(decoder, batch, adversarial.generator_decoder)
        loss = self.label_loss(batch, output) + self.config.lambda_gan * gan
        self.log("gan_loss", gan)
        self.log("loss", loss)
        return loss

    def _discriminator_steps(self, groups: tuple[Group, Group], batch: Batch) -> None:
        for _ in range(self.config.recipe.discriminator_steps):
            loss = self._discriminator_step(groups, batch)
        self.log("discriminator_loss", loss)

    def _discriminator_step(
        self, groups: tuple[Group, Group], batch: Batch
    ) -> tf.Tensor:
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = self.discriminator_loss(groups, batch)
        backprop.descend(tape, loss, variables, self.discriminator_optimizer)
        return loss

    def discriminator_loss(
        self, groups: tuple[Group, Group], batch: Batch
    ) -> tf.Tensor:
        """-(g(D(encoder)) + h(D(decoder))) of Eq. 10, this replica's share."""
        inside = self.config.recipe.score_weight_inside_hinge
        encoder, decoder = self.score(groups)
        return self.reduce_scores(
            encoder, batch, adversarial.discriminator_encoder, inside
        ) + self.reduce_scores(
            decoder, batch, adversarial.discriminator_decoder, inside
        )

    def score(self, groups: tuple[Group, Group]) -> tuple[Scores, Scores]:
        """D's scores of both groups in a training pass."""
        if self.config.recipe.shared_sigma:
            return self.discriminator(groups, training=True)
        first, second = (self.discriminator(g, training=True)[0] for g in groups)
        return first, second

    def reduce_scores(
        self, scores: Scores, batch: Batch, function: Any, *args: Any
    ) -> tf.Tensor:
        """Sum or mean over streams of the mean over examples of function(score)."""
        recipe = self.config.recipe
        total = tf.constant(0.0)
        for name, score in scores.by_stream.items():
            values = function(score, self._score_weight(name), *args)
            mask = batch.mask.get(name, tf.ones_like(score))
            total += reduction.masked_mean(values, mask)
        if recipe.score_reduction == "sum":
            return total
        if recipe.count_removed_scores:
            return total / (len(self._streams) + 3)
        return total / len(scores.by_stream)

    def _score_weight(self, stream: str) -> float:
        weights = self.config.score_weights
        by_name = {IMAGE: weights.x, Y0: weights.y0, JOINT: weights.joint}
        return by_name.get(stream, weights.labels)

    def _apply(self, tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> None:
        backprop.descend(tape, loss, variables, self.generator_optimizer)
