"""Missions: directions at any epoch, observations of them, and solutions of the observations."""
