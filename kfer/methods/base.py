"""What all methods share: an encoder, label losses, metrics, answers."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.losses import categorical, concordance, reduction, regression
from kfer.methods import views
from kfer.methods.trainable import Trainable
from kfer.models.encoder import Encoder
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import LabelTask, share_heads


class Method(Trainable):
    """A trainable row of the tables.

    Subclasses implement train_step. A step is a function of the variables and the batch
    alone: its randomness is in `batch.noise`.

    Args:
      config: see ExperimentConfig.
    """

    # Whether warm-up epochs (recipe.gan_start_epoch) change the step.
    has_warmup = False
    warmup = False
    # Why it can't learn from mixed pictures (Optimization.mixup); '' where it can.
    unmixed_because = ""
    # See shared_kinds.
    shared_kind = ""
    # Whether label_matrices gives the matrices of each label set of classes.
    has_matrices = False

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(**kwargs)
        if config.optimization.mixup and self.unmixed_because:
            raise UserError(
                f"Method {config.method!r} {self.unmixed_because}; leave mixup out"
            )
        self.config = config
        self.head_tasks = config.tasks
        for kind in self.shared_kinds(config):
            self.head_tasks = share_heads(self.head_tasks, kind)
        self.encoder = self.new_encoder()
        # Built before all else, so that one seed starts every method's encoder alike.
        self.encoder(tf.zeros([1, config.image_size, config.image_size, 3]))
        self.means = {
            name: keras.metrics.Mean(name=name, dtype="float32")
            for name in self.metric_names()
        }

    def shared_kinds(self, config: ExperimentConfig) -> tuple[str, ...]:
        """Kinds of label sets that share one encoder head for each target."""
        return (self.shared_kind,) if self.shared_kind else ()

    def new_encoder(self, **kwargs: Any) -> Encoder:
        """An encoder with a head for each of head_tasks; **kwargs of keras.Model."""
        run = dataclasses.replace(self.config, tasks=self.head_tasks)
        return Encoder(run, **kwargs)

    def head_of(self, task: LabelTask) -> str:
        """The encoder's output that a task learns from."""
        shared = task.kind in self.shared_kinds(self.config)
        return task.target if shared else task.name

    @property
    def class_tasks(self) -> tuple[LabelTask, ...]:
        """The label sets of classes."""
        return tuple(task for task in self.config.tasks if task.is_categorical)

    def doubts(self) -> dict[str, str]:
        """What a user should know of the annotators as learned so far, a line each."""
        return {}

    @property
    def class_groups(self) -> dict[str, tuple[LabelTask, ...]]:
        """Target -> its label sets of classes."""
        found: dict[str, tuple[LabelTask, ...]] = {}
        for task in self.class_tasks:
            found[task.target] = (*found.get(task.target, ()), task)
        return found

    @property
    def value_tasks(self) -> tuple[LabelTask, ...]:
        """The label sets of continuous values."""
        return tuple(task for task in self.config.tasks if not task.is_categorical)

    @property
    def said_tasks(self) -> tuple[LabelTask, ...]:
        """Label sets all of whose labels `begin` wants to see before the first step."""
        return ()

    @property
    def saw_labels(self) -> bool:
        """Whether `begin` saw them, or a method that is loaded had."""
        return True

    def begin(self, said: Mapping[str, Any]) -> None:
        """Starts from what was said.

        Args:
          said: target -> its labels, see kfer.data.annotations.
        """

    @property
    def encoders(self) -> list[Encoder]:
        """Every encoder that learns; the first one answers."""
        return [self.encoder]

    def label_matrices(self) -> dict[str, tf.Tensor]:
        """Label set of classes -> its annotator's T[true, given], [K, K].

        Raises:
          UserError: a label set that D sees is of several annotators.
        """
        return {}

    def metric_names(self) -> list[str]:
        """Names of the logged means, in the order shown."""
        tasks = self.config.tasks
        losses = [f"{task.name}/{task.loss}" for task in tasks]
        hits = [f"{task.name}/accuracy" for task in tasks if task.is_categorical]
        return ["loss", *losses, *hits]

    def build_networks(self) -> None:
        """Creates every variable of the networks; the encoder has its own already."""

    def build_all(self) -> None:
        """Creates every variable, the optimizers' too: a checkpoint can then be read.

        Call it in the strategy's scope after compile.
        """
        self.build_networks()
        self.generator_optimizer.build(self.generator_variables)

    def set_phase(self, warmup: bool) -> None:
        """Switches warm-up on or off; a switch traces the step anew."""
        if self.warmup != warmup:
            self.warmup = warmup
            self.train_function = None

    @property
    def generator_variables(self) -> list[tf.Variable]:
        """What the generator optimizer updates."""
        return self.encoder.trainable_variables

    @property
    def decoder_variables(self) -> list[tf.Variable]:
        """What the decoder's own optimizer updates, if it has one."""
        return []

    @property
    def confusion_variables(self) -> list[tf.Variable]:
        """What learns at Optimization.confusion_rate, if anything does."""
        return []

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.means.values())

    def call(self, image: tf.Tensor, training: bool = False) -> EncoderOutput:
        """G_Y(image) without dropout; [B, S, S, 3] in [-1, 1]."""
        return self.encoder(image, training=False)

    def answers(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the model says of each target.

        Args:
          image: [B, S, S, 3] float32 in [-1, 1], in the recipe's channel order.

        Returns:
          target -> [B, size] probabilities, or values clipped to the label's range.
        """
        outputs = views.averaged(
            lambda view: self(view).labels,
            image,
            self.config.optimization.test_averaging,
        )
        found: dict[str, list[tf.Tensor]] = {}
        for task in self.head_tasks:
            value = answer(task, outputs[task.name])
            found.setdefault(task.target, []).append(value)
        if self.config.recipe.evaluated_heads == "first":
            return {target: values[0] for target, values in found.items()}
        return {
            target: tf.add_n(values) / len(values) for target, values in found.items()
        }

    def label_loss(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        """f(G_Y(x), labels) of Eq. 10, a sum over tasks; this replica's share.

        What is logged for a task is its own loss, whatever the method minimises, so
        that the methods' levels can be compared.
        """
        total = tf.constant(0.0)
        softened = self.softened(batch)
        for task in self.config.tasks:
            labels, mask = batch.labels[task.name], batch.mask[task.name]
            predicted = self.predicted(task, output)
            plain = self.task_loss(task, labels, predicted, mask)
            count = reduction.count(mask)
            self.log(f"{task.name}/{task.loss}", plain, count)
            if task.is_categorical:
                hits = self.hits(labels, predicted, mask)
                self.log(f"{task.name}/accuracy", hits, count)
            if softened is not batch:
                labels, mask = softened.labels[task.name], softened.mask[task.name]
                plain = self.task_loss(task, labels, predicted, mask)
            weight = self.weight_of(task)
            total += weight * self.objective(task, softened, predicted, plain)
        return total

    def hits(
        self, labels: tf.Tensor, predicted: tf.Tensor, mask: tf.Tensor
    ) -> tf.Tensor:
        """How often the likeliest class [B, K] is the label's, this replica's share."""
        likeliest = categorical.hard(labels)
        found = tf.equal(tf.argmax(predicted, 1, tf.int32), likeliest)
        return reduction.masked_mean(tf.cast(found, tf.float32), mask)

    def weight_of(self, task: LabelTask) -> float:
        """The task's weight, shared among the label sets of its target if the config
        says so (Optimization.label_sets)."""
        if self.config.optimization.label_sets == "sum":
            return task.weight
        return task.weight / sum(t.target == task.target for t in self.config.tasks)

    def softened(self, batch: Batch) -> Batch:
        """The batch with its class labels smoothed as the config says."""
        share = self.config.optimization.label_smoothing
        if not share:
            return batch
        sizes = {task.name: task.size for task in self.class_tasks}
        return batch._replace(
            labels={
                name: categorical.smoothed(labels, sizes[name], share)
                if name in sizes
                else labels
                for name, labels in batch.labels.items()
            }
        )

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        """[B, size] logits or values that are compared with a task's labels."""
        return output.labels[self.head_of(task)]

    def objective(
        self, task: LabelTask, batch: Batch, predicted: tf.Tensor, plain: tf.Tensor
    ) -> tf.Tensor:
        """What is minimised for a task, this replica's share.

        Args:
          task: the label set.
          batch: see Batch.
          predicted: of `predicted`.
          plain: the task's own loss, which most methods minimise.
        """
        return plain

    def task_loss(
        self,
        task: LabelTask,
        labels: tf.Tensor,
        predicted: tf.Tensor,
        mask: tf.Tensor,
    ) -> tf.Tensor:
        """One task's loss over the labels that are given, this replica's share."""
        if task.is_categorical:
            losses = categorical.cross_entropy(labels, predicted)
            return reduction.masked_mean(losses, mask)
        if task.loss == "mse":
            losses = regression.squared_error(labels, predicted)
            return reduction.masked_mean(losses, mask)
        pooled = reduction.global_sum(concordance.moments(labels, predicted, mask))
        unbiased = self.config.recipe.ccc_variance == "unbiased"
        agreement = concordance.ccc(pooled, unbiased)
        return tf.reduce_mean(1.0 - agreement) / reduction.replicas()

    def log(self, name: str, share: tf.Tensor, count: Any = 1.0) -> None:
        """Adds this replica's share of a mean over `count` of the global batch to the
        metric of that name; what is a mean over none doesn't count."""
        self.means[name].update_state(share * reduction.replicas(), count)

    def results(self) -> dict[str, tf.Tensor]:
        """The metrics so far, as train_step returns them."""
        return {name: metric.result() for name, metric in self.means.items()}


def answer(task: LabelTask, predicted: tf.Tensor) -> tf.Tensor:
    """[B, size] logits -> probabilities, or values -> values within their range."""
    if task.is_categorical:
        return tf.nn.softmax(predicted)
    return tf.clip_by_value(predicted, task.low, task.high)
