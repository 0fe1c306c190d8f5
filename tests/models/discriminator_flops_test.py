"""D's products by hand."""

import numpy as np
import pytest

from kfer.models import discriminator_flops
from kfer.settings.config import experiment_config


def lines(**fields):
    """Lines of cifar10_multi by name."""
    config = experiment_config("cifar10_multi", **fields)
    return {line.name: line for line in discriminator_flops.lines(config, drawn=True)}


@pytest.fixture(scope="module")
def found():
    return lines()


def passes(line):
    return line.forward, line.inputs, line.weights


def test_passes(found):
    # 2 groups in 2 D steps and 1 G step; back to weights in D steps alone; back to
    # inputs in D steps, and in the G step for the drawn image alone
    assert passes(found["block1.conv1"]) == (6, 5, 4)
    # a stream's first layer gives no gradient in D steps
    assert passes(found["block0.conv1"]) == (6, 1, 4)
    assert passes(found["annotator_1.linear"]) == (6, 1, 4)
    # the joint stream reads both what the encoder and what the decoder made
    assert passes(found["joint.linear"]) == (6, 6, 4)
    # two operands, no weights
    assert passes(found["attention.weights"]) == (6, 10, 0)


def test_products_by_hand(found):
    pooled = found["block1.conv2"]  # 16x16 to 8x8
    assert pooled.products == 8 * 8 * 16 * 128 * 128
    assert pooled.plain == 16 * 16 * 9 * 128 * 128  # 2.25 times as many
    shortcut = found["block1.conv_sc"]  # pooled first
    assert (shortcut.products, shortcut.plain) == (8 * 8 * 64 * 128, 256 * 64 * 128)
    assert found["block5.conv1"].products == 512 * 512
    # 256 queries of 64 pooled keys, 8 channels
    assert found["attention.weights"].products == 256 * 64 * 8
    assert found["joint.linear"].products == 2560 * 1024


def test_r1_goes_back_to_the_picture_and_back_again():
    held = lines(r1_weight=1.0)
    free = lines()
    more = {
        name: tuple(np.subtract(passes(line), passes(free[name])))
        for name, line in held.items()
    }
    # one group in two D steps: to each layer's inputs, and from there to its
    # gradient's and its weights
    assert more["block0.conv1"] == more["joint.second"] == (2, 2, 2)
    assert more["annotator_1.linear"] == (0, 0, 0)
    # two products back, four from there
    assert sum(more["attention.values"]) == 2 * 6
