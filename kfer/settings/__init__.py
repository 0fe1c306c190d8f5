"""Every setting of a run and its default."""
