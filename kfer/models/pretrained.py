"""VGG-16 convolutions to start the encoder from."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.models import authors_layout
from kfer.models.layout import ENCODER_BLOCKS

_SHORT = re.compile(r"conv(\d)_(\d)\.(weight|bias)")


def load(convolutions: Sequence[Sequence[Any]], source: str) -> None:
    """Fills the encoder's 13 convolutions; its dense layers keep their start.

    Args:
      convolutions: the encoder's blocks of layers, built at width 1.
      source: 'imagenet' downloads Keras Applications' weights; else an `.npz` or `.pth`
        whose arrays are named conv1_1.weight .. (VGG-Face) or
        encoder.conv_block1.0.weight .. (the 2021 code), in PyTorch layout.

    Raises:
      UserError: an array is missing or has another shape, such as at another width.
    """
    arrays = _imagenet() if source == "imagenet" else _named(source)
    for block, row in enumerate(convolutions, 1):
        for index, layer in enumerate(row, 1):
            key = f"conv{block}_{index}"
            if f"{key}.weight" not in arrays or f"{key}.bias" not in arrays:
                raise UserError(f"{source} has no {key}.weight and {key}.bias")
            kernel = arrays[f"{key}.weight"].transpose(2, 3, 1, 0)
            if kernel.shape != tuple(layer.kernel.shape):
                raise UserError(
                    f"{source}: {key}.weight is {kernel.shape} (kh, kw, in, out), the "
                    f"encoder's is {tuple(layer.kernel.shape)}; use --width=1"
                )
            layer.kernel.assign(kernel)
            layer.bias.assign(arrays[f"{key}.bias"])


def _named(path: str) -> dict[str, np.ndarray]:
    """A file's arrays under VGG-Face's names."""
    found = {}
    for name, array in authors_layout.read_arrays(path).items():
        match = re.search(r"conv_block(\d)\.(\d)\.(weight|bias)$", name)
        if match:
            name = f"conv{match[1]}_{int(match[2]) // 2 + 1}.{match[3]}"
        if short := _SHORT.search(name):
            found[short[0]] = array
    return found


def imagenet(network: Callable[..., Any], **arguments: Any) -> Any:
    """A network of keras.applications without its top, with its ImageNet weights.

    Args:
      network: such as keras.applications.VGG16.
      **arguments: of it.

    Raises:
      UserError: the weights can't be fetched, or the arguments don't fit.
    """
    try:
        return network(include_top=False, weights="imagenet", **arguments)
    except Exception as error:  # Keras raises Exception itself where a fetch fails
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"The ImageNet weights of {network.__name__} can't be had ({reason}); name "
            "a file that you have, or leave --encoder_weights out"
        ) from error


def _imagenet() -> dict[str, np.ndarray]:
    from tensorflow import keras

    vgg = imagenet(keras.applications.VGG16)
    found = {}
    for block, row in enumerate(ENCODER_BLOCKS, 1):
        for index in range(1, len(row) + 1):
            kernel, bias = vgg.get_layer(f"block{block}_conv{index}").get_weights()
            found[f"conv{block}_{index}.weight"] = kernel.transpose(3, 2, 0, 1)
            found[f"conv{block}_{index}.bias"] = bias
    return found
