"""What networks and methods have in common as Keras sees them: they follow from a
config."""

from typing import Any

from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig


class Configured:
    """Gives a keras.Model with an attribute `config` its get_config and from_config.

    Attributes:
      OPTIONS: names of further arguments, which are attributes too.
    """

    OPTIONS: tuple[str, ...] = ()
    config: ExperimentConfig

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        own = {name: getattr(self, name) for name in self.OPTIONS}
        return {"config": config_lib.to_dict(self.config), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """What get_config told of, with new weights.

        Args:
          config: of get_config.
          custom_objects: Keras passes it; nothing is looked up in it.

        Raises:
          UserError: the config is of another version.
        """
        fields = {**config, "config": config_lib.from_dict(config["config"])}
        return cls(**fields)
