"""The discriminator's products in a training step, line by line."""

import dataclasses
from collections.abc import Iterator

from kfer.models import trunk_flops
from kfer.models.flop_lines import Line, conv3x3, conv3x3_pool
from kfer.models.layout import IMAGE_CHANNELS, first_side
from kfer.settings.config import ExperimentConfig


def lines(config: ExperimentConfig, drawn: bool) -> Iterator[Line]:
    """D's layers in the joint method's step, and the projection's if it has one.

    Args:
      config: see ExperimentConfig.
      drawn: whether there is a G_X. Without one both groups hold the picture, so the
        generator made none of it.
    """
    image = _Stream(config, groups=1 if drawn else 0, starts=True)
    yield from _image_stream(config, image)
    units = config.channels(512)
    yield image.dense("score_x", units, 1)
    sizes = {"y0": config.noise_size, **{t.name: t.size for t in config.stream_tasks}}
    # The ratio of gradients is another pass back to the labels.
    ratio = 1 if config.recipe.lambda_ratio else 0
    labels = _Stream(config, groups=1 + ratio, starts=True, reads_image=False)
    for name, size in sizes.items():
        yield from _mlp(labels, name, size, units)
        yield labels.dense(f"score_{name}", units, 1)
    joint = _Stream(config, groups=(2 if drawn else 1) + ratio, starts=False)
    wide = config.channels(1024)
    yield from _mlp(joint, "joint", (1 + len(sizes)) * units, wide)
    yield joint.dense("score_joint", wide, 1)
    if projects(config):
        yield from _fit(config, 1 + ratio)


def projects(config: ExperimentConfig) -> bool:
    """Whether S_joint is a projection on the encoder's features."""
    return config.recipe.joint_score == "projection"


@dataclasses.dataclass(frozen=True)
class _Stream:
    """Makes lines of D's layers.

    In each D step both groups go forward and back to the weights, and back to the
    inputs of every layer but a stream's first. In the generator step both go forward,
    and back only where something that the generator made is below. R1 takes one group
    of what reads the picture back to it in each D step, and that way back again.
    """

    config: ExperimentConfig
    groups: int  # that the generator step goes back through
    starts: bool  # whether the stream's first layer reads an input of D
    reads_image: bool = True

    def line(
        self, name: str, products: int, plain: int, kernel: int, first: bool = False
    ) -> Line:
        steps = self.config.recipe.discriminator_steps
        inputs = 0 if first and self.starts else 2 * steps
        more = self._held
        forward, weights = 2 * (steps + 1) + more, 2 * steps + more
        passes = (forward, inputs + self.groups + more, weights)
        norms = (1 if self.config.recipe.shared_sigma else 2) * (2 * steps + 1)
        return Line("discriminator", name, products, plain, *passes, kernel, norms)

    def dense(self, name: str, channels: int, units: int, first: bool = False) -> Line:
        return self.line(name, *[channels * units] * 3, first)

    def product(self, name: str, products: int) -> Line:
        """Of two tensors of activations: back to both of them."""
        line = self.line(name, products, products, 0)
        # R1's way back is two products, and the way back from it four.
        inputs = 2 * line.inputs + 3 * self._held
        return dataclasses.replace(line, inputs=inputs, weights=0, norms=0)

    @property
    def _held(self) -> int:
        """Groups that R1 goes back through in a training step."""
        recipe = self.config.recipe
        holds = self.reads_image and recipe.r1_weight > 0.0
        return recipe.discriminator_steps if holds else 0


def _fit(config: ExperimentConfig, back: int) -> Iterator[Line]:
    # In a D step of both groups and of two real pairs, matched and not.
    steps, units = config.recipe.discriminator_steps, 1 + trunk_flops.features(config)
    for task in config.stream_tasks:
        size = task.size if task.is_categorical else task.size * (task.size + 3) // 2
        passes = (4 * steps + 2, back, 4 * steps)
        yield Line("discriminator", f"fit.{task.name}", *[size * units] * 2, *passes)


def _mlp(stream: _Stream, name: str, inputs: int, units: int) -> Iterator[Line]:
    yield stream.dense(f"{name}.linear", inputs, units, first=True)
    yield stream.dense(f"{name}.first", units, 4 * units)
    yield stream.dense(f"{name}.second", units, 4 * units)


def _image_stream(config: ExperimentConfig, stream: _Stream) -> Iterator[Line]:
    side, channels = first_side(config.image_size), 3
    for index, count in enumerate(IMAGE_CHANNELS):
        filters = config.channels(count)
        last = index == len(IMAGE_CHANNELS) - 1
        conv1 = conv3x3(side, channels, filters)
        conv2 = (conv3x3 if last else conv3x3_pool)(side, filters, filters)
        name, first = f"block{index}", index == 0
        yield stream.line(f"{name}.conv1", *conv1, 9 * channels * filters, first)
        yield stream.line(f"{name}.conv2", *conv2, 9 * filters**2)
        if not last:
            kernel = channels * filters
            shortcut = kernel * (side // 2) ** 2, kernel * side**2
            yield stream.line(f"{name}.conv_sc", *shortcut, kernel, first)
            side //= 2
        if first:
            yield from _attention(stream, side, filters)
        channels = filters


def _attention(stream: _Stream, side: int, channels: int) -> Iterator[Line]:
    area, key, value = side**2, channels // 8, channels // 2
    for name, filters in (("theta", key), ("phi", key), ("g", value)):
        kernel = channels * filters
        yield stream.line(f"attention.{name}", *[area * kernel] * 2, kernel)
    yield stream.product("attention.weights", area * (area // 4) * key)
    yield stream.product("attention.values", area * (area // 4) * value)
    kernel = value * channels
    yield stream.line("attention.o", *[area * kernel] * 2, kernel)
