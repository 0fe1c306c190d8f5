"""What is wrong with noisy labels, from the labels alone."""

import importlib
import sys
import types


class _Room(types.ModuleType):
    """The package, which can be called: kfer.audit(data, model)."""

    def __call__(self, *args, **kwargs):
        return importlib.import_module("kfer.python.audits").audit(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
