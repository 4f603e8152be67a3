"""p-values of evidences: exact where the evidence is that of a Gaussian, and uniform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gcmock.posterior.evidence import (
    EXCESSES,
    LEVELS,
    EvidenceTable,
    class_table,
    covariates,
    kind_of_data,
    n_measured,
    rows_interpolated,
)
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.validation.scores import ks_uniform
from gcmock.words.bands import BANDS, KS, H, J

WIDER = 1.7


def stars(n: int, seed: int = 1) -> Observations:
    rng = np.random.default_rng(seed)
    mag = np.full((n, len(BANDS)), np.nan)
    mag[:, KS] = rng.uniform(9.0, 15.0, n)
    mag[:, H], mag[:, J] = mag[:, KS] + 1.0, mag[:, KS] + 3.0
    error = np.where(np.isfinite(mag), np.exp(rng.uniform(-4.0, -2.0, mag.shape)), np.nan)
    nan = np.full(n, np.nan)
    return Observations(
        rng.uniform(-1.0, 1.0, n), rng.uniform(-0.5, 0.5, n), mag, error, nan, nan.copy(),
        rng.uniform(2.0, 4.0, n), np.full(n, 0.1),
    )  # fmt: skip


def gaussian(data: Observations, n_drawn: int, seed: int):
    """Evidences of Gaussian data of three dimensions, whose density depends on brightness, place
    and errors, and weights of draws half of which are too wide."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(data.n_star, n_drawn, 3))
    normal[:, 1::2] *= WIDER
    chi2 = (normal**2).sum(axis=2)
    weight = 1.0 / (0.5 + 0.5 * WIDER**-3 * np.exp(0.5 * chi2 * (1.0 - WIDER**-2)))
    return typical(data)[:, None] - 0.5 * chi2, weight


def typical(data: Observations) -> np.ndarray:
    volume = np.log(data.mag_error[:, :3]).sum(axis=1)
    return 0.8 * data.mag[:, KS] + 2.0 * data.l_deg - volume


def table_of(data: Observations, n_drawn: int = 32, seed: int = 2) -> EvidenceTable:
    x = covariates(data, data.mag_error**2)
    found = class_table(x, *gaussian(data, n_drawn, seed))
    return EvidenceTable({int(kind_of_data(data)[0]): found})


def test_p_of_gaussian_data_is_that_of_chi2() -> None:
    table = table_of(stars(600))
    fresh = stars(400, 5)
    for level in (0.9, 0.5, 0.1, 0.02, 1e-3, 1e-4, 1e-5):
        log_z = typical(fresh) - 0.5 * stats.chi2.isf(level, 3)
        p = table.p_value(fresh, fresh.mag_error**2, log_z)
        assert np.median(p) == pytest.approx(level, rel=0.12 if level > 1e-4 else 0.25), level
        assert (np.abs(np.log(p / level)) < 1.0).all()


def test_p_is_uniform_whatever_the_errors() -> None:
    table = table_of(stars(600))
    fresh = stars(20_000, 6)
    rng = np.random.default_rng(7)
    chi2 = (rng.normal(size=(fresh.n_star, 3)) ** 2).sum(axis=1)
    p = table.p_value(fresh, fresh.mag_error**2, typical(fresh) - 0.5 * chi2)
    assert ks_uniform(p) < 0.015
    small = np.log(fresh.mag_error[:, KS]) < -3.5
    for part in (small, ~small, fresh.mag[:, KS] < 10.0, fresh.l_deg > 0.5):
        assert ks_uniform(p[part]) < 0.03
    # Poisson: 20 are expected.
    assert 8 <= (p < 1e-3).sum() <= 36


def test_what_nothing_explains_has_the_least_p() -> None:
    data = stars(100)
    table = table_of(data)
    p = table.p_value(data, data.mag_error**2, np.full(100, -np.inf))
    assert ((p >= 0.0) & (p < 1e-8)).all()


def test_stars_that_nothing_explains_are_counted_where_the_model_makes_them() -> None:
    """One simulated star in 200 has no evidence at all: nor does a star without one have p = 0."""
    data = stars(400)
    x = covariates(data, data.mag_error**2)
    log_z, weight = gaussian(data, 40, 3)
    log_z[:, 0] = np.where(np.arange(400) % 5 == 0, -np.inf, log_z[:, 0])
    table = EvidenceTable({int(kind_of_data(data)[0]): class_table(x, log_z, weight)})
    p = table.p_value(data, data.mag_error**2, np.full(400, -np.inf))
    assert np.median(p) == pytest.approx(1.0 / 200.0, rel=0.4)


def test_other_measurements_have_no_p() -> None:
    data = stars(50)
    table = table_of(data)
    other = data._replace(parallax=np.full(50, 0.1), parallax_error=np.full(50, 0.1))
    assert np.isnan(table.p_value(other, other.mag_error**2, np.zeros(50))).all()
    assert EvidenceTable({}).p_value(data, data.mag_error**2, np.zeros(50)).shape == (50,)


def test_p_falls_with_the_evidence() -> None:
    data = stars(60)
    table = table_of(data)
    one = data.take(np.zeros(500, int))
    log_z = typical(one) - np.linspace(-3.0, 200.0, 500)
    p = table.p_value(one, one.mag_error**2, log_z)
    assert (np.diff(p) <= 1e-12).all()
    assert p[0] == 1.0
    assert p[-1] < 1e-9


def test_few_reference_stars_are_enough() -> None:
    table = table_of(stars(5), 256)
    fresh = stars(5)
    p = table.p_value(fresh, fresh.mag_error**2, typical(fresh) - 0.5 * stats.chi2.isf(0.3, 3))
    assert (np.abs(p - 0.3) < 0.25).all()


def test_kinds_of_data() -> None:
    data = stars(4)
    data.mag[1, J] = np.nan
    data.parallax[2] = 0.1
    motion = MeasuredMotion.missing(4)
    motion.radial_velocity[3] = 20.0
    motion.pm_l[2] = 1.0
    data = data._replace(motion=motion)
    assert len(set(kind_of_data(data).tolist())) == 4
    assert n_measured(data).tolist() == [3, 2, 6, 4]
    assert np.isfinite(covariates(data, data.mag_error**2)).all()
    # The same columns with and without motions.
    alone = covariates(data._replace(motion=None), data.mag_error**2)
    assert alone.shape == covariates(data, data.mag_error**2).shape


def test_a_single_measurement_is_no_covariate() -> None:
    data = stars(2)
    data.mag[:, [J, H]] = np.nan
    assert (covariates(data, data.mag_error**2)[:, 0] == 0.0).all()


def test_levels_and_excesses_increase() -> None:
    assert (np.diff(LEVELS) > 0.0).all()
    assert LEVELS[-1] == 1.0
    assert (np.diff(EXCESSES) > 0.0).all()


@settings(max_examples=50)
@given(
    st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=6),
    st.lists(st.floats(0.01, 2.0), min_size=3, max_size=3),
)
def test_interpolation_in_rows(at, steps) -> None:
    points = np.cumsum([-2.0, *steps])
    values = np.array([0.0, 1.0, 3.0, 4.0])
    given_at = np.array(at)
    found = rows_interpolated(given_at, np.tile(points, (given_at.size, 1)), values)
    np.testing.assert_allclose(found, np.interp(given_at, points, values), atol=1e-9)
