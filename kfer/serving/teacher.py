"""Machine labels: a trained model's answers for the pictures of a data set."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference

from kfer.data import record as record_lib
from kfer.data import rewrite, shards
from kfer.data.dataset import Dataset
from kfer.data.datasets.machine_labels import MachineLabels
from kfer.errors import UserError
from kfer.preprocess import runners
from kfer.serving import asking, model_folder

BATCH = 64
_ANSWERS = "answers"


def label(
    dataset: Dataset,
    teacher: str,
    columns: Sequence[str],
    beam_args: Sequence[str] = (),
    work_dir: str = "",
) -> MachineLabels:
    """A teacher's labels for every picture of every split.

    Args:
      dataset: whose pictures are labelled.
      teacher: a SavedModel of kfer-export, or a run's folder with one.
      columns: 'expression', 'valence_arousal' or both.
      beam_args: Beam's own flags; the pictures are answered in batches.
      work_dir: where the workers write and this process reads: a place that all of them
        reach. '' is a temporary folder of this machine, right for workers on it.

    Returns:
      The labels by image id: the expression is the teacher's most probable class of
      those that the data set has, valence and arousal are held to [-1, 1].

    Raises:
      UserError: no model, it does not answer what is asked for, or some answers did not
        arrive in `work_dir`.
    """
    model_dir = os.path.abspath(asking.find_model(teacher))
    classes = _teacher_classes(model_dir, dataset, columns)
    files = [os.path.abspath(f) for s in dataset.splits for f in _files(dataset, s)]
    with tempfile.TemporaryDirectory(dir=work_dir or None) as folder:
        with runners.pipeline(beam_args) as p:
            _ = (
                p
                | "Shards" >> beam.Create(files, reshuffle=False)
                | "Pictures" >> beam.FlatMap(pictures)
                | "Answer" >> RunInference(KeyedModelHandler(Teacher(model_dir)))
                | "ToJson" >> beam.Map(_to_json)
                | "Write" >> beam.io.WriteToText(os.path.join(folder, _ANSWERS))
            )
        labels, count = _read(folder, classes, columns)
    _check_count(dataset, count, work_dir)
    return labels


def _check_count(dataset: Dataset, count: int, work_dir: str) -> None:
    """Raises UserError unless every picture's answer was read back."""
    wanted = sum(split.num_records for split in dataset.splits.values())
    if count != wanted:
        place = work_dir or "the temporary folder of this machine"
        raise UserError(
            f"The workers were given {wanted} pictures of {dataset.root}, but {count} "
            f"answers arrived in {place}; Beam's workers must reach that folder "
            "under the same path"
        )


def _files(dataset: Dataset, split: str) -> list[str]:
    return dataset.files(split) if dataset.splits[split].num_records else []


def _teacher_classes(
    model_dir: str, dataset: Dataset, columns: Sequence[str]
) -> list[int]:
    """The teacher's class indices in the order of the data set's classes."""
    rows = model_folder.read_description(model_dir)["targets"]
    targets: dict[str, Any] = {row["name"]: row for row in rows}
    if missing := [name for name in columns if name not in targets]:
        raise UserError(
            f"The teacher in {model_dir} answers {', '.join(targets)}, not "
            f"{', '.join(missing)}; choose another teacher"
        )
    if "expression" not in columns:
        return []
    known = list(targets["expression"]["classes"])
    wanted = rewrite.expression_column(dataset).classes
    if unknown := [name for name in wanted if name not in known]:
        raise UserError(
            f"The teacher in {model_dir} doesn't know {', '.join(unknown)}; "
            "choose one that learned all classes of the data set"
        )
    return [known.index(name) for name in wanted]


def pictures(path: str) -> Iterable[tuple[str, bytes]]:
    """(image id, encoded picture) of each record of a shard."""
    for serialized in shards.read_shard(path):
        record = record_lib.decode(serialized)
        yield record.image_id, record.image


class Teacher(ModelHandler):
    """A SavedModel as RunInference takes it: encoded pictures in, answers out."""

    def __init__(self, model_dir: str):
        # One size, since an answer's last bit may hang on the batch it stood in.
        super().__init__(min_batch_size=BATCH, max_batch_size=BATCH)
        self._model_dir = model_dir

    def load_model(self) -> Any:
        return model_folder.load(self._model_dir)

    def run_inference(
        self, batch: Sequence[bytes], model: Any, inference_args: Any = None
    ) -> list[dict[str, list[float]]]:
        """One row a picture: float32 target -> its values."""
        import tensorflow as tf

        # The last batch of a bundle is smaller, and bundles differ between runners.
        full = [*batch, *[batch[-1]] * (BATCH - len(batch))]
        found = model.signatures["serving_default"](image_bytes=tf.constant(full))
        kept = {k: v.numpy() for k, v in found.items() if v.dtype == tf.float32}
        return [
            {name: np.atleast_1d(values[row]).tolist() for name, values in kept.items()}
            for row in range(len(batch))
        ]


def _to_json(pair: tuple[str, Mapping[str, Any]]) -> str:
    return json.dumps([pair[0], pair[1]])


def _read(
    folder: str, classes: Sequence[int], columns: Sequence[str]
) -> tuple[MachineLabels, int]:
    """The labels, and how many answers they were read from."""
    labels, count = MachineLabels(), 0
    for name in sorted(os.listdir(folder)):
        # A worker that died may have left what it hadn't finished.
        if not name.startswith(_ANSWERS):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in file:
                _store(labels, *json.loads(line), classes, columns)
                count += 1
    return labels, count


def _store(
    labels: MachineLabels,
    image_id: str,
    answer: Mapping[str, list[float]],
    classes: Sequence[int],
    columns: Sequence[str],
) -> None:
    if "expression" in columns:
        chances = np.take(answer["expression"], classes)
        labels.expression[image_id] = int(np.argmax(chances))
    if "valence_arousal" in columns:
        values = np.clip(answer["valence_arousal"], -1.0, 1.0).tolist()
        labels.valence_arousal[image_id] = (values[0], values[1])
