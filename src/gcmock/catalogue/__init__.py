"""One catalogue out of several surveys: match, clean, choose magnitudes and astrometry, count."""
