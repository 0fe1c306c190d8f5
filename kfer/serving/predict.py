"""Answers of an exported model for picture files."""

import glob
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tqdm
from PIL import Image

from kfer.errors import UserError
from kfer.images import decode
from kfer.serving import asking, model_folder

LIMITS = decode.Limits()

# What any reader of a picture may raise on bytes that are none.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


class Predictor:
    """A loaded model that answers for picture files.

    Args:
      model_dir: see kfer.serving.asking.find_model.
      batch_size: pictures in a request.

    Raises:
      UserError: there is no model, or it is damaged.
    """

    def __init__(self, model_dir: str, batch_size: int = 64):
        self.model_dir = asking.find_model(model_dir)
        self.batch_size = batch_size
        self.description = model_folder.read_description(self.model_dir)
        self._model = asking.Model(self.model_dir)

    @property
    def targets(self) -> list[dict[str, Any]]:
        """What it answers: name, kind, classes or dimensions, low and high of each."""
        return self.description["targets"]

    def predict(self, paths: Sequence[str], progress: bool = False) -> list[dict]:
        """Answers for picture files.

        Args:
          paths: picture files; see `expand` for folders.
          progress: show a bar on a terminal.

        Returns:
          One row a path, in order: 'path' and, by target name, {'class', 'confidence',
          'probabilities': by class} or {dimension: value}; or 'path' and 'error', why
          there is no answer.
        """
        rows: list[dict] = []
        disable = None if progress else True
        with tqdm.tqdm(total=len(paths), unit=" pictures", disable=disable) as bar:
            for start in range(0, len(paths), self.batch_size):
                part = paths[start : start + self.batch_size]
                rows += self._predict_batch(part)
                bar.update(len(part))
        return rows

    def _predict_batch(self, paths: Sequence[str]) -> list[dict]:
        rows: list[dict] = [{"path": path} for path in paths]
        pictures: dict[int, bytes] = {}
        for index, path in enumerate(paths):
            try:
                pictures[index] = read_picture(path)
            except decode.BadImage as error:
                rows[index]["error"] = str(error)
        for index, answer in self.answers(pictures).items():
            rows[index] |= answer
        return rows

    def answers(self, pictures: dict[int, bytes]) -> dict[int, dict[str, Any]]:
        """Answers, or errors, for JPEG or PNG bytes, by the same keys.

        Args:
          pictures: any number; a request holds at most `batch_size` of them.
        """
        rows: dict[int, dict[str, Any]] = {}
        keys = list(pictures)
        for start in range(0, len(keys), self.batch_size):
            part = keys[start : start + self.batch_size]
            rows |= self._answers({key: pictures[key] for key in part})
        return rows

    def crops(self, crops: Sequence[np.ndarray]) -> list[dict[str, Any]]:
        """Answers for crops of the model's own size, uint8 [S, S, 3] RGB each."""
        rows: list[dict[str, Any]] = []
        for start in range(0, len(crops), self.batch_size):
            part = np.stack(crops[start : start + self.batch_size])
            found = self._model.crops(part)
            rows += [_row(found, row, self.targets) for row in range(len(part))]
        return rows

    def _answers(self, pictures: dict[int, bytes]) -> dict[int, dict[str, Any]]:
        """Answers, or errors, by the same keys."""
        import tensorflow as tf

        if not pictures:
            return {}
        try:
            found = self._model.encoded(list(pictures.values()))
        except tf.errors.InvalidArgumentError:
            return self._one_by_one(pictures)
        bad = model_folder.faults(found)
        return {
            key: {"error": str(undecodable(data))}
            if row in bad
            else _row(found, row, self.targets)
            for row, (key, data) in enumerate(pictures.items())
        }

    def _one_by_one(self, pictures: dict[int, bytes]) -> dict[int, dict[str, Any]]:
        """A bad picture fails the whole request of a model that gives no status."""
        if len(pictures) == 1:
            return {k: {"error": str(undecodable(v))} for k, v in pictures.items()}
        rows: dict[int, dict[str, Any]] = {}
        for key, data in pictures.items():
            rows |= self._answers({key: data})
        return rows


def _row(found: dict[str, np.ndarray], row: int, targets: Sequence[dict]) -> dict:
    return named({name: value[row] for name, value in found.items()}, targets)


def named(
    found: dict[str, Any], targets: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The outputs for one picture under their names.

    Args:
      found: output name -> the picture's row.
      targets: of the model's description.

    Returns:
      By target name {'class', 'confidence', 'probabilities': by class} or
      {dimension: value}.
    """
    answer: dict[str, dict[str, Any]] = {}
    for target in targets:
        name, classes = target["name"], target["classes"]
        values = [float(value) for value in found[name]]
        if classes:
            answer[name] = class_answer(classes, values)
        else:
            answer[name] = dict(zip(target["dimensions"], values, strict=True))
    return answer


def class_answer(classes: Sequence[str], values: Sequence[float]) -> dict[str, Any]:
    """{'class', 'confidence', 'probabilities': by class}; the first largest wins."""
    best = int(np.argmax(values))
    return {
        "class": classes[best],
        "confidence": values[best],
        "probabilities": dict(zip(classes, values, strict=True)),
    }


def expand(
    paths: Iterable[str], endings: Sequence[str] = decode.EXTENSIONS
) -> list[str]:
    """The paths with each folder replaced by the files below it, sorted.

    A pattern, which shells mostly replace themselves, stands for what it fits; '**' in
    it for folders of any depth. What exists under the name itself is no pattern.

    Args:
      paths: files, folders and patterns.
      endings: of the files that count, in small letters.

    Raises:
      UserError: a folder has none, or a pattern fits nothing.
    """
    found = []
    for path in itertools.chain.from_iterable(map(_fitting, paths)):
        if not os.path.isdir(path):
            found.append(path)
            continue
        below = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path)
            for name in names
            if name.lower().endswith(tuple(endings))
        )
        if not below:
            raise UserError(f"{path} holds no picture ({', '.join(endings)})")
        found += below
    return found


def _fitting(path: str) -> list[str]:
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    if not (found := sorted(glob.glob(path, recursive=True))):
        raise UserError(f"The pattern {path} fits no file; check it, or name files")
    return found


def read_picture(path: str, limits: decode.Limits = LIMITS) -> bytes:
    """A file as JPEG or PNG bytes of an upright RGB picture without transparency.

    A file that already is one is returned as it is; others are decoded as training
    pictures are, and encoded as PNG.

    Raises:
      kfer.images.decode.BadImage: no such file, or no picture.
    """
    if not os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "no such file"
        raise decode.BadImage(decode.MISSING, what)
    if (size := os.path.getsize(path)) > limits.max_bytes:
        raise decode.BadImage(
            decode.TOO_LARGE, f"{size} bytes, at most {limits.max_bytes} are read"
        )
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise decode.BadImage(decode.UNREADABLE, error.strerror) from error
    return plain(data, limits)


def plain(data: bytes, limits: decode.Limits = LIMITS) -> bytes:
    """Encoded bytes as JPEG or PNG of an upright RGB picture without transparency.

    Raises:
      kfer.images.decode.BadImage: no picture, or beyond the limits. Damage in the
        pixels of a JPEG or PNG is left for who decodes it.
    """
    if len(data) <= limits.max_bytes and _is_plain(data, limits):
        return data
    return decode.encode(decode.decode(data, limits), "png")


def _is_plain(data: bytes, limits: decode.Limits) -> bool:
    """Whether the model's own decoder shows these bytes as a viewer does."""
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
        return (
            image.format in ("JPEG", "PNG")
            and image.mode in ("RGB", "L")
            and image.width * image.height <= limits.max_pixels
            and min(image.size) >= limits.min_side
            and not getattr(image, "is_animated", False)
            and not image.has_transparency_data
            and image.getexif().get(decode.ORIENTATION, 1) == 1
        )
    except _UNREADABLE:
        return False


def undecodable(data: bytes) -> decode.BadImage:
    """Why a picture that looked plain could not be decoded."""
    try:
        decode.decode(data)
    except decode.BadImage as error:
        return error
    return decode.BadImage(decode.TRUNCATED, "its data can't be decoded")
