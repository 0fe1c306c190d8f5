"""Tests of what isn't installed everywhere: on a newer Python there is the core alone."""

import importlib.util

import pytest


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skips a test, or as `pytestmark` a file, where the package is missing."""
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"needs {name}")
