"""From annotated pictures to batches."""
