"""From annotated pictures to batches."""

import pkgutil

# What `import kfer` is enough to call, though it stands on more than this room.
_CALLED = {
    "dataset": "kfer.data.dataset:",
    "from_table": "kfer.python.tables:from_table",
    "from_arrays": "kfer.python.arrays:from_arrays",
}


def __getattr__(name):
    if name not in _CALLED:
        raise AttributeError(f"module 'kfer.data' has no attribute {name!r}")
    return pkgutil.resolve_name(_CALLED[name])
