"""Methods made of several rows: a regulariser, an annotators' model, an objective.

Each row's class does its part by overriding other methods of Method: the regulariser
the step, the annotators' model what is compared with the labels, the objective how. So
the class that inherits from all of them does all.
"""

import functools
from typing import Any

from kfer import methods
from kfer.settings import config as config_lib


class Composed:
    """What classes made of several have of their own: how Keras loads them.

    All have one name for Keras; which rows they are made of is in the config.
    """

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """See kfer.models.configured."""
        method = methods.build(config_lib.from_dict(config["config"]))
        method.build_networks()
        return method


@functools.cache
def of(rows: tuple[str, ...]) -> type:
    """The class of the method that is made of these rows, regulariser first."""
    parts = [methods.class_of(methods.METHODS[name]) for name in rows]
    return type("Composed", (Composed, *parts), {"__module__": __name__})
