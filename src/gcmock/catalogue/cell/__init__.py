"""One cell of the sky merged: sources, stars, magnitudes, astrometry."""
