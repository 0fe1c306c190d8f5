"""Tables of running means and the length of an epoch, by hand."""

import dataclasses

import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.methods import by_example
from kfer.settings import config as config_lib


def config(examples, batch=32):
    found = config_lib.experiment_config("cifar10_multi", method="elr")
    options = dataclasses.replace(found.options, num_examples=examples)
    return dataclasses.replace(found, options=options, batch_size=batch)


def test_an_epoch():
    assert by_example.num_examples(config(100)) == 100
    # 100 / 32 and 10 / 32: the rest of an epoch is no step, but there is always one.
    assert by_example.steps_per_epoch(config(100)) == 3
    assert by_example.steps_per_epoch(config(10)) == 1
    with pytest.raises(UserError, match="elr needs num_examples, the size of"):
        by_example.steps_per_epoch(config(0))


def test_means_move():
    table = tf.Variable([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    rows = tf.constant([[0.0, 1.0], [0.0, 0.0]])
    moved = by_example.move_means(table, tf.constant([2, 0], tf.int64), rows, 0.75)
    # 0.75 (0.5, 0.5) + 0.25 (0, 1), and 0.75 (1, 0).
    assert moved.numpy().tolist() == [[0.375, 0.625], [0.75, 0.0]]
    assert table.numpy().tolist() == [[0.75, 0.0], [0.0, 1.0], [0.375, 0.625]]


def test_what_was_made_for_other_pictures_or_batches():
    by_example.check_pictures(config(100), 100)
    by_example.check_pictures(config(0), 7)  # not known yet
    with pytest.raises(UserError, match="made for 100 pictures, got 99"):
        by_example.check_pictures(config(100), 99)
    by_example.check_batch(config(100), 32)
    with pytest.raises(UserError, match="batch_size 32, got batch_size 16; leave it"):
        by_example.check_batch(config(100), 16)
