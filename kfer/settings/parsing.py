"""Settings as a user writes them: name=value."""

import json
from collections.abc import Sequence
from typing import Any

from kfer.errors import UserError

# Settings that are chosen by flags of their own, or follow from the data.
CHOSEN = ("base", "name", "dataset", "tasks", "options")


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Settings given as 'name=value' texts.

    Args:
      texts: values are JSON where they parse as such (1, 0.5, true), else text.

    Raises:
      UserError: a text is no name=value, or names one of CHOSEN.
    """
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise UserError(f"Settings are name=value, got {text!r}")
        if name in CHOSEN:
            raise UserError(f"{name} is no setting to give a value to, got {text!r}")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
