"""Keras's evaluate and fit of a method: what they weigh, and what they refuse."""

import pytest
import tensorflow as tf

from kfer.errors import UserError
from tests.methods.toys import IMAGES, labels_of


def test_evaluate_on_replicas_is_evaluate_on_one(stub, two_replicas):
    """Of three pictures a batch, one replica has two and the other one."""
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            method = stub(label_sets="mean")
            method.compile()
            labels = labels_of(method.config)
        found.append(
            method.evaluate(IMAGES, labels, batch_size=3, return_dict=True, verbose=0)
        )
    one, many = found
    assert one["annotator_1/cross_entropy"] > 0.1
    assert {n: v for n, v in many.items() if "ccc" not in n and n != "loss"} == (
        pytest.approx({n: one[n] for n in many if "ccc" not in n and n != "loss"})
    )
    assert many["loss"] == pytest.approx(one["loss"], rel=0.2)


def test_the_loss_weighs_tasks_as_training_does(stub):
    """Two label sets of a target share its weight."""
    losses = {}
    for sets in ("sum", "mean"):
        method = stub(label_sets=sets)
        method.compile()
        labels = {n: v for n, v in labels_of(method.config).items() if "pain" not in n}
        found = method.evaluate(IMAGES, labels, return_dict=True, verbose=0)
        losses[sets] = found["loss"], found["annotator_1/cross_entropy"]
    pain = 1.0  # 1 - CCC of two tasks without a label
    summed, averaged = losses["sum"][0], losses["mean"][0]
    assert summed - 2 * pain == pytest.approx(2 * (averaged - pain), rel=1e-5)


class TestWhatMethodsHoldOfEachPicture:
    @pytest.mark.parametrize("name", ("em", "co_teaching"))
    def test_epochs_go_by_the_config_s_batches(self, stub, name):
        method = stub(name)
        method.compile()
        size = method.config.batch_size
        line = f"epochs by the config's batch_size {size}, got batch_size {size - 1}"
        with pytest.raises(UserError, match=line):
            method.fit(IMAGES, labels_of(method.config), batch_size=size - 1, verbose=0)

    @pytest.mark.parametrize("name", ("em", "co_teaching", "elr"))
    def test_other_pictures_are_refused_at_every_call(self, stub, name):
        method = stub(name)
        method.compile()
        labels = labels_of(method.config)
        method.fit(IMAGES, labels, verbose=0)
        fewer = {task: rows[:7] for task, rows in labels.items()}
        with pytest.raises(UserError, match="was made for 8 pictures, got 7"):
            method.fit(IMAGES[:7], fewer, verbose=0)
