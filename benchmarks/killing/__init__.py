"""Commands of toy size that are killed, or whose disk refuses."""
