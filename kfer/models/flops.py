"""How many multiplications a training step takes: every product, line by line.

A product is one multiplication with its addition (2 FLOP). Counted are convolutions,
dense layers, attention and the spectral norms; what is done by element (ReLU, batch
norm, Adam) has no products and is left out. A pass back through a layer takes as many
products for the inputs' gradient, and as many for the weights', as the pass forward.
"""

import dataclasses
from collections.abc import Iterator

from kfer.models import discriminator_flops, trunk_flops
from kfer.models.flop_lines import Line, deconvolution
from kfer.models.layout import ladder
from kfer.settings import axes
from kfer.settings.config import ExperimentConfig


def lines(config: ExperimentConfig) -> list[Line]:
    """The whole step of the joint method, in order of the nets' layers."""
    drawn = _game(config) not in axes.WITHOUT_DECODER
    judged = discriminator_flops.lines(config, drawn)
    return [*_encoder(config), *_decoder(config), *judged]


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


# Game -> how the names of D's lines begin that it leaves out.
_GAMES: dict[str, tuple[str, ...]] = {
    "joint": (),
    "without_joint": ("joint.", "score_joint"),
    "without_marginal": ("score_",),
    "without_gx": ("score_x",),
    "joint_alone": ("score_",),
}


def _game(config: ExperimentConfig) -> str:
    return axes.regulariser_of(config.method)


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
        products += _confusions(config)
    return 2.0 * images * products


def _left_out(config: ExperimentConfig, line: Line) -> bool:
    undrawn = not axes.has_decoder(config.method)
    if line.net == "decoder":
        return undrawn
    if undrawn and line.net == "discriminator" and discriminator_flops.projects(config):
        # No perceptron of S_joint, so nothing that it alone would read.
        alone = _GAMES[_game(config)] == ("score_",)
        read = ("y0.", *(f"{t.name}." for t in config.stream_tasks), "score_", "fit")
        kept = ("fit",) if alone else read
        return not line.name.startswith(kept) or line.name == "score_joint"
    alone = "score_" in _GAMES[_game(config)]
    kept = alone and line.name == "score_joint"
    return line.name.startswith(_GAMES[_game(config)]) and not kept


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


def _confusions(config: ExperimentConfig) -> int:
    """Of a step through annot_mix's networks: no pass back to what they read."""
    units, total = config.options.confusion_units, 0
    sizes = [(task.target, task.size) for task in config.tasks if task.is_categorical]
    for target, size in set(sizes):
        count = sizes.count((target, size))
        read = trunk_flops.features(config) + count**2
        total += 2 * read * units + 3 * count * units * size**2
    return total
