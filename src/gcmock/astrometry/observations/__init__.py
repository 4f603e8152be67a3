"""Observations of a mission: schedule, visits, distortion, the folder of them."""
