"""Runs console commands as their users do."""

import importlib.util
import subprocess
import sys

import pytest


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skips where the core is alone, on a newer Python."""
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"needs {name}")


def run(command: str, *arguments) -> tuple[int, str, str]:
    """Status, stdout and stderr of kfer-<command> in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"kfer.bin.{command}_main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
