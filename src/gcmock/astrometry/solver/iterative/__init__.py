"""The solution without a matrix: conjugate gradients on the instrument, stars eliminated."""
