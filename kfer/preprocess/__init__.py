"""Pictures and their annotations in, aligned records out."""
