"""The signature of serialized tf.train.Examples."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import record, shards
from tests import runs


@pytest.fixture(scope="module")
def signatures():
    return tf.saved_model.load(runs.model()).signatures


def example(**features: bytes) -> bytes:
    """A serialized tf.train.Example of bytes."""
    values = {
        name.replace("_", "/"): tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[value])
        )
        for name, value in features.items()
    }
    made = tf.train.Example(features=tf.train.Features(feature=values))
    return made.SerializeToString()


def test_examples_give_what_their_pictures_give(signatures):
    pictures = runs.encoded()[:3]
    expected = signatures["serving_default"](image_bytes=tf.constant(pictures))
    rows = [example(image_encoded=data, source=b"else") for data in pictures]
    found = signatures["predict_examples"](examples=tf.constant(rows))
    assert set(found) == set(expected)
    for name, value in expected.items():
        lone = value.dtype == tf.string and value.shape.rank == 1
        value = value[:, tf.newaxis] if lone else value
        assert found[name].shape == value.shape
        np.testing.assert_array_equal(found[name], value)
    # A prepared data set's records are such examples.
    stored = next(shards.read_shard(runs.dataset().files("test")[0]))
    one = signatures["predict_examples"](examples=tf.constant([stored]))
    picture = record.decode(stored).image
    again = signatures["serving_default"](image_bytes=tf.constant([picture]))
    np.testing.assert_array_equal(one["expression"], again["expression"])
    nothing = signatures["predict_examples"](examples=tf.constant([], tf.string))
    assert nothing["expression"].shape == (0, 7)


def test_examples_without_a_picture_are_errors_that_name_the_index(signatures):
    ask = signatures["predict_examples"]
    good = example(image_encoded=runs.encoded()[0])
    for rows, text in (
        ([good, example(source=b"x")], r"feature image/encoded at index\S* \[1\]"),
        ([good, good, b"\xff no example"], r"image/encoded at index\S* \[2\]"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            ask(examples=tf.constant(rows))
    found = ask(examples=tf.constant([good, example(image_encoded=b"no picture")]))
    assert found["status"].numpy().tolist() == [
        [b"OK"],
        [b"no whole JPEG or PNG picture"],
    ]
