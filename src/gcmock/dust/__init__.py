"""Dust: extinction laws, the map of the reddening and its growth along a line of sight."""
