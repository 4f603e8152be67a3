"""Photometric systems: coefficients of the sources, exact inverses, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.photometric_systems import (
    filling,
    from_2mass,
    load_system,
    system_names,
    to_2mass,
)

MAGS = st.lists(
    st.one_of(st.floats(5.0, 25.0), st.just(float("nan"))), min_size=3, max_size=3
).filter(lambda m: np.isfinite(m).any())


def test_vista_is_that_of_casu():
    """J - 0.031 (J-Ks), H + 0.015 (J-Ks), Ks - 0.006 (J-Ks)."""
    mag, error = from_2mass("vista", [[15.0, 13.0, 12.0]])
    assert mag[0] == pytest.approx([15.0 - 0.093, 13.0 + 0.045, 12.0 - 0.018])
    assert error[0] == pytest.approx([0.02, 0.02, 0.02])


def test_sirius_uses_its_own_colours():
    mag, _ = from_2mass("sirius", [[15.0, 13.0, 12.0]])
    expected = [15.0 - 0.043 * 2 + 0.018, 13.0 + 0.015 * 2 + 0.024, 12.0 + 0.010 * 3 + 0.014]
    assert mag[0] == pytest.approx(expected)


def test_2mass_is_the_reference():
    mags = [[15.0, 13.0, np.nan]]
    mag, error = to_2mass("2mass", mags, [[0.1, 0.2, np.nan]])
    np.testing.assert_allclose(mag, mags)
    np.testing.assert_allclose(error, [[0.1, 0.2, np.nan]])


@pytest.mark.slow
@given(st.sampled_from(system_names()), MAGS)
def test_there_and_back(system, mags):
    there, _ = from_2mass(system, [mags])
    back, _ = to_2mass(system, there)
    np.testing.assert_allclose(back, [mags], atol=1e-9)


@pytest.mark.slow
@given(st.sampled_from(system_names()), MAGS, MAGS.map(np.abs))
def test_missing_stays_missing_and_errors_grow(system, mags, errors):
    sigma = np.where(np.isfinite(mags), 0.01 * np.nan_to_num(np.array(errors), nan=1.0), np.nan)
    mag, error = to_2mass(system, [mags], [sigma])
    np.testing.assert_array_equal(np.isnan(mag[0]), np.isnan(mags))
    np.testing.assert_array_equal(np.isnan(error[0]), np.isnan(mags))
    seen = np.isfinite(mags)
    # No relation is so steep that it could shrink an error by more than its largest slope.
    assert (error[0][seen] >= 0.94 * sigma[seen]).all()


def test_errors_are_those_of_a_monte_carlo():
    rng = np.random.default_rng(3)
    sigma = np.array([0.3, 0.2, 0.1])
    mag = np.array([18.0, 15.0, 13.5]) + sigma * rng.standard_normal((200_000, 3))
    got, _ = to_2mass("vista", mag)
    _, error = to_2mass("vista", mag[:1], sigma[None])
    scatter = np.sqrt(error[0] ** 2 - np.array([0.02, 0.02, 0.02]) ** 2)
    assert got.std(axis=0) == pytest.approx(scatter, rel=0.02)


def test_a_missing_band_costs_little_for_a_giant_behind_dust():
    """Without J the colour is that of a giant: the truth of one is recovered, with its error."""
    e_hks = 1.3
    ks = 14.0
    h = ks + 0.100 + e_hks
    j = h + 0.567 + 1.72 * e_hks
    whole, _ = from_2mass("vista", [[j, h, ks]])
    part, error = from_2mass("vista", [[np.nan, h, ks]])
    np.testing.assert_allclose(part[0, 1:], whole[0, 1:], atol=1e-9)
    assert error[0, 2] == pytest.approx(np.hypot(0.02, 0.006 * 0.2), rel=1e-3)


@pytest.mark.parametrize("seen", [(False, True, True), (True, False, True), (True, True, False)])
def test_filling_follows_the_giant(seen):
    fill = filling(seen)
    for e_hks in (0.0, 0.7, 2.0):
        whole = 12.0 + np.array([0.667 + 2.72 * e_hks, 0.1 + e_hks, 0.0])
        assert fill.matrix @ whole[np.array(seen)] + fill.offset == pytest.approx(whole)
    assert (fill.sigma > 0).tolist() == [not there for there in seen]


def test_every_system_says_where_it_comes_from():
    assert set(system_names()) == {"2mass", "vista", "sirius", "hawki"}
    for name in system_names():
        system = load_system(name)
        assert system.source
        assert system.status
        np.testing.assert_allclose(system.matrix.sum(axis=1), 1.0)


def test_bad_input():
    with pytest.raises(InputError, match="unknown photometric system 'ukidss'"):
        to_2mass("ukidss", [[1.0, 2.0, 3.0]])
    with pytest.raises(InputError, match="expected \\(n_star, 3\\)"):
        to_2mass("vista", [1.0, 2.0, 3.0])
