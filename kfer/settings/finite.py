"""Settings that are no numbers: a check of a range lets NaN pass in silence."""

import dataclasses
import math
from typing import Any

from kfer.errors import UserError


def check(settings: Any) -> None:
    """Raises UserError if a number of a dataclass, or of those in it, is NaN or inf."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            check(value)
            continue
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, float) and not math.isfinite(part):
                raise UserError(f"{field.name} must be a finite number, got {value}")
