"""Where stars are and how they move: the components of the Galactic model."""
