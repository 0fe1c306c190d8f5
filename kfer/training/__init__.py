"""Batches to a trained method: loop, callbacks, checkpoints, strategies."""
