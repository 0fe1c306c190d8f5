"""How many multiplications a training step takes: every product, line by line.

A product is one multiplication with its addition (2 FLOP). Counted are convolutions,
dense layers, attention and the spectral norms; what is done by element (ReLU, batch
norm, Adam) has no products and is left out. A pass back through a layer takes as many
products for the inputs' gradient, and as many for the weights', as the pass forward.
"""

import dataclasses
from collections.abc import Iterator

from kfer.models import trunk_flops
from kfer.models.layout import IMAGE_CHANNELS, first_side, ladder
from kfer.models.trunk_flops import conv3x3, conv3x3_pool, deconvolution
from kfer.settings import axes
from kfer.settings.config import ExperimentConfig


@dataclasses.dataclass(frozen=True)
class Line:
    """One layer in one net.

    Attributes:
      net: 'encoder', 'decoder' or 'discriminator'.
      name: of the layer.
      products: of one pass forward for one image, as kfer computes it.
      plain: the same in the plain form: products with padding, pooling afterwards.
      forward: passes forward in a training step.
      inputs: passes back to the layer's inputs in a training step.
      weights: passes back to the layer's weights in a training step.
      kernel: size of a kernel under spectral normalisation, else 0.
      norms: passes forward and back through its norm in a training step.
    """

    net: str
    name: str
    products: int
    plain: int
    forward: int = 0
    inputs: int = 0
    weights: int = 0
    kernel: int = 0
    norms: int = 0

    @property
    def passes(self) -> int:
        return self.forward + self.inputs + self.weights

    @property
    def total(self) -> int:
        """Products of a training step for one image."""
        return self.passes * self.products

    @property
    def plain_total(self) -> int:
        """The same in the plain form."""
        return self.passes * self.plain

    @property
    def norm_total(self) -> int:
        """Products of a training step for the kernel's norm, whatever the batch.

        K u and K^T v forward; a sum over the kernel and an outer product back.
        """
        return 2 * self.kernel * self.norms


def lines(config: ExperimentConfig) -> list[Line]:
    """The whole step of the joint method, in order of the nets' layers."""
    return [*_encoder(config), *_decoder(config), *_discriminator(config)]


def gflop_per_image(config: ExperimentConfig, plain: bool = False) -> float:
    """Billions of FLOP of a training step for each image of the batch.

    Args:
      config: of the joint method.
      plain: count the plain forms of the convolutions.
    """
    counted = lines(config)
    products = sum(line.plain_total if plain else line.total for line in counted)
    norms = sum(line.norm_total for line in counted) / config.batch_size
    return 2e-9 * (products + norms)


# Method with a game -> how the names of D's lines begin that it leaves out.
_GAMES: dict[str, tuple[str, ...]] = {
    "joint": (),
    "without_joint": ("joint.", "score_joint"),
    "without_marginal": ("score_",),
    "without_gx": ("score_x",),
    "joint_alone": ("score_",),
    "joint_em": (),
    "joint_em_without_gx": ("score_",),
}
_UNDRAWN = ("without_gx", "joint_alone", "joint_em_without_gx")  # without G_X


def _game(config: ExperimentConfig) -> str:
    """The row that has the config's game, if it has one."""
    return axes.rows_of(config.method)[0]


def has_decoder(config: ExperimentConfig) -> bool:
    """Whether the config's method draws pictures with a G_X."""
    return _game(config) in _GAMES.keys() - set(_UNDRAWN)


def training_flops(
    config: ExperimentConfig, images: int, warmup: bool = False
) -> float:
    """FLOP of training steps over that many images.

    Args:
      config: of any method.
      images: batch size times steps.
      warmup: whether they are steps of a warm-up, on labels alone.
    """
    if _game(config) in _GAMES and not warmup:
        counted = [line for line in lines(config) if not _left_out(config, line)]
        norms = sum(line.norm_total for line in counted) / config.batch_size
        return 2.0 * images * (sum(line.total for line in counted) + norms)
    encoder = [dataclasses.replace(line, forward=1) for line in _encoder(config)]
    networks = 2 if config.method == "co_teaching" else 1
    products = networks * sum(line.total for line in encoder)
    if config.method == "annot_mix":
        products += trunk_flops.confusions(config)
    return 2.0 * images * products


def _left_out(config: ExperimentConfig, line: Line) -> bool:
    undrawn = not has_decoder(config)
    if line.net == "decoder":
        return undrawn
    if undrawn and line.net == "discriminator" and _projects(config):
        # No perceptron of S_joint, so nothing that it alone would read.
        alone = _GAMES[_game(config)] == ("score_",)
        read = ("y0.", *(f"{t.name}." for t in config.stream_tasks), "score_", "fit")
        kept = ("fit",) if alone else read
        return not line.name.startswith(kept) or line.name == "score_joint"
    alone = "score_" in _GAMES[_game(config)]
    kept = alone and line.name == "score_joint"
    return line.name.startswith(_GAMES[_game(config)]) and not kept


def _projects(config: ExperimentConfig) -> bool:
    return config.recipe.joint_score == "projection"


def _forward_passes(config: ExperimentConfig) -> int:
    """How often encoder and decoder run: Algorithm 1 draws anew for D."""
    return 2 if config.recipe.update_order == "generator_first" else 1


def _encoder(config: ExperimentConfig) -> Iterator[Line]:
    passes = _forward_passes(config)
    for part in trunk_flops.parts(config):
        products = part.products, part.plain
        yield Line("encoder", part.name, *products, passes, part.inputs, part.weights)
    heads = 2 * config.noise_size + sum(task.size for task in config.tasks)
    products = trunk_flops.features(config) * heads
    yield Line("encoder", "heads", products, products, passes, 1, 1)


def _decoder(config: ExperimentConfig) -> Iterator[Line]:
    passes = _forward_passes(config)

    def line(name: str, products: int, plain: int, kernel: int, inputs: int) -> Line:
        norms = passes + 1
        return Line("decoder", name, products, plain, passes, inputs, 1, kernel, norms)

    side, counts = ladder(config.image_size)
    channels = config.channels(512)
    first = _label_sizes(config) * channels * side**2
    yield line("linear", first, first, first, 0)
    filters = [*(config.channels(count) for count in counts), 3]
    for index, count in enumerate(filters, 1):
        products = deconvolution(side, channels, count)
        yield line(f"deconv{index}", *products, 16 * channels * count, 1)
        side, channels = 2 * side, count


def _label_sizes(config: ExperimentConfig) -> int:
    return config.noise_size + sum(task.size for task in config.stream_tasks)


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


def _discriminator(config: ExperimentConfig) -> Iterator[Line]:
    # Without G_X both groups hold the picture, so the generator made none of it.
    drawn = _game(config) not in _UNDRAWN
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
    if _projects(config):
        yield from _fit(config, 1 + ratio)


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
