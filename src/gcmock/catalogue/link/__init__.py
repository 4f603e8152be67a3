"""Sources of several surveys linked as one star."""
