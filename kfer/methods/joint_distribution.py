"""The proposed method (Zhang et al., WACV 2021): Algorithm 1 and what its code did."""

from typing import Any

import tensorflow as tf

from kfer.errors import UserError
from kfer.losses import adversarial, reduction
from kfer.methods import backprop, label_samples
from kfer.methods.drawing import Drawing
from kfer.methods.game_weight import GameWeight
from kfer.models.decoder import Decoder, label_input
from kfer.models.discriminator import Discriminator, Group
from kfer.models.encoder import sample_y0
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput, Scores
from kfer.tasks import IMAGE, JOINT, Y0


class JointDistribution(Drawing):
    """Encoder, decoder and discriminator in one adversarial game.

    Args:
      config: see ExperimentConfig.
      use_joint: with S_joint.
      use_marginals: with a marginal score for each stream.
      use_decoder: with G_X. Without it the decoder's group is the real image with
        normal y0 and the given labels: D compares labels alone, and S_x is left out.

    Raises:
      UserError: labels_through_annotators without annotators' matrices, or what
        Discriminator refuses.
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
        self.game_weight = GameWeight(config)
        if config.recipe.labels_through_annotators:
            if not self.has_matrices:
                raise UserError(
                    f"Method {config.method!r} has no annotators' matrices for labels "
                    "to pass; use joint_em or --annotators=ltnet with it, or set "
                    "labels_through_annotators to false"
                )
            self.label_matrices()

    def metric_names(self) -> list[str]:
        recipe = self.config.recipe
        own = ["lambda"] * bool(recipe.lambda_ratio or recipe.lambda_ramp_steps)
        return [*super().metric_names(), *own, "gan_loss", "discriminator_loss"]

    def build_networks(self) -> None:
        size = self.config.image_size
        image = tf.zeros([1, size, size, 3])
        output = self.encoder(image)
        y0 = tf.zeros([1, self.config.noise_size])
        labels = {t.name: output.labels[self.head_of(t)] for t in self._streams}
        drawn = self.decoder(y0, labels) if self.decoder else image
        projects = self.discriminator.label_fit is not None
        features = self.encoder.features(image, None) if projects else ()
        group = Group(drawn, y0, labels, features)
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
        with tf.GradientTape() as tape:
            output = self.encoder(
                batch.image, dropout=batch.noise.dropout, training=True
            )
            loss = self.label_loss(batch, output)
        self.descend(tape, loss, self.label_variables)
        self.log("loss", loss)

    def _discriminator_first_step(self, batch: Batch) -> None:
        """All discriminator steps, then the generator step, on one forward pass."""
        with self._generator_tape() as tape:
            tape.watch(self.playing_variables)
            output, groups = self.forward(batch)
            with tape.stop_recording():
                fixed = tf.nest.map_structure(tf.stop_gradient, groups)
                self._discriminator_steps(fixed, batch)
            loss = self.generator_loss(batch, output, groups, tape)
        self.descend(tape, loss, self.playing_variables)

    def _generator_first_step(self, batch: Batch) -> None:
        """Algorithm 1: the generator step, then D on what the updated nets give."""
        with self._generator_tape() as tape:
            tape.watch(self.playing_variables)
            output, groups = self.forward(batch)
            loss = self.generator_loss(batch, output, groups, tape)
        self.descend(tape, loss, self.playing_variables)
        with self.encoder.kept_statistics():
            _, groups = self.forward(batch)
        self._discriminator_steps(groups, batch)

    def _generator_tape(self) -> tf.GradientTape:
        # The ratio of gradients takes two passes back before the step's own.
        persistent = self.config.recipe.lambda_ratio > 0.0
        return tf.GradientTape(persistent, watch_accessed_variables=False)

    def forward(self, batch: Batch) -> tuple[EncoderOutput, tuple[Group, Group]]:
        """Encodes and draws: the encoder's output and both groups that D compares.

        Where a label is missing both groups hold zeros in its stream, so that D can't
        tell them apart by what was never annotated.
        """
        output, features = self._encode(batch)
        given = {
            task.name: label_input(task, batch.labels[task.name], batch.mask[task.name])
            for task in self._streams
        }
        predicted = self._predicted_inputs(batch, output)
        y0 = batch.noise.y0_decoder
        drawn = self.decoder(y0, given, training=True) if self.decoder else batch.image
        encoder_y0 = sample_y0(output, batch.noise.y0_encoder)
        return output, (
            Group(batch.image, encoder_y0, predicted, features),
            Group(drawn, y0, given, features),
        )

    def _encode(self, batch: Batch) -> tuple[EncoderOutput, Any]:
        """G_Y's output, and the features S_joint projects on, if it does."""
        image, dropout = batch.image, batch.noise.dropout
        if self.discriminator.label_fit is None:
            return self.encoder(image, dropout=dropout, training=True), ()
        features = self.encoder.features(image, dropout, training=True)
        return self.encoder.read_heads(features), tf.stop_gradient(features)

    def _predicted_inputs(
        self, batch: Batch, output: EncoderOutput
    ) -> dict[str, tf.Tensor]:
        """What D sees of the encoder's labels, zeros where none was given."""
        drawn = label_samples.uniforms(batch.noise, len(self._streams))
        recipe, found = self.config.recipe, {}
        matrices = self.label_matrices() if recipe.labels_through_annotators else {}
        for place, task in enumerate(self._streams):
            seen = output.labels[self.head_of(task)]
            if task.is_categorical:
                how, matrix = recipe.discriminator_label_input, matrices.get(task.name)
                seen = label_samples.seen(seen, how, matrix, drawn[:, place])
            given = tf.cast(batch.mask[task.name] > 0.0, tf.float32)
            found[task.name] = seen * given[:, None]
        return found

    def generator_loss(
        self,
        batch: Batch,
        output: EncoderOutput,
        groups: tuple[Group, Group],
        tape: tf.GradientTape | None = None,
    ) -> tf.Tensor:
        """f + lambda (h_hat(-D(encoder)) + h_hat(D(decoder))), this replica's share.

        `tape` recorded the groups and is persistent; lambda_ratio asks it.
        """
        encoder, decoder = self.score(groups)
        gan = self.reduce_scores(
            encoder, batch, adversarial.generator_encoder
        ) + self.reduce_scores(decoder, batch, adversarial.generator_decoder)
        label = self.label_loss(batch, output)
        loss = label + self._lambda(output, label, gan, tape) * gan
        self.log("gan_loss", gan)
        self.log("loss", loss)
        return loss

    def _lambda(
        self,
        output: EncoderOutput,
        label: tf.Tensor,
        gan: tf.Tensor,
        tape: tf.GradientTape | None,
    ) -> Any:
        """The game's weight in this step; logged where it moves."""
        recipe, weight = self.config.recipe, self.config.lambda_gan
        if not (recipe.lambda_ratio or recipe.lambda_ramp_steps):
            return weight
        if recipe.lambda_ratio:
            # y0's too: what the game sends through them has no counterweight.
            heads = [*output.labels.values(), output.mean, output.logvar]
            by = self.generator_optimizer
            with tape.stop_recording():
                parts = [backprop.gradients(tape, g, heads, by) for g in (label, gan)]
                weight = self.game_weight.ratio(*parts)
        weight *= self.game_weight.ramp(self.discriminator_optimizer.iterations)
        self.log("lambda", weight / reduction.replicas())
        return weight

    def _discriminator_steps(self, groups: tuple[Group, Group], batch: Batch) -> None:
        net, by = self.discriminator, self.discriminator_optimizer
        for _ in range(self.config.recipe.discriminator_steps):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(net.trainable_variables)
                loss = self.discriminator_loss(groups, batch)
            backprop.descend(tape, loss, net.trainable_variables, by)
        self.log("discriminator_loss", loss)

    def discriminator_loss(
        self, groups: tuple[Group, Group], batch: Batch
    ) -> tf.Tensor:
        """-(g(D(encoder)) + h(D(decoder))) of Eq. 10, and R1: this replica's share."""
        recipe = self.config.recipe
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            if recipe.r1_weight:
                tape.watch(groups[0].image)
            pairs = [self.score(groups)]
            real = tf.add_n(list(pairs[0][0].by_stream.values()))
        if self.discriminator.label_fit is not None:
            pairs.append(self._fit_scores(groups[1]))
        total = tf.constant(0.0)
        if recipe.r1_weight:
            steep = adversarial.r1(tape.gradient(real, groups[0].image))
            mean = reduction.masked_mean(steep, tf.ones_like(steep))
            total += recipe.r1_weight * mean
        inside = recipe.score_weight_inside_hinge
        for encoder, decoder in pairs:
            total += self.reduce_scores(
                encoder, batch, adversarial.discriminator_encoder, inside
            ) + self.reduce_scores(
                decoder, batch, adversarial.discriminator_decoder, inside
            )
        return total

    def _fit_scores(self, given: Group) -> tuple[Scores, Scores]:
        """How others' labels fit, taken for an encoder's, and how pictures' own do."""
        labels = {n: reduction.rolled(part) for n, part in given.labels.items()}
        fit = self.discriminator.label_fit
        wrong, own = (fit(given.features, part) for part in (labels, given.labels))
        return Scores({JOINT: wrong}), Scores({JOINT: own})

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
