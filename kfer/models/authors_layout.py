"""The 2021 code's PyTorch parameters, by name and in its layouts.

Names are the net's ('encoder', 'decoder', 'd_x', 'd_z0', 'd_y1' .. or 'd_expression',
'd_va', 'd_joint') and the state dict's key. Layouts: linear (out, in); convolution
(out, in, kh, kw); transposed convolution (in, out, kh, kw). The encoder's first linear
layer reads a (C, H, W) flattening, ours (H, W, C).
"""

import dataclasses
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.errors import UserError
from kfer.models import layers
from kfer.models.array_layouts import (
    Flattened,
    Joined,
    Layout,
    PartOf,
    Row,
    Transposed,
)
from kfer.models.decoder import Decoder
from kfer.models.discriminator import IMAGE, Y0, Discriminator
from kfer.models.spectral import SpectralLayer

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One array of the state dict and the variables that hold it here.

    Attributes:
      name: net and key.
      variables: one, or one for each task where the 2021 code has one layer for all.
      layout: how the array lies in the variables.
      trained: False for batch norm's statistics and the power iteration's u.
    """

    name: str
    variables: tuple[tf.Variable, ...]
    layout: Layout
    trained: bool = True

    def held(self) -> list[np.ndarray]:
        """What the variables hold."""
        return [variable.numpy() for variable in self.variables]


def parameters(method: Any) -> list[Parameter]:
    """All parameters of a built method, in the 2021 code's order of nets.

    Args:
      method: has an encoder and maybe a decoder and a discriminator.
    """
    found = list(_encoder(method.encoder))
    if getattr(method, "decoder", None) is not None:
        found += _decoder(method.decoder)
    if getattr(method, "discriminator", None) is not None:
        found += _discriminator(method.discriminator)
    return found


def to_arrays(method: Any) -> Arrays:
    """The method's weights under the 2021 code's names and layouts."""
    return {p.name: p.layout.to_authors(p.held()) for p in parameters(method)}


def assign(method: Any, arrays: Arrays, nets: tuple[str, ...] = ()) -> None:
    """Fills the method from arrays by the 2021 code's names.

    Args:
      method: a built method.
      arrays: what to_arrays gives; what is not trained may be missing, and keys of
        other nets are ignored.
      nets: only these nets ('encoder', ...); all if empty.

    Raises:
      UserError: a parameter is missing or has another shape.
    """
    for parameter in parameters(method):
        if nets and parameter.name.split(".")[0] not in nets:
            continue
        if parameter.name not in arrays:
            if not parameter.trained:
                continue
            raise UserError(f"The weights have no {parameter.name!r}")
        old = parameter.held()
        expected = parameter.layout.to_authors(old).shape
        value = np.asarray(arrays[parameter.name])
        if value.shape != expected:
            raise UserError(
                f"{parameter.name} has shape {value.shape}, expected {expected}"
            )
        new = parameter.layout.from_authors(value, old)
        for variable, part in zip(parameter.variables, new, strict=True):
            variable.assign(part)


def read_arrays(path: str | Path, net: str = "") -> Arrays:
    """Arrays by name from an `.npz`, or from a `.pth` state dict of one net.

    Args:
      path: the file; `.pth` needs torch installed and is read with weights_only.
      net: prefix of the names of a `.pth`, such as 'encoder' or 'd_x'.

    Raises:
      UserError: unreadable, of another kind, or torch is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"No weights file at {path}")
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (
            ValueError,
            OSError,
            EOFError,
            TypeError,
            AttributeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise UserError(f"{path} is not a readable .npz ({error})") from error
    if path.suffix != ".pth":
        raise UserError(f"{path} is neither .npz nor .pth")
    try:
        import torch
    except ImportError as error:
        raise UserError(
            f"Reading {path} needs torch; install it or use .npz"
        ) from error
    state = torch.load(path, map_location="cpu", weights_only=True)
    prefix = f"{net}." if net else ""
    return {prefix + name: value.numpy() for name, value in state.items()}


def _one(
    name: str, variable: tf.Variable, order: tuple[int, ...] = (), trained: bool = True
) -> Parameter:
    """A parameter whose axes are `order` of ours."""
    return Parameter(name, (variable,), Transposed(order), trained)


def _encoder(encoder: Any) -> Iterator[Parameter]:
    if (backbone := encoder.config.backbone) != "vgg16":
        raise UserError(
            f"The 2021 code's arrays are those of backbone 'vgg16', not of {backbone!r}"
        )
    for block, row in enumerate(encoder.convolutions, 1):
        for index, layer in enumerate(row):
            key = f"encoder.conv_block{block}.{2 * index}"
            yield _one(f"{key}.weight", layer.kernel, (3, 2, 0, 1))
            yield _one(f"{key}.bias", layer.bias)
    first, second = encoder.embedding
    side = Flattened(encoder.config.image_size // 32)
    yield Parameter("encoder.embedding.0.weight", (first.kernel,), side)
    yield _one("encoder.embedding.0.bias", first.bias)
    for key, layer in (
        ("embedding.3", second),
        ("mean_layer", encoder.mean_layer),
        ("logvar_layer", encoder.logvar_layer),
    ):
        yield _one(f"encoder.{key}.weight", layer.kernel, (1, 0))
        yield _one(f"encoder.{key}.bias", layer.bias)
    heads = Joined(tuple(task.size for task in encoder.config.tasks))
    for key, name in (("weight", "kernel"), ("bias", "bias")):
        variables = tuple(getattr(head, name) for head in encoder.heads)
        yield Parameter(f"encoder.c_layer.{key}", variables, heads)


def _spectral(key: str, layer: SpectralLayer) -> Iterator[Parameter]:
    if layer.use_bias:
        yield _one(f"{key}.bias", layer.bias)
    order = (1, 0) if layer.kernel.shape.rank == 2 else (3, 2, 0, 1)
    yield _one(f"{key}.weight_orig", layer.kernel, order)
    yield Parameter(f"{key}.weight_u", (layer.u,), Row(), trained=False)


def _layer_of(stack: SpectralLayer, index: int, key: str) -> Iterator[Parameter]:
    """The parameters of one of the parallel layers that are stacked here."""
    yield Parameter(f"{key}.bias", (stack.bias,), PartOf((index,)))
    yield Parameter(f"{key}.weight_orig", (stack.kernel,), PartOf((index,)))
    yield Parameter(f"{key}.weight_u", (stack.u,), PartOf((index, 0)), trained=False)


def _decoder(decoder: Decoder) -> Iterator[Parameter]:
    yield from _spectral("decoder.linear", decoder.linear)
    for index, layer in enumerate([*decoder.deconvolutions, decoder.last], 1):
        yield from _spectral(f"decoder.deconv{index}", layer)
        if index <= len(decoder.norms):
            norm, key = decoder.norms[index - 1], f"decoder.bn{index}.0"
            yield _one(f"{key}.weight", norm.gamma)
            yield _one(f"{key}.bias", norm.beta)
            yield _one(f"{key}.running_mean", norm.moving_mean, trained=False)
            yield _one(f"{key}.running_var", norm.moving_variance, trained=False)


def _discriminator(discriminator: Discriminator) -> Iterator[Parameter]:
    for name, layer in discriminator.embeddings.items():
        net = _net(name)
        if name == IMAGE:
            yield from _image_stream(layer)
        else:
            yield from _mlp(f"{net}.z_mlp", layer)
        if name in discriminator.scorers:
            score = "score_x" if name == IMAGE else "score_z"
            yield from _spectral(f"{net}.{score}", discriminator.scorers[name])
    if discriminator.joint is not None:
        yield from _mlp("d_joint.z_x_mlp", discriminator.joint)
        yield from _spectral("d_joint.score_x_z", discriminator.score_joint)


def _net(stream: str) -> str:
    known = {IMAGE: "d_x", Y0: "d_z0", "valence_arousal": "d_va"}
    return known.get(stream, "d_" + stream.replace("annotator_", "y"))


def _image_stream(stream: Any) -> Iterator[Parameter]:
    blocks = [stream.first, *stream.blocks, stream.last]
    for index, block in enumerate(blocks):
        key = f"d_x.DBlock{index or ''}"
        yield from _spectral(f"{key}.conv1", block.conv1)
        yield from _spectral(f"{key}.conv2", block.conv2)
        if block.downsample:
            yield from _spectral(f"{key}.conv_sc", block.conv_sc)
    attention = stream.attention
    yield _one("d_x.attention.gamma", attention.gamma)
    for name in ("theta", "phi", "g", "o"):
        yield from _spectral(f"d_x.attention.{name}", getattr(attention, name))


def _mlp(key: str, mlp: layers.ResidualMLP) -> Iterator[Parameter]:
    yield from _spectral(f"{key}.linear", mlp.linear)
    for index in range(mlp.first.count):
        yield from _layer_of(mlp.first, index, f"{key}.linear{2 * index + 1}")
        yield from _layer_of(mlp.second, index, f"{key}.linear{2 * index + 2}")


def count(arrays: Arrays) -> int:
    """Number of values in all arrays."""
    return sum(math.prod(array.shape) for array in arrays.values())
