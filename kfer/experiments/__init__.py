"""The paper's tables and figures: cells, their runs, and what they add up to."""
