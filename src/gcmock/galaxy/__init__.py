"""Where stars are and how they move: the eleven components of the Galactic model."""
