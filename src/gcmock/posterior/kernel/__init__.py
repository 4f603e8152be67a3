"""The compiled posterior: lattices, sums, likelihood, draws."""
