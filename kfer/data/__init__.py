"""From annotated pictures to batches."""

import importlib

# What is called as kfer.data.<name> though it stands on more than this room.
_CALLED = {
    "from_table": "kfer.python.tables",
    "from_arrays": "kfer.python.arrays",
}


def __getattr__(name):
    if name == "dataset":  # so that `import kfer` is enough to name it
        return importlib.import_module("kfer.data.dataset")
    if name not in _CALLED:
        raise AttributeError(f"module 'kfer.data' has no attribute {name!r}")
    return getattr(importlib.import_module(_CALLED[name]), name)
