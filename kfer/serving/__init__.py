"""A trained method to a model folder that others load."""
