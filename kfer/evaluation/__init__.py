"""A trained method to scores, figures and a report."""
