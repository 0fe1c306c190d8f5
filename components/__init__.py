"""TFX components of kfer: each unpacks artifacts, calls one kfer function and notes
what came out. No `from __future__ import annotations` here: TFX reads annotations."""
