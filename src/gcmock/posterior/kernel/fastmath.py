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

HOT = {**INNER, "_nrt": False, "forceinline": True}
"""The same for what is called at every distance, and makes no arrays: references to arrays are not
counted, which would cost a tenth of the time, and more where threads share them."""

HOT_FAST = {**HOT, "fastmath": True}
"""The same, where sums may be reordered."""

INNER_FAST = {**INNER, "fastmath": True}
"""As `INNER`, where sums may be reordered."""

LEAST_SUM = 1e-22
"""Sums of weight (at most 1) times 2^x below this are made of floors: nothing is there."""
