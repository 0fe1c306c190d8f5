"""Encoded bytes to pixels, and pixels to an aligned square."""
