"""A star as the sums need it: against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import terms
from gcmock.posterior.kernel.arrangement import coordinate_rows
from gcmock.posterior.kernel.fastmath import LOG2_E
from gcmock.posterior.kernel.structures import Law

LAW = Law(*(np.array([1.5, 0.9, 0.5]), np.array([0.8, -0.03, 0.0]), 3)[: len(Law._fields)])
MAG = np.array([17.0, 14.2, 12.7, 15.9])
VARIANCE = np.array([0.01, 0.02, 0.005, 0.03])


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.terms")


def star(mask, mag=MAG):
    return terms.prepare_star(mask, coordinate_rows(mask & 7, LAW.kappa), mag, VARIANCE, LAW)


@pytest.mark.parametrize("mask", [3, 5, 6, 7])
def test_gaussian_in_magnitudes_is_one_in_the_coordinates(mask):
    """Densities of two nodes differ as their Gaussians in the magnitudes do."""
    bands = [b for b in range(3) if mask & 1 << b]
    found, rows = star(mask), coordinate_rows(mask, LAW.kappa)

    def log_density(mag):
        w, c, q = rows @ mag
        off = found.q - q
        x = np.array([found.w - w - found.gamma * off, found.c - c - found.delta * off])
        v = np.array([[found.v_ww, found.v_wc], [found.v_wc, found.v_cc]])
        return -0.5 * x @ np.linalg.solve(v, x) - found.inv_q / LOG2_E * off**2

    rng = np.random.default_rng(mask)
    near = MAG[:3] + 0.1 * rng.standard_normal((2, 3))
    direct = [-0.5 * sum((MAG[b] - m[b]) ** 2 / VARIANCE[b] for b in bands) for m in near]
    found_ratio = log_density(near[0]) - log_density(near[1])
    assert found_ratio == pytest.approx(direct[0] - direct[1], rel=1e-9)
    assert found.norm == pytest.approx(np.prod(1.0 / np.sqrt(2 * np.pi * VARIANCE[bands])))
    # What the magnitudes say of the reddening at a given distance and node.
    information = sum(LAW.kappa[b] ** 2 / VARIANCE[b] for b in bands)
    assert found.kk == pytest.approx(information)


@pytest.mark.parametrize("band", [0, 1, 2])
def test_single_band(band):
    found = star(1 << band)
    assert found.w == MAG[band]
    assert found.kappa_w == LAW.kappa[band]
    assert found.v_ww == VARIANCE[band]
    assert found.kk == pytest.approx(LAW.kappa[band] ** 2 / VARIANCE[band])
    # A scatter of the reddening adds to the variance of the magnitude.
    assert terms.scattered(found, 0.3)[0] == pytest.approx(
        VARIANCE[band] + (0.3 * LAW.kappa[band]) ** 2
    )


@pytest.mark.parametrize(("mask", "second"), [(8, None), (9, 0), (10, 1), (12, 2)])
def test_synthetic_band_with_at_most_one_other_band(mask, second):
    assert terms.by_colour(mask)
    found = star(mask)
    assert (found.w, found.v_ww) == (MAG[3], VARIANCE[3])
    if second is None:
        assert found.v_cc == np.inf
    else:
        assert terms.first_band(mask) == second
        assert found.c == pytest.approx(MAG[3] - MAG[second])
        assert found.v_cc == VARIANCE[second]
    assert not terms.by_colour(7)


def test_synthetic_band_less_h_and_its_derivatives():
    x, p = 1.7, (0.8, -0.03, 0.004)
    shift, slope, bend = terms.synthetic_shift(x, *p)
    step = 1e-4
    high, low = (terms.synthetic_shift(x + s, *p) for s in (step, -step))
    assert shift == pytest.approx(p[0] * x + p[1] * x**2 + p[2] * x**3)
    assert slope == pytest.approx((high[0] - low[0]) / (2 * step))
    assert bend == pytest.approx((high[1] - low[1]) / (2 * step))


def test_synthetic_band_that_agrees_adds_information():
    """A measured synthetic band that J and H predict leaves them, and makes them more certain."""
    x = MAG[0] - MAG[1]
    mag = MAG.copy()
    mag[3] = mag[1] + terms.synthetic_shift(x, *LAW[1])[0]
    m, covariance = np.zeros(3), np.zeros((3, 3))
    chi2 = terms.replace_synthetic(11, mag, VARIANCE, LAW, m, covariance)
    assert chi2 == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(m[:2], mag[:2], atol=1e-9)
    slope = terms.synthetic_shift(x, *LAW[1])[1]
    g = np.array([slope, 1.0 - slope])
    exact = np.linalg.inv(np.diag(1.0 / VARIANCE[:2]) + np.outer(g, g) / VARIANCE[3])
    np.testing.assert_allclose(covariance[:2, :2], exact, rtol=1e-6)


def test_synthetic_band_that_contradicts_has_its_price():
    mag = MAG.copy()
    mag[3] = mag[1] + terms.synthetic_shift(mag[0] - mag[1], *LAW[1])[0] + 1.0
    chi2 = terms.replace_synthetic(11, mag, VARIANCE, LAW, np.zeros(3), np.zeros((3, 3)))
    slope = terms.synthetic_shift(mag[0] - mag[1], *LAW[1])[1]
    variance = VARIANCE[3] + slope**2 * VARIANCE[0] + (1.0 - slope) ** 2 * VARIANCE[1]
    assert chi2 == pytest.approx(1.0 / variance, rel=0.1)


def test_inverse_of_a_matrix():
    rng = np.random.default_rng(2)
    root = rng.standard_normal((3, 3))
    a, out = root @ root.T + np.eye(3), np.zeros((3, 3))
    terms._invert(a, out)
    np.testing.assert_allclose(out, np.linalg.inv(a), rtol=1e-9)


def test_tilt_turns_the_coordinates():
    given, tilt = star(7), 0.9
    found = terms.tilted(given, tilt)
    turn = np.array([[1.0, tilt], [0.0, 1.0]])
    v = np.array([[given.v_ww, given.v_wc], [given.v_wc, given.v_cc]])
    expected = turn @ v @ turn.T
    np.testing.assert_allclose(
        [[found.v_ww, found.v_wc], [found.v_wc, found.v_cc]], expected, rtol=1e-12
    )
    assert found.w == pytest.approx(given.w + tilt * given.c)
    assert terms.tilted(found, -tilt)._asdict() == pytest.approx(given._asdict())
    assert terms.tilted(given, 0.0) is given


def test_widths_are_conditional():
    given, tau = star(7), 0.15
    v_w, v_wc, v_c = terms.scattered(given, tau)
    precision = np.linalg.inv([[v_w, v_wc], [v_wc, v_c]])
    assert terms.along_w(given, tau) == pytest.approx(precision[0, 0] ** -0.5)
    assert terms.along_c(given, tau) == pytest.approx(precision[1, 1] ** -0.5)
    shift = np.array([given.gamma, given.delta])
    along_q = 2.0 * given.inv_q / LOG2_E + shift @ precision @ shift
    assert terms.along_q(given, tau) == pytest.approx(along_q**-0.5)
    # Moving along the sightline changes W by one and c by dE/dmu.
    step = np.array([1.0, 0.4])
    width = terms.along_sightline(7, given, LAW, 0.4, tau)
    assert width == pytest.approx((step @ precision @ step) ** -0.5)


def test_distance_from_nearly_all_nodes():
    given = star(7)
    sigma = np.sqrt(LOG2_E / (2.0 * given.inv_q))
    for q, off in ((-0.1, 0.0), (terms.Q_RANGE[1] + 2.0 * sigma, 2.0),
                   (terms.Q_RANGE[0] - sigma, 1.0)):  # fmt: skip
        assert terms.off_in_q(given._replace(q=q)) == pytest.approx(off)
