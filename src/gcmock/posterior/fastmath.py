"""Options and constants of the compiled functions."""

from __future__ import annotations

LOG2_E = 1.4426950408889634

INNER = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""Options of kernels that only other kernels call.

Without the wrappers they compile twice as fast.
"""

INNER_FAST = {**INNER, "fastmath": True}
"""The same, where sums may be reordered."""

LEAST_SUM = 1e-22
"""Sums of weight (at most 1) times 2^x below this are made of floors: nothing is there."""
