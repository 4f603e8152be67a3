"""What the surveys would see of a known sky: native tables, and the truth behind each row."""
