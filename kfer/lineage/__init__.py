"""What made a model, and how it is kept and told."""
