"""What the surveys would see of a sky that is known: native tables, and the truth behind each row."""
