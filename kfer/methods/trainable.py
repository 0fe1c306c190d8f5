"""A method as Keras has models: compile, fit, evaluate, predict, save."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.losses import reduction
from kfer.methods import batches, by_example
from kfer.models.configured import Configured
from kfer.structures import Batch

Optimizer = str | dict[str, Any] | keras.optimizers.Optimizer


class WarmUp(keras.callbacks.Callback):
    """Switches a method's warm-up off after recipe.gan_start_epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.set_phase(epoch <= self.model.config.recipe.gan_start_epoch)
        self.model.make_train_function()


class Trainable(Configured, keras.Model):
    """What kfer.methods.base.Method has of Keras.

    `fit` and `evaluate` take tf.data of structures.Batch, or pictures and labels in
    memory, which are learned as they are: kfer.fit augments, starts the encoder on the
    first pictures and keeps checkpoints besides.
    """

    has_warmup = False
    # Whether the step counts epochs, by the config's batch size.
    counts_epochs = False

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("kfer")(cls)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        method = super().from_config(config, custom_objects)
        method.build_networks()
        return method

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """from_config has built it."""

    def get_compile_config(self) -> None:
        """None: rules by variable, schedules and averages aren't what Keras saves."""

    @property
    def optimizer(self) -> Any:
        """The optimizer of all but the discriminator, which callbacks schedule."""
        return getattr(self, "generator_optimizer", None)

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        # Keras's own, which nothing uses: its place in checkpoints stays.
        object.__setattr__(self, "_keras_optimizer", value)

    def compile(
        self,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        optimizer: Optimizer | None = None,
        decoder_optimizer: Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Sets the optimizers.

        Args:
          generator_optimizer: of all variables but the discriminator's: an optimizer,
            or its name, with the config's learning rate; 'adam' if None.
          discriminator_optimizer: of the discriminator, where the method has one; a
            twin of the other one if None.
          optimizer: the first by Keras's name.
          decoder_optimizer: of the decoder, where the method has one; None leaves it
            to the first.
          **kwargs: of keras.Model.compile.

        Raises:
          UserError: two optimizers for one thing, a decoder's where there is none, or a
            loss or metrics: a method has its own.
        """
        if generator_optimizer is not None and optimizer is not None:
            raise UserError("optimizer is generator_optimizer; give one of them")
        if decoder_optimizer is not None and getattr(self, "decoder", None) is None:
            raise UserError(
                f"Method {self.config.method!r} has no decoder; leave "
                "decoder_optimizer out"
            )
        if given := [n for n in ("loss", "metrics") if kwargs.get(n) is not None]:
            raise UserError(f"A method has its own {given[0]}; leave it out")
        super().compile(**kwargs)
        self.generator_optimizer = self._made(
            generator_optimizer if optimizer is None else optimizer
        )
        self.discriminator_optimizer = None
        if discriminator_optimizer is not None:
            self.discriminator_optimizer = self._made(discriminator_optimizer)
        elif getattr(self, "discriminator", None) is not None:
            first = self.generator_optimizer
            twin = type(first).from_config(first.get_config())
            self.discriminator_optimizer = twin
        self.decoder_optimizer = None
        if decoder_optimizer is not None:
            self.decoder_optimizer = self._made(decoder_optimizer)
        self._is_ready = False

    def _made(self, optimizer: Optimizer | None) -> Any:
        if isinstance(optimizer, keras.optimizers.Optimizer):
            return optimizer
        given = optimizer or "adam"
        if isinstance(given, str):
            rate = {"learning_rate": self.config.learning_rate}
            given = {"class_name": given, "config": rate}
        if not isinstance(given, dict):
            raise UserError(
                f"An optimizer is one of keras.optimizers or a name, got {given!r}; "
                "those of keras.optimizers.legacy don't fit"
            )
        # Else Keras takes a config without this mark for one of its old optimizers.
        config = {"is_legacy_optimizer": False, **given.get("config", {})}
        return keras.optimizers.get({**given, "config": config})

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains; warm-up epochs (recipe.gan_start_epoch) come first.

        Args:
          x: tf.data of structures.Batch; or pictures, see batches.images. A method
            that keeps something of each picture, as em, elr and co_teaching do, knows
            them by their rows: a later call takes the same pictures in the same order.
          y: of pictures: task -> labels, or those of the only task; see batches.labels.
          batch_size: of pictures; the config's if None. The rest of an epoch is left
            out.
          epochs, verbose, callbacks: of keras.Model.fit.
          validation_data: (pictures, labels), or tf.data of Batch.
          **kwargs: of keras.Model.fit.

        Raises:
          UserError: pictures, labels or a batch size that don't fit the config; or
            batches alone for a method that wants to see all labels first, see
            Method.begin.
        """
        if not getattr(self, "_is_ready", True):
            self.build_all()
            self._is_ready = True
        size = batch_size or self.config.batch_size
        if y is not None:
            by_example.check_pictures(self.config, len(x))
            if self.counts_epochs:
                by_example.check_batch(self.config, size)
        if self.said_tasks and not self.saw_labels:
            self._begin_with(x, y)
        if y is not None:
            x = batches.training(self.config, x, y, size)
        if isinstance(validation_data, (tuple, list)):
            validation_data = batches.evaluation(self.config, *validation_data, size)
        if isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        if self.has_warmup:
            callbacks = [WarmUp(), *(callbacks or [])]
        return super().fit(
            x,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            **kwargs,
        )

    def _begin_with(self, x: Any, y: Any) -> None:
        """Shows the method all labels before the first step; see Method.begin."""
        if y is None:
            raise UserError(
                f"Method {self.config.method!r} starts from what its annotators said, "
                "which batches don't tell; call its begin first, or use kfer.fit"
            )
        self.begin(batches.said(self.config, self.said_tasks, y, len(x)))

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """The tasks' own losses and accuracies without dropout, as Keras returns them.

        Means are over labels, whatever the batches; of a CCC loss over batches. The
        measures of the tables are kfer.evaluate's.

        Args:
          x, y, batch_size: see `fit`.
          **kwargs: of keras.Model.evaluate.
        """
        if y is not None:
            size = batch_size or self.config.batch_size
            x, y = batches.evaluation(self.config, x, y, size), None
        return super().evaluate(x, y, **kwargs)

    def test_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        output, total = self.encoder(batch.image), tf.constant(0.0)
        names = ["loss"]
        for task in self.config.tasks:
            labels, mask = batch.labels[task.name], batch.mask[task.name]
            predicted = self.predicted(task, output)
            found = {task.loss: self.task_loss(task, labels, predicted, mask)}
            if task.is_categorical:
                found["accuracy"] = self.hits(labels, predicted, mask)
            count = reduction.count(mask)
            for name, value in found.items():
                names.append(f"{task.name}/{name}")
                self.log(names[-1], value, count)
            total += self.weight_of(task) * found[task.loss]
        pictures = tf.cast(tf.shape(batch.image)[0], tf.float32)
        self.log("loss", total, reduction.global_sum(pictures))
        return {name: self.means[name].result() for name in names}

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Answers by target, see Method.answers.

        Args:
          x: pictures, see batches.images; or what Keras takes.
          *args, **kwargs: of keras.Model.predict.
        """
        if not isinstance(x, tf.data.Dataset):
            x = batches.images(self.config, x)
        return super().predict(x, *args, **kwargs)

    def predict_step(self, data: Any) -> dict[str, tf.Tensor]:
        if isinstance(data, Batch):
            return self.answers(data.image)
        return self.answers(keras.utils.unpack_x_y_sample_weight(data)[0])
