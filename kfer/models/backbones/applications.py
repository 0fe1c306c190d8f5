"""Any network of keras.applications as a trunk."""

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.models import pretrained
from kfer.models.backbones.base import Backbone
from kfer.settings.config import ExperimentConfig

_FILES = (".h5", ".hdf5", ".keras")


def _known() -> dict[str, tuple[Callable, Callable]]:
    """mobilenet_v3_small, without its underscores -> (network, normalisation)."""
    found: dict[str, tuple[Callable, Callable]] = {}
    for module in vars(keras.applications).values():
        normalise = getattr(module, "preprocess_input", None)
        if normalise is None:
            continue
        for name, network in vars(module).items():
            if name[0].isupper() and callable(network):
                found[name.lower()] = (network, normalise)
    # The two MobileNetV3 stand beside their module, not in it.
    v3 = keras.applications.mobilenet_v3.preprocess_input
    for name in ("MobileNetV3Small", "MobileNetV3Large"):
        found[name.lower()] = (getattr(keras.applications, name), v3)
    return found


class Application(Backbone):
    """A keras.applications network without its top, averaged over the map.

    Its batch norm counts all replicas' pictures. Its dropout, where it has any, is left
    out: it draws numbers that no seed of ours gives, and a step is a function of its
    batch. Pictures come to it as its own preprocess_input makes them of 0..255 RGB.
    """

    def __init__(self, config: ExperimentConfig):
        super().__init__(config)
        known = _known()
        key = config.backbone.replace("_", "").lower()
        if key not in known:
            raise UserError(
                f"Unknown backbone {config.backbone!r}; known: vgg16, compact, "
                "compact_s, compact_xs and the networks of keras.applications, such as "
                "mobilenet_v3_small"
            )
        self._network, self._normalise = known[key]
        if config.width != 1.0:
            raise UserError(
                f"Backbone {config.backbone!r} has one width; set --width=1 (it is "
                f"{config.width:g})"
            )
        self.network = self._make()
        self.size = int(self.network.output_shape[-1])

    def _shape(self) -> dict[str, Any]:
        side = self.config.image_size
        return {"input_shape": (side, side, 3), "pooling": "avg"}

    def _make(self) -> keras.Model:
        try:
            network = self._network(include_top=False, weights=None, **self._shape())
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise UserError(
                f"Backbone {self.config.backbone!r} does not fit "
                f"{self.config.image_size} px: {first}"
            ) from error
        copy = keras.models.clone_model(network, clone_function=_copy)
        copy.set_weights(network.get_weights())
        return copy

    def parts(self) -> dict[str, Any]:
        return {"network": self.network}

    def __call__(
        self, image: tf.Tensor, dropout: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        rgb = image if self.config.recipe.channel_order == "rgb" else image[..., ::-1]
        pictures = self._normalise((tf.cast(rgb, tf.float32) + 1.0) * 127.5)
        return self.network(tf.cast(pictures, image.dtype), training=training)

    def load(self, source: str) -> None:
        """'imagenet' downloads; else a file of Keras weights of the same network."""
        if source == "imagenet":
            found = pretrained.imagenet(self._network, **self._shape())
            self.network.set_weights(found.get_weights())
            return
        # Keras takes any other name for a TensorFlow checkpoint, of which it reads
        # what fits and says nothing of the rest.
        if not source.endswith(_FILES):
            raise UserError(
                f"{source} is no file of Keras weights: they end in {', '.join(_FILES)}"
            )
        if not os.path.isfile(source):
            raise UserError(f"No weights file at {source}")
        try:
            self.network.load_weights(source)
        except (ValueError, OSError, KeyError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise UserError(
                f"{source} does not fit backbone {self.config.backbone!r}: {first}"
            ) from error


def _copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The layer anew, batch norm over all replicas and dropout as the identity."""
    if isinstance(layer, keras.layers.Dropout):
        return keras.layers.Activation("linear", name=layer.name)
    settings = layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
        settings["synchronized"] = True
    return layer.__class__.from_config(settings)
