"""Motions along Galactic axes are turned to ICRS, errors with them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gcmock.frames import galactic_to_icrs_proper_motion
from gcmock.io.galactic_motion import icrs_motion

L, B = np.array([0.1, 359.8]), np.array([-0.2, 0.3])


def test_motions_without_errors_have_none():
    found = icrs_motion(L, B, {"pml": np.array([-6.0, 2.0]), "pmb": np.array([-0.2, 1.0])})
    assert found.keys() == {"pmra", "pmdec"}
    expected = galactic_to_icrs_proper_motion(L, B, np.array([-6.0, 2.0]), np.array([-0.2, 1.0]))
    np.testing.assert_array_equal((found["pmra"], found["pmdec"]), expected)


@given(st.floats(0.01, 10.0), st.floats(0.01, 10.0))
def test_a_rotation_keeps_trace_and_determinant(error_l, error_b):
    one = np.ones(2)
    motion = {"pml": one, "pmb": one, "pml_error": error_l * one, "pmb_error": error_b * one}
    found = icrs_motion(L, B, motion)
    ra, dec, corr = (found[x] for x in ("pmra_error", "pmdec_error", "pmra_pmdec_corr"))
    np.testing.assert_allclose(ra**2 + dec**2, error_l**2 + error_b**2, rtol=1e-9)
    determinant = ra**2 * dec**2 - (corr * ra * dec) ** 2
    np.testing.assert_allclose(np.sqrt(np.abs(determinant)), error_l * error_b, rtol=1e-3)
