"""Arithmetic that LLVM can vectorise: a single-precision 2^x without a call."""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LOG2_E = 1.4426950408889634

INNER = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of kernels that only other kernels call.

Without the wrappers they compile twice as fast.
"""

INNER_FAST = {**INNER, "fastmath": True}
"""The same, where sums may be reordered."""

# Near-minimax polynomial for 2^f on [-1/2, 1/2], degree 5: relative error below 2e-7 (weighted
# Chebyshev fit).
_C = (1.00000014, 0.69314682, 0.24021898, 0.05550793, 0.00968454, 0.00132759)

LEAST_SUM = 1e-22
"""Sums of weight (at most 1) times `exp2` below this are made of floors: nothing is there."""


@intrinsic
def _bits_as_float(typingctx: Any, bits: Any) -> Any:
    """Reinterpret an int32 as a float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@numba.njit(inline="always")
def exp2(x):
    """Return 2^x for a float32 x <= 0 (or barely above); below -80 the result is 2^-80.

    The floor keeps products with small weights out of the denormal range, where a multiplication
    costs a hundred times more. `LEAST_SUM` tells a sum of floors from a likelihood.
    """
    x = max(x, numba.float32(-80.0))
    n = numba.int32(x - numba.float32(0.5))
    f = x - numba.float32(n)
    p = numba.float32(_C[5])
    p = p * f + numba.float32(_C[4])
    p = p * f + numba.float32(_C[3])
    p = p * f + numba.float32(_C[2])
    p = p * f + numba.float32(_C[1])
    p = p * f + numba.float32(_C[0])
    return p * _bits_as_float(numba.int32((n + numba.int32(127)) << numba.int32(23)))
