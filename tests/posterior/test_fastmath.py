"""The inlined power of two against numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from gcmock.posterior.fastmath import exp2

power = njit(lambda x: exp2(np.float32(x)))


@settings(deadline=None)  # the first example compiles
@given(st.floats(-79.0, 0.0, width=32))
def test_agrees_with_numpy(x) -> None:
    # The argument itself is rounded to single precision: x 2^-24 ln 2 of relative error.
    assert abs(float(power(x)) / 2.0 ** float(x) - 1.0) < 1e-6


def test_floor_is_a_normal_number() -> None:
    assert abs(float(power(-500.0)) / 2.0**-80 - 1.0) < 1e-6
