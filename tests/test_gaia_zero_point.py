from __future__ import annotations

import numpy as np
import pytest

from gcmock.gaia_zero_point import FIVE_PARAMETERS, SIX_PARAMETERS, parallax_zero_point

NAN = np.array([np.nan])


def test_values_of_the_published_interpolation():
    """Lindegren et al. 2021, A&A 649, A4, table 9: nodes of G where only the constant counts."""
    pytest.importorskip("zero_point", reason="gaiadr3-zeropoint is not installed")
    g, colour = np.array([6.1, 10.8, 17.0, 17.0]), np.array([1.48, 1.48, 1.48, np.nan])
    latitude = np.degrees(np.arcsin(np.sqrt(1.0 / 3.0))) * np.ones(4)
    found = parallax_zero_point(g, colour, np.full(4, np.nan), latitude, np.full(4, 31.0))
    assert np.isnan(found[3])
    assert (found[:3] < 0).all()
    assert (found[:3] > -0.1).all()


def test_solutions_with_six_parameters_use_their_pseudocolour():
    pytest.importorskip("zero_point", reason="gaiadr3-zeropoint is not installed")
    g, latitude = np.array([16.0, 16.0]), np.array([-5.0, -5.0])
    solved = np.array([float(FIVE_PARAMETERS), float(SIX_PARAMETERS)])
    nu_eff, pseudocolour = np.array([1.5, np.nan]), np.array([np.nan, 1.5])
    five, six = parallax_zero_point(g, nu_eff, pseudocolour, latitude, solved)
    assert np.isfinite(five)
    assert np.isfinite(six)
    assert five != six


def test_none_without_its_inputs():
    assert np.isnan(parallax_zero_point(NAN, NAN, NAN, NAN, np.array([31.0])))
