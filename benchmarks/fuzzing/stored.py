"""Fuzzed: pictures, records, shards, dataset.json, pickles and what models say."""

import hashlib
import io
import json
import os
import pickle
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.fuzzing import mutations
from benchmarks.fuzzing.tables import TextFile
from kfer.data import dataset as dataset_lib
from kfer.data import datasets, described, safe_pickle, shards, verification
from kfer.data import record as record_lib
from kfer.errors import UserError
from kfer.images import decode
from kfer.serving import model_folder, predict

_PICTURES = 12
_PREDICTIONS = "predictions.npz"


class Bytes:
    """Records that are read one by one.

    Args:
      good: whole ones.
      read: reads one; a refusal is a `refusal`.
    """

    def __init__(
        self,
        good: Sequence[bytes],
        read: Callable[[bytes], Any],
        refusal: type[Exception],
    ):
        self.good, self.read, self.refusal = list(good), read, refusal

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """One record with faults."""
        good = self.good[rng.integers(len(self.good))]
        return mutations.mutated(good, rng, self.good), 1

    def run(self, data: bytes) -> Counter:
        """Whether it was read."""
        try:
            self.read(data)
        except self.refusal:
            return Counter(set_aside=1)
        return Counter(read=1)


def pictures(folder: str) -> Bytes:
    """Every format that is decoded, colours and depths."""
    del folder
    from PIL import Image

    rng, good = np.random.default_rng(0), []
    pixels = Image.fromarray(rng.integers(0, 256, (24, 20, 3), np.uint8))
    kinds = [("JPEG", m) for m in ("RGB", "L", "CMYK")]
    kinds += [("PNG", m) for m in ("RGB", "L", "P", "RGBA", "1", "LA", "I;16")]
    kinds += [(f, "RGB") for f in ("WEBP", "BMP", "GIF", "TIFF", "HEIF")]
    kinds += [("TIFF", "L"), ("TIFF", "CMYK"), ("GIF", "P"), ("BMP", "P")]
    for form, mode in kinds:
        image = pixels.convert("L").convert("I") if mode == "I;16" else pixels
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, form)
        good.append(buffer.getvalue())
    exif = Image.Exif()
    exif[decode.ORIENTATION] = 6
    for form in ("JPEG", "PNG", "WEBP"):
        buffer = io.BytesIO()
        pixels.save(buffer, form, exif=exif)
        good.append(buffer.getvalue())
    return Bytes(good, _decoded, decode.BadImage)


def _decoded(data: bytes) -> None:
    image, factor = decode.decode_scaled(data)
    if image.dtype != np.uint8 or image.ndim != 3 or factor not in (1, 2, 4, 8):
        raise AssertionError(f"{image.dtype} {image.shape}, factor {factor}")


def _faces(folder: str) -> dataset_lib.Dataset:
    options = datasets.ReaderOptions(limit={"train": _PICTURES, "test": 4})
    return datasets.make("synthetic_faces", "", folder, options)


def _serialized(data: dataset_lib.Dataset) -> list[bytes]:
    return [one for path in data.files("train") for one in shards.read_shard(path)]


def records(folder: str) -> Bytes:
    """Serialized tf.train.Examples."""
    return Bytes(_serialized(_faces(folder)), record_lib.decode, UserError)


class Shard:
    """A shard with faults under a dataset.json that has its hash, as a stranger's.

    Args:
      folder: of the data set.
      sealed: whether the records' own checksums are made anew.
      read: reads the data set.
    """

    def __init__(self, folder: str, sealed: bool, read: Callable[[Any], Any]):
        self.data, self.sealed, self.read = _faces(folder), sealed, read
        self.path = self.data.files("train")[0]
        self.records = _serialized(self.data)
        with open(self.path, "rb") as file:
            self.good = file.read()
        self.manifest = os.path.join(folder, dataset_lib.MANIFEST)
        with open(self.manifest, encoding="utf-8") as file:
            self.said = json.load(file)

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """The shard's bytes with faults: of the file, or within its records."""
        if not self.sealed:
            return mutations.mutated(self.good, rng), 1
        import tensorflow as tf

        chosen = np.flatnonzero(rng.random(len(self.records)) < 0.3)
        found = list(self.records)
        for index in chosen:
            found[index] = mutations.mutated(found[index], rng, self.records)
        with tf.io.TFRecordWriter(self.path) as writer:
            for one in found:
                writer.write(one)
        with open(self.path, "rb") as file:
            return file.read(), len(chosen)

    def run(self, data: bytes) -> Counter:
        """Whether it was read."""
        with open(self.path, "wb") as file:
            file.write(data)
        shard = self.said["splits"]["train"]["shards"][0]
        shard |= {"num_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        with open(self.manifest, "w", encoding="utf-8") as file:
            json.dump(self.said, file)
        try:
            self.read(dataset_lib.load(self.data.root))
        except UserError:
            return Counter(files=1, refused_files=1)
        return Counter(files=1, read=_PICTURES)


def _trained(data: dataset_lib.Dataset) -> None:
    """A batch as training reads it."""
    from kfer import methods
    from kfer.data import broken, input_pipeline
    from kfer.settings import config

    settings = {"width": 0.125, "batch_size": _PICTURES, "noise_size": 8}
    run = methods.resolve_tasks(config.experiment_config("synthetic_faces", **settings))
    with broken.one_line(data):
        next(iter(input_pipeline.train_dataset(data, run)))


def _dataset_json(folder: str) -> TextFile:
    _faces(folder)
    with open(os.path.join(folder, dataset_lib.MANIFEST), "rb") as file:
        good = file.read()
    return TextFile(folder, dataset_lib.MANIFEST, good, lambda _: _described(folder))


def _described(folder: str) -> None:

    data = dataset_lib.load(folder)
    described.describe(data)
    verification.verify(data)


class _Canary:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Pickles(Bytes):
    """Pickles, some of which would run a command; none may look anything up."""

    def __init__(self, folder: str):
        os.makedirs(folder)
        # A name without the folder, so that a seed's inputs are the same everywhere.
        os.chdir(folder)
        self.canary = "ran"
        arrays = {b"labels": [1, 2, 3], b"data": np.arange(24, dtype=np.uint8)}
        arrays |= {b"f": np.ones((2, 3)), b"s": np.array(["a", "b"])}
        evil = {b"data": arrays[b"data"], b"x": _Canary(f"touch {self.canary}")}
        good = [pickle.dumps(a, p) for a in (arrays, evil) for p in (0, 1, 2, 4, 5)]
        super().__init__(good, self._load, UserError)
        self.looked_up: list[str] = []
        sys.addaudithook(self._watch)

    def _watch(self, event: str, arguments: tuple) -> None:
        if event in ("pickle.find_class", "os.system", "subprocess.Popen"):
            self.looked_up.append(f"{event} {arguments!r}"[:200])

    def _load(self, data: bytes) -> None:
        self.looked_up.clear()
        try:
            safe_pickle.load_stream(io.BytesIO(data), "a pickle")
        finally:
            if self.looked_up or os.path.exists(self.canary):
                raise AssertionError(f"a pickle ran code: {self.looked_up}")


class ModelFolder:
    """One small file of a run or of an exported model.

    Args:
      folder: gets the run and its model.
      name: of the file, relative to the run.
    """

    def __init__(self, folder: str, name: str):
        from kfer.evaluation import results, scoring
        from tests import runs

        self.load_run, self.read = results.load_run, scoring.read_predictions
        shutil.copytree(runs.run(), folder)
        shutil.copytree(runs.model(), os.path.join(folder, "model"))
        self.folder, self.path = folder, os.path.join(folder, name)
        if name == _PREDICTIONS:
            scoring.write_predictions(self.path, _predictions())
        with open(self.path, "rb") as file:
            self.good = file.read()

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """The file's bytes with faults."""
        return mutations.mutated(self.good, rng), 1

    def run(self, data: bytes) -> Counter:
        """Whether run and model are read."""
        with open(self.path, "wb") as file:
            file.write(data)
        try:
            self.load_run(self.folder)
            model_folder.read_description(os.path.join(self.folder, "model"))
            if self.path.endswith(_PREDICTIONS):
                self.read(self.path)
        except UserError:
            return Counter(files=1, refused_files=1)
        return Counter(files=1, read=1)


def _predictions() -> dict[str, Any]:
    from kfer.evaluation import scoring

    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    fields = dict.fromkeys(scoring.Predictions._fields, rows)
    return {"expression": scoring.Predictions(**fields)}


class Requests(Bytes):
    """Requests of one to four pictures to a served model, one of which is broken."""

    def __init__(self, folder: str):
        del folder
        from tests import runs

        super().__init__(runs.encoded(), self._ask, AssertionError)
        self.good += pictures("").good
        self.model = predict.Predictor(runs.model())
        self.whole = runs.encoded()[0]
        self.picture = os.path.join(runs.folder(), "picture.bin")

    def _ask(self, data: bytes) -> None:
        raise NotImplementedError

    def run(self, data: bytes) -> Counter:
        """As bytes in a request, and as a file; the whole picture has its answer."""
        rows = self.model.answers({0: self.whole, 1: data})
        with open(self.picture, "wb") as file:
            file.write(data)
        row = self.model.predict([self.picture])[0]
        if "error" in rows[0] or len(rows) != 2:
            raise AssertionError(f"the whole picture got {rows[0]}")
        refused = ("error" in rows[1]) + ("error" in row)
        return Counter(files=1, read=2 - refused, set_aside=refused)


def _file(name: str) -> Callable[[str], ModelFolder]:
    return lambda folder: ModelFolder(folder, name)


TARGETS: dict[str, Callable[[str], Any]] = {
    "pictures": pictures,
    "records": records,
    "shard_bytes": lambda folder: Shard(folder, False, verification.verify),
    "shard_records": lambda folder: Shard(folder, True, verification.verify),
    "training_input": lambda folder: Shard(folder, True, _trained),
    "dataset_json": _dataset_json,
    "pickles": Pickles,
    "requests": Requests,
    "run_config": _file("config.json"),
    "run_history": _file("history.jsonl"),
    "run_metrics": _file("metrics.json"),
    "run_predictions": _file(_PREDICTIONS),
    "model_labels": _file("model/assets/labels.json"),
}
