"""Magnitudes in bands that a mock catalogue does not hold."""

from __future__ import annotations

import numpy as np
import pytest
from isochrone_stars import isochrone_stars

from gcmock.astrometry.missions.passbands import (
    _nearest,
    extinction_ratios,
    gaianir_mag,
    law_of,
    roman_colors,
    roman_mags,
)
from gcmock.data import read_toml
from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.settings.build import load_config
from gcmock.stars.isochrones import load_isochrones


def test_the_law_is_that_of_the_metadata():
    for law in ("wang_chen_2019", "nishiyama_2009"):
        config = load_config(None, {"extinction": {"law": law}})
        assert law_of({"config": config.to_toml()}) == law


@pytest.mark.parametrize("metadata", [{}, {"config": "[extinction]\n"}, {"config": "no TOML"}])
def test_metadata_without_a_law_are_refused(metadata):
    with pytest.raises(InputError, match="do not tell its extinction law"):
        law_of(metadata)


def test_other_populations_have_no_roman_bands():
    text = '[extinction]\nlaw = "wang_chen_2019"\n[populations]\nname = "other"\n'
    with pytest.raises(InputError, match="isochrones of 'other', which have no Roman bands"):
        law_of({"config": text})


def test_stars_of_no_isochrone_are_refused():
    one = np.ones(1)
    with pytest.raises(InputError, match=r"a star of 7\.123 Gyr and \[M/H\] = 0\.1 belongs to no"):
        roman_colors(one, 7.123 * one, 0.1 * one, np.zeros((1, 3)))


def test_magnitudes_decide_where_the_mass_is_rounded():
    """Two pieces share the mass to single precision: the place nearest to the magnitudes wins."""
    knot_mass = np.array([0.5, 1.0, 1.0 + 1e-8, 1.5])
    knot_mag = np.array([[4.0], [3.0], [1.0], [0.0]]) * np.ones(3)
    knot_value = np.array([[0.0], [1.0], [2.0], [3.0]])
    mass, mag = np.array([0.75, 1.0, 1.0, 1.25]), np.array([3.5, 2.0, 1.5, 0.5])
    found = _nearest(mass, mag[:, None] * np.ones(3), knot_mass, knot_mag, knot_value)
    np.testing.assert_allclose(found[:, 0], [0.5, 1.5, 1.75, 2.5], atol=1e-5)


def test_roman_magnitudes_are_consistent_with_j_h_ks():
    stars, expected = isochrone_stars()
    found = roman_mags(stars, "wang_chen_2019")
    off = np.abs(found - expected)
    # Although a mass in single precision is not enough where stars live for an instant.
    assert np.quantile(off, 0.99) < 1e-3
    assert off.max() < 0.02


def test_extinction_in_roman_bands_follows_the_law():
    # Wang & Chen 2019 is a power law, so that the pieces are one.
    kappa = load_law("wang_chen_2019").kappa(np.zeros(1), np.zeros(1))
    bands = read_toml("passbands.toml")
    for ratio, band in zip(extinction_ratios(kappa)[0], ("f087", "f146", "f213"), strict=True):
        assert ratio == pytest.approx((bands[band]["wavelength_um"] / 2.164) ** -2.07, rel=2e-3)
    for name in ("nishiyama_2009", "nogueras_lara_2020"):
        kappa = load_law(name).kappa(np.zeros(1), np.zeros(1))
        f087, f146, f213 = extinction_ratios(kappa)[0]
        assert f087 > kappa[0, 0] / kappa[0, 2] > f146 > kappa[0, 1] / kappa[0, 2] > f213 > 1.0


def test_vega_magnitudes_of_a_hot_star_agree_in_all_bands():
    """A star of the colour of Vega has the same magnitude everywhere: Roman is in Vega, not AB."""
    table = load_isochrones("parsec")
    white = np.abs(table.absolute_mag[:, 0] - table.absolute_mag[:, 2]) < 0.01
    assert white.sum() > 10
    apart = table.roman_mag[white] - table.absolute_mag[white]
    assert np.abs(np.median(apart, axis=0)).max() < 0.06


def test_gaianir_is_the_mean_of_two_fluxes():
    assert gaianir_mag(np.array([10.0]), np.array([10.0])) == pytest.approx(10.0)
    # Without J half of the flux is left.
    assert gaianir_mag(np.array([40.0]), np.array([12.0])) == pytest.approx(12.0 + 0.7526, abs=1e-3)
