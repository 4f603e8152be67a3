"""What a star reaches at one distance: nothing inside its ellipse is left out."""

from __future__ import annotations

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import sums
from gcmock.posterior.kernel.terms import synthetic_shift
from gcmock.posterior.kernel.vector import LANES


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.sums")


@pytest.mark.parametrize(
    ("low", "high", "bins"),
    [(1.0, 1.4, (0, 1)), (1.6, 2.4, (1, 3)), (0.0, 9.0, (0, 6)), (5.0, 6.0, (6, 6)),
     (-2.0, 0.4, (0, 0))],
)  # fmt: skip
def test_bins_that_overlap_an_interval(low, high, bins):
    """Six bins of half a magnitude from 1 on; outside of them there are none."""
    assert sums._range(low, high, 1.0, 2.0, 6) == bins


@pytest.mark.parametrize(("gamma", "delta"), [(0.0, 0.0), (0.8, -0.5), (-1.2, 0.7)])
def test_every_place_in_the_ellipse_is_in_the_rows_and_bins(gamma, delta):
    rng = np.random.default_rng(6)
    v_w, v_wc, v_c, r2 = 0.04, 0.012, 0.02, 3.5**2
    w, c, q, q_mean, q_half = 0.3, 0.8, -0.04, -0.1, 0.02
    n_row, n_bin, row_step, per_bin = LANES, 40, 0.25, 10.0
    row_min, bin_min = -1.5, -1.2
    means, halves = np.full(n_row + LANES, q_mean), np.full(n_row + LANES, q_half)
    # Places that a star inside the ellipse may have, whatever their Q in the band of the row.
    root = np.linalg.cholesky([[v_w, v_wc], [v_wc, v_c]])
    angle, radius = rng.uniform(0, 2 * np.pi, 5000), np.sqrt(r2 * rng.random(5000))
    off = root @ (radius * np.stack([np.cos(angle), np.sin(angle)]))
    dq = q - rng.uniform(q_mean - q_half, q_mean + q_half, 5000)
    at_w, at_c = w - gamma * dq - off[0], c - delta * dq - off[1]
    row = np.floor((at_w - row_min) / row_step).astype(int)
    column = np.floor((at_c - bin_min) * per_bin).astype(int)
    kept = (row >= 0) & (row < n_row) & (column >= 0) & (column < n_bin)
    row, column = row[kept], column[kept]
    assert kept.mean() > 0.5
    first, last = sums._rows_of_star(
        w, q, gamma, v_w, r2, means, halves, row_min, row_step, row_step, n_row
    )
    assert first <= row.min()
    assert row.max() < last
    span, slope = np.zeros((2, LANES)), v_wc / v_w
    sums._bins_of_rows(
        0, w, c, q, gamma, delta, 1.0 / v_w, slope, v_c - v_wc * slope, r2, row_min, row_step,
        row_step, bin_min, per_bin, n_bin, means, halves, span,
    )  # fmt: skip
    begin, end = span.astype(int)
    assert (begin[row] <= column).all()
    assert (column < end[row]).all()
    # And it is not everything.
    assert (end - begin).sum() < 0.6 * n_row * n_bin


def test_one_bin_is_read_whole():
    span = np.full((2, LANES), 7.0)
    sums._bins_of_rows(*[0.0] * 15, 1, None, None, span)
    np.testing.assert_array_equal(span, [[0.0] * LANES, [1.0] * LANES])


K, P = (1.5, 0.9, 0.5), (0.8, -0.03, 0.004)


def test_moments_of_a_synthetic_band_are_those_of_its_covariance():
    """Of the band, the colour and the reddening, about the place where the star is."""
    x, e, tau2, v_hw, v_other = 0.7, 2.0, 0.09, 0.02, 0.03
    found = sums._hw_moments(x, e, 0.0, tau2, v_hw, v_other, *K, *P)
    shift, c_shift, beta, per_z, per_y, v_w, ratio, of_y, of_z = found
    python = getattr(synthetic_shift, "py_func", synthetic_shift)
    reddened, slope, _ = python(x + (K[0] - K[1]) * e, *P)
    assert shift == pytest.approx(K[1] * e + reddened - python(x, *P)[0])
    assert c_shift == pytest.approx(shift - K[2] * e)
    k3 = K[1] + slope * (K[0] - K[1])
    # Errors of the synthetic band, of the other, and scatter of the reddening.
    parts = np.diag([v_hw, v_other, tau2])
    band, colour = np.array([1.0, 0.0, k3]), np.array([1.0, -1.0, k3 - K[2]])
    red = np.array([0.0, 0.0, 1.0])
    var_y = colour @ parts @ colour
    z = band - (band @ parts @ colour) / var_y * colour
    var_z = z @ parts @ z
    assert v_w == pytest.approx(band @ parts @ band)
    assert (beta, per_y) == pytest.approx((band @ parts @ colour / var_y, 1.0 / var_y))
    assert per_z == pytest.approx(1.0 / var_z)
    assert ratio == pytest.approx(v_hw * v_other / (var_y * var_z))
    assert (of_y, of_z) == pytest.approx((red @ parts @ colour / var_y, red @ parts @ z / var_z))


def test_moments_without_another_band_are_the_limit_of_a_useless_one():
    alone = sums._hw_moments(0.7, 2.0, 0.1, 0.09, 0.02, np.inf, *K, *P)
    beside = sums._hw_moments(0.7, 2.0, 0.1, 0.09, 0.02, 1e9, *K, *P)
    for i in (0, 3, 5, 8):
        assert alone[i] == pytest.approx(beside[i], rel=1e-6)
    assert alone[1] == alone[2] == alone[4] == alone[7] == 0.0
