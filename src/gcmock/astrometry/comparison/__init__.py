"""A solution against the truth."""
