"""Small data sets in the official layouts, drawn from a seed, for tests and demos."""
