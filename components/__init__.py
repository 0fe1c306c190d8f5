"""TFX components of kfer: each unpacks artifacts, calls one kfer function and notes
what came out. No `from __future__ import annotations` here: TFX reads annotations."""

from typing import Any


def __getattr__(name: str) -> Any:
    # A container finds an artifact type of ours by its name, components.LabelCheck.
    if name == "LabelCheck":
        from components.artifacts import LabelCheck

        return LabelCheck
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
