"""Runs console commands as their users do."""

import subprocess
import sys


def run(command: str, *arguments) -> tuple[int, str, str]:
    """Status, stdout and stderr of kfer-<command> in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"kfer.bin.{command}_main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
