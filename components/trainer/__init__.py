"""What the Trainer component calls."""
