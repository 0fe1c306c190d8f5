"""How many multiplications each backbone's layers take forward for one picture."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from kfer.models.flop_lines import conv3x3
from kfer.models.layout import COMPACT_GROUPS, ENCODER_BLOCKS, PATCH, WHITENED
from kfer.settings.config import ExperimentConfig


@dataclasses.dataclass(frozen=True)
class Part:
    """A layer.

    Attributes:
      name: of the layer.
      products: of one pass forward for one picture, as kfer computes it.
      plain: the same in the plain form, padding counted.
      inputs: passes back to its inputs in a training step.
      weights: passes back to its weights.
    """

    name: str
    products: int
    plain: int
    inputs: int = 1
    weights: int = 1


def parts(config: ExperimentConfig) -> Iterator[Part]:
    """The trunk's layers in order, without the heads."""
    if config.backbone == "vgg16":
        return _vgg16(config)
    if config.backbone in COMPACT_GROUPS:
        return _compact(config)
    return _application(config)


def features(config: ExperimentConfig) -> int:
    """F, the number of features that the heads read."""
    if config.backbone == "vgg16":
        return config.channels(config.embedding_size)
    if config.backbone in COMPACT_GROUPS:
        return config.channels(COMPACT_GROUPS[config.backbone][-1])
    return _network(config).output_shape[-1]


def _vgg16(config: ExperimentConfig) -> Iterator[Part]:
    side, channels = config.image_size, 3
    for block, row in enumerate(ENCODER_BLOCKS, 1):
        for index, count in enumerate(row, 1):
            filters = config.channels(count)
            inputs = 0 if (block, index) == (1, 1) else 1
            name = f"conv{block}_{index}"
            yield Part(name, *conv3x3(side, channels, filters), inputs)
            channels = filters
        side //= 2
    units = config.channels(config.embedding_size)
    first = side**2 * channels * units
    yield Part("embedding1", first, first)
    yield Part("embedding2", units**2, units**2)


def _compact(config: ExperimentConfig) -> Iterator[Part]:
    side, channels = config.image_size - PATCH + 1, WHITENED
    patches = side**2 * PATCH**2 * 3 * WHITENED
    # Below it is the picture alone, and its kernel is never learned.
    yield Part("whitening", patches, patches, inputs=0, weights=0)
    for group, width in enumerate(COMPACT_GROUPS[config.backbone], 1):
        filters = config.channels(width)
        for index in (1, 2):
            products = 9 * side**2 * channels * filters
            # The first one's inputs have a gradient for the whitening's bias.
            yield Part(f"conv{group}_{index}", products, products)
            channels = filters
            if index == 1:
                side //= 2


def _application(config: ExperimentConfig) -> Iterator[Part]:
    from tensorflow import keras

    for layer in _network(config).layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            taps = math.prod(layer.kernel_size) * layer.output_shape[-1]
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            taps = math.prod(layer.kernel.shape)
        else:
            continue
        area = math.prod(side or 1 for side in layer.output_shape[1:-1])
        yield Part(layer.name, taps * area, taps * area)


def _network(config: ExperimentConfig) -> Any:
    from kfer.models import backbones

    return backbones.make(config).network
