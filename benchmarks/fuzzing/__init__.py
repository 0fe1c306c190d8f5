"""Broken input, made from a seed, for everything that reads outside bytes."""
