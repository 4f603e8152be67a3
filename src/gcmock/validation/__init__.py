"""Tests of the science: is the model right, and are its posteriors, as numbers with thresholds."""
