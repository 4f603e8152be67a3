"""Mock catalogues: true stars behind observed ones, and stars from the model alone."""
