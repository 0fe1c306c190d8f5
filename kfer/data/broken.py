"""Stored records that can't be read: counted, the first of them with its reason."""

import contextlib
import io
from collections.abc import Iterator

from PIL import Image

from kfer.data import record as record_lib
from kfer.data import shards
from kfer.data.dataset import Dataset
from kfer.data.record import Record
from kfer.errors import UserError


@contextlib.contextmanager
def one_line(dataset: Dataset) -> Iterator[None]:
    """While records of a data set are read: those that can't be are one line.

    Raises:
      UserError: some can't be read; how many of which split, the first and its reason.
    """
    import tensorflow as tf

    # Of parsing, decoding and reading; a lost worker or a full memory is another.
    faults = tf.errors.InvalidArgumentError, tf.errors.DataLossError
    try:
        yield
    except (*faults, UnicodeDecodeError) as error:
        for split, info in dataset.splits.items():
            if found := problems(dataset, split):
                raise UserError(
                    f"{len(found)} of the {info.num_records} records of {split} in "
                    f"{dataset.root} can't be read, first {found[0]}; prepare the data "
                    "set again"
                ) from error
        raise


def problems(dataset: Dataset, split: str) -> list[str]:
    """'train-7: what is wrong' of each record of a split that can't be read.

    Shards that changed since they were written are one more, and end the list.
    """
    found = []
    row = 0
    try:
        for path in dataset.files(split):
            for serialized in shards.read_shard(path):
                if said := _problem(dataset, serialized, row):
                    found.append(said)
                row += 1
    except UserError as error:
        found.append(str(error))
    return found


def _problem(dataset: Dataset, serialized: bytes, row: int) -> str:
    """What is wrong with the record of a row, with its name, or ''."""
    try:
        record = record_lib.decode(serialized)
    except UserError as error:
        return f"record {row}: {error}"
    said = picture_problem(dataset, record.image) or _label_problem(dataset, record)
    return f"{record.image_id}: {said}" if said else ""


def picture_problem(dataset: Dataset, image: bytes) -> str:
    """What of a stored picture isn't as dataset.json says, or why it can't be decoded;
    '' if nothing."""
    try:
        picture = Image.open(io.BytesIO(image), formats=["PNG", "JPEG"])
    except OSError:
        return "the picture is neither PNG nor JPEG"
    if picture.format.lower() != dataset.image_format:
        return f"the picture is {picture.format}, not {dataset.image_format}"
    side = dataset.image_size
    if side and picture.size != (side, side):
        return f"the picture is {picture.size}, not {(side, side)}"
    return _decoding_problem(image)


def _decoding_problem(image: bytes) -> str:
    """By the decoder of training, as no two forgive the same faults."""
    import tensorflow as tf

    try:
        tf.io.decode_jpeg(image, channels=3)
    except tf.errors.OpError as error:
        reason = error.message.splitlines()[0].split("}} ")[-1].split(" [Op:")[0]
        return f"the picture can't be decoded ({reason})"
    return ""


def _label_problem(dataset: Dataset, record: Record) -> str:
    """What of the record's labels isn't as their columns say, or ''."""
    declared = (
        (record.labels, dataset.columns),
        (record.clean, dataset.clean_columns),
    )
    for values, columns in declared:
        for name, value in values.items():
            if name in columns and (said := columns[name].problem(value)):
                return said
    return ""
