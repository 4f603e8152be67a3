"""Broken power-law initial mass function."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.stars.imf import BrokenPowerLaw, load_imf

masses = st.floats(1e-3, 120.0)
IMFS = [
    *(load_imf(name) for name in ("E", "G", "E+E_X", "G+G_X")),
    load_imf("default", source="kroupa2001"),
    BrokenPowerLaw((0.1, 1.0, 100.0), (1.0, 2.0)),  # both integrals become logarithms
]


@given(st.sampled_from(IMFS), masses, masses, masses)
def test_integrals_add_up(imf, a, b, c):
    low, mid, high = sorted((a, b, c))
    for integral in (imf.number, imf.mass):
        whole = integral(low, high)
        assert integral(low, mid) + integral(mid, high) == pytest.approx(whole, abs=1e-12)
        assert whole >= 0.0


@pytest.mark.parametrize("imf", IMFS)
def test_integrals_agree_with_quadrature(imf):
    low, high = imf.edges_msun[0], imf.edges_msun[-1]
    assert imf.number(low, high) == pytest.approx(1.0, abs=1e-12)
    mass = np.geomspace(low, high, 200_001)
    assert np.trapezoid(imf.density(mass), mass) == pytest.approx(1.0, rel=1e-6)
    assert np.trapezoid(mass * imf.density(mass), mass) == pytest.approx(imf.mean_mass, rel=1e-6)


@pytest.mark.parametrize("imf", IMFS)
def test_density_is_continuous_and_bounded(imf):
    inner = np.array(imf.edges_msun[1:-1])
    np.testing.assert_allclose(imf.density(inner * (1 - 1e-9)), imf.density(inner), rtol=1e-6)
    assert imf.density([imf.edges_msun[0] / 2, imf.edges_msun[-1] * 2]).tolist() == [0.0, 0.0]


@given(st.sampled_from(IMFS), st.floats(0.0, 1.0))
def test_quantile_inverts_the_number(imf, fraction):
    mass = imf.quantile(fraction)
    assert imf.number(imf.edges_msun[0], mass) == pytest.approx(fraction, abs=1e-10)


def test_mean_mass_of_the_default():
    assert load_imf().mean_mass == pytest.approx(0.58893, abs=5e-6)


def test_bad_input_is_explained():
    with pytest.raises(InputError, match=r"E\+E_X, G\+G_X"):
        load_imf("F")
    with pytest.raises(InputError, match="koshimoto2021, kroupa2001"):
        load_imf("E", source="salpeter")
    with pytest.raises(InputError, match="rising"):
        BrokenPowerLaw((1.0, 0.5), (2.0,))
