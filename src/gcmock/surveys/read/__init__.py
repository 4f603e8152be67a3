"""Native tables of surveys, read as one common table."""
