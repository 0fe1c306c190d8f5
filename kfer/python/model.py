"""A trained method with what one asks of it: a keras.Model."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras

from kfer import methods
from kfer import tasks as tasks_lib
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.evaluation import each_target, scoring, yardstick
from kfer.metrics import suite
from kfer.python import annotators, compared, given, pixels
from kfer.serving import confidence, export
from kfer.serving.export import Exported, Notes
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.storage import whole

_PACKAGE = "kfer"


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a model comes from, as plain values.

    Attributes:
      step: of training.
      data: content hash of the data set it learned from.
      prepared: how its pictures were prepared, see pixels.preparation.
      annotators: see annotators.rows.
      history: of the run, a row an evaluation; see docs/guide/training.md.
    """

    step: int = 0
    data: str = ""
    prepared: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    annotators: tuple[Mapping[str, Any], ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()


@keras.saving.register_keras_serializable(_PACKAGE)
class Model(keras.Model):
    """A method that was trained: of kfer.fit and kfer.load.

    Args:
      method: a kfer.methods.base.Method whose networks are built.
      origin: see Origin.

    Attributes:
      method: what trains and answers on batches.
      run: the method's ExperimentConfig.
    """

    def __init__(self, method: Any, origin: Origin = Origin(), **kwargs: Any):
        super().__init__(**kwargs)
        self.method = method
        self.origin = origin
        self.pictures = pixels.Pictures(method.config, origin.prepared)
        self.built = True

    @property
    def run(self) -> ExperimentConfig:
        """The config of the run."""
        return self.method.config

    @property
    def targets(self) -> dict[str, tuple[str, ...]]:
        """What is answered: target -> its classes, or names of its values."""
        tasks = tasks_lib.task_of_target(self.run.tasks)
        return {name: task.outputs for name, task in tasks.items()}

    def call(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """float32 [B, S, S, 3] in [-1, 1] -> target -> [B, size], as answers has it."""
        return self.method.answers(images)

    def predict(
        self, images: Any, batch_size: int | None = None, **kwargs: Any
    ) -> dict[str, np.ndarray]:
        """Answers for pictures.

        Args:
          images: uint8 [N, H, W, 3] RGB of any size; or a list of arrays [H, W, 3] or
            of paths; or one path; or float32 [N, S, S, 3] RGB in [-1, 1]. Pictures are
            prepared as those that the model learned from. A tf.data.Dataset is taken as
            Keras does.
          batch_size: pictures at a time.
          **kwargs: of keras.Model.predict, for a tf.data.Dataset.

        Returns:
          target -> float32 [N, K] probabilities of classes in the order of `targets`,
          or [N, D] values within their range.

        Raises:
          UserError: a picture is none, named by its index.
        """
        if isinstance(images, tf.data.Dataset):
            return super().predict(images, **kwargs)
        images = given.pictures(images)
        size = batch_size or scoring.default_batch_size(self.run.image_size)
        parts = [
            self._answer(self.pictures(part, start))
            for start, part in pixels.chunks(images, size)
        ]
        return {
            name: np.concatenate([part[name].numpy() for part in parts])
            for name in parts[0]
        }

    def _answer(self, images: np.ndarray) -> dict[str, tf.Tensor]:
        if "_traced" not in self.__dict__:
            # Past Keras, which would look for variables in it.
            self.__dict__["_traced"] = scoring.traced(self.method, self.run)
        if len(images):
            return self.__dict__["_traced"](images)
        size = self.run.image_size  # of none, oneDNN's convolutions fail
        one = self.__dict__["_traced"](np.zeros([1, size, size, 3], np.float32))
        return {name: value[:0] for name, value in one.items()}

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Not offered: what kfer.fit prepares, such as augmentation, would be missing.

        Raises:
          UserError: always.
        """
        raise UserError(
            "This model is trained; kfer.fit trains one anew, or goes on in its "
            "out_dir, and model.method.fit takes batches as they are"
        )

    def evaluate(
        self, data: Any, labels: Any = None, *, split: str = "", against: str = ""
    ) -> dict[str, dict[str, Any]]:
        """Scores by target.

        Args:
          data: a kfer data set; or pictures, see `predict`.
          labels: of pictures: target -> classes (numbers or names, in any case) or
            values, None, '' or NaN where unknown, of classes -1 too; of a single target
            without its name.
          split, against: of a data set, see kfer.evaluation.yardstick.choose: by
            default the truth of test, else of valid, else the labels of test or valid,
            with which agreement is measured and not accuracy.

        Returns:
          target -> measures (kfer.metrics.suite) and, of a data set, 'split' and
          'against', what this target was compared with: 'truth' or 'labels'.

        Raises:
          UserError: there is nothing to compare with, or it doesn't fit the targets.
        """
        if isinstance(data, Dataset):
            chosen = yardstick.choose(data, self.run, split, against)
            if split or against:
                found = scoring.evaluate(
                    self.method,
                    data,
                    self.run,
                    chosen.split,
                    against=chosen.against,
                )
            else:
                found = each_target.scorer(self.method, data, self.run, chosen)()
            return {name: chosen.as_dict() | row for name, row in found.items()}
        given = labels if isinstance(labels, Mapping) else self._only(labels)
        said, tasks = self.predict(data), tasks_lib.task_of_target(self.run.tasks)
        if unknown := sorted(set(given) - set(tasks)):
            raise UserError(f"The model answers {sorted(tasks)}, not {unknown[0]!r}")
        return {
            name: suite.evaluate_task(
                tasks[name],
                said[name],
                *compared.truth(tasks[name], rows, len(said[name])),
            )
            for name, rows in given.items()
        }

    def _only(self, labels: Any) -> dict[str, Any]:
        if labels is None or len(self.targets) != 1:
            raise UserError(
                f"evaluate takes a data set, or pictures and labels by target: "
                f"{', '.join(self.targets)}"
            )
        return {next(iter(self.targets)): labels}

    def annotators(self) -> pd.DataFrame:
        """Each annotator of the labels that were learned, a row for each target.

        Columns: target, annotator, labels (their number), accuracy with its 95 %
        interval low to high, confusion ([K, K], the truth by row), for values bias,
        scale and spread ([D]), and judged_by. See docs/guide/python.md.
        """
        return annotators.frame([dict(row) for row in self.origin.annotators])

    def curves(self) -> pd.DataFrame:
        """The training run, a row an evaluation: step, epoch, train/loss, ..."""
        return pd.json_normalize([dict(row) for row in self.origin.history], sep="/")

    def export(
        self,
        out_dir: str,
        calibrate_on: Dataset | None = None,
        include_decoder: bool = False,
        overwrite: bool = False,
    ) -> Exported:
        """Writes a SavedModel that takes encoded pictures, for TF Serving and others.

        Args:
          out_dir: such as served/1; must not exist or be empty, unless `overwrite`.
          calibrate_on: data set whose labels make the confidence honest, see
            kfer.serving.confidence; None serves the probabilities of `predict`.
          include_decoder, overwrite: see kfer.export_model.
        """
        calibration = {}
        if calibrate_on is not None:
            calibration = confidence.calibrate(self.method, self.run, calibrate_on)
        notes = Notes(self.origin.step, {"data": self.origin.data}, calibration)
        return export.export_model(
            self.method, self.run, os.fspath(out_dir), include_decoder, overwrite, notes
        )

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Writes the model to one file, whole or not at all.

        Args:
          filepath: ends with .keras.
          overwrite: an older file is replaced.
          **kwargs: of keras.Model.save.

        Raises:
          UserError: another ending, the file is there, or the disk refused.
        """
        path = os.fspath(filepath)
        if not path.endswith(".keras"):
            raise UserError(f"A model is saved as NAME.keras, not {path!r}")
        if os.path.exists(path) and not overwrite:
            raise UserError(f"{path} is there already; overwrite=True replaces it")
        with whole.disk(path):
            temporary = f"{path}.{os.getpid()}.keras"
            try:
                super().save(temporary, **kwargs)
                os.replace(temporary, path)
            finally:
                if os.path.exists(temporary):
                    os.remove(temporary)

    def provenance(self, data: Dataset) -> dict[str, Any]:
        """Which model answers, as kfer.audit.answers.provenance tells it of a run."""
        return {
            "folder": "the model",
            "method": self.run.method,
            "step": self.origin.step,
            "checkpoint": "",
            "config": config_lib.config_hash(self.run),
            "commit": "",
            "data": self.origin.data,
            "learned_these_labels": self.origin.data == data.content_hash,
        }

    def get_config(self) -> dict[str, Any]:
        origin = json.loads(json.dumps(dataclasses.asdict(self.origin)))
        return {"run": config_lib.to_dict(self.run), "origin": origin}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Model":
        run = config_lib.from_dict(config["run"])
        method = methods.build(run)
        method.build_networks()
        origin = config["origin"]
        for name in ("annotators", "history"):
            origin = origin | {name: tuple(origin[name])}
        return cls(method, Origin(**origin))

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """The networks are built when they are made."""
