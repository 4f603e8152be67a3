"""Extinction and fractions of the components, calibrated from the stars themselves."""
