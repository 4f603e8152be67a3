"""Rough Gaia magnitudes and errors."""

import numpy as np
import pytest

from gcmock.stars.gaia import gaia_g_mag, gaia_mag, gaia_parallax_error


def test_parallax_errors_are_those_of_the_performance_page() -> None:
    assert gaia_parallax_error(np.array([17.0, 20.0])) == pytest.approx([0.08, 0.6], rel=0.15)
    bright = gaia_parallax_error(np.array([5.0, 12.0, 13.0]))
    assert (bright == bright[0]).all()


def test_magnitudes_keep_their_order() -> None:
    mag = np.array([[12.0, 11.3, 11.0], [10.0, 9.9, 9.8]])
    g, bp, rp = gaia_mag(mag).T
    np.testing.assert_array_equal(g, gaia_g_mag(mag[:, 0], mag[:, 2]))
    assert (bp > g).all()
    assert (g > rp).all()
