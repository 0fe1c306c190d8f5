"""Names that people give -> names that TensorFlow and files allow."""

import re
import unicodedata
from collections.abc import Sequence


def safe_names(names: Sequence[str]) -> dict[str, str]:
    """Names of any script -> the names that TensorFlow allows, each a different one.

    'annotator_José M.' becomes 'annotator_Jose_M'; what is nothing in ASCII letters is
    told apart by numbers.
    """
    found: dict[str, str] = {}
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "labels"
        safe, number = base, 1
        while safe in found.values():
            number += 1
            safe = f"{base}_{number}"
        found[name] = safe
    return found
