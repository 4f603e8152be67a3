"""One visit: which stars are seen and where, noise, outliers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Legendre
from numpy.polynomial.legendre import legval2d

from gcmock.astrometry.directions.displacement import aberrated, deflected, displacement
from gcmock.astrometry.directions.geometry import (
    MAS,
    field_coordinates,
    offset_direction,
    tangent_offset,
    triad,
)
from gcmock.astrometry.missions.focal_plane import detector_at, detector_grid
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations import visit as module
from gcmock.astrometry.observations.visit import (
    STRIDE,
    Noise,
    Observed,
    Optics,
    SeenStars,
    Visit,
)
from gcmock.random import star_key, uniform_scalar

pytestmark = pytest.mark.usefixtures("interpreted")

GRID = detector_grid(load_mission("jasmine").focal_plane)
SILENT = Noise(False, 0.0, 0.0)
RNG = np.random.default_rng(8)
OPTICS = Optics(np.array(GRID), np.triu(np.ones((4, 4)))[:, ::-1] * 30.0 * RNG.normal(size=(4, 4)),
                np.triu(np.ones((4, 4)))[:, ::-1] * 30.0 * RNG.normal(size=(4, 4)))  # fmt: skip


def stars_near(ra0, dec0, n=120, seed=1):
    rng = np.random.default_rng(seed)
    xi, eta = rng.uniform(-0.012, 0.012, (2, n))
    ra, dec = offset_direction(np.full(n, ra0), np.full(n, dec0), xi, eta)
    table = np.column_stack(
        [ra, dec, rng.uniform(0.1, 5, n), *rng.normal(0, 10, (2, n)), rng.normal(0, 100, n),
         np.full(n, 2016.0)]
    )  # fmt: skip
    return SeenStars(table, star_key(1, np.arange(n), -2), np.full(n, 2.0))


def a_visit(ra0, dec0, roll=30.0, number=3, aberration=False, deflection=False):
    return Visit(number, 2033.2, np.array([ra0, dec0, roll]), np.array([0.6, -0.7, -0.3]),
                 np.array([7e-5, 6e-5, 2e-5]), np.array([0.61, -0.69, -0.3]), aberration,
                 deflection)  # fmt: skip


def observe(stars, visit, errors=SILENT, optics=OPTICS):
    n = len(stars.table)
    out = Observed(np.zeros(n, np.int64), np.zeros(n, np.uint8), np.zeros((n, 2)),
                   np.full((n, 2), np.nan))  # fmt: skip
    seen = module.observe_visit(stars, visit, optics, errors, out)
    return Observed(*(values[:seen] for values in out))


def expected(stars, visit):
    """Rows, detectors and measurements, by the readable functions."""
    ra, dec, *rest, epoch = stars.table.T
    axes = np.array(triad(ra, dec)).reshape(3, 3, -1)
    shift = displacement(*rest, visit.time - epoch, *(axis.T @ visit.observer for axis in axes))
    if visit.deflection:
        shift = deflected(*shift, *(axis.T @ visit.from_sun for axis in axes))
    if visit.aberration:
        shift = aberrated(*shift, *(axis.T @ visit.velocity for axis in axes))
    x, y, *_ = field_coordinates(ra, dec, *shift, *visit.attitude)
    chip = detector_at(x, y, *GRID[:4])
    rows = np.flatnonzero(chip >= 0)
    x, y = x[rows], y[rows]
    parts = [x, y]
    for k, matrix in enumerate((OPTICS.coefficient_x, OPTICS.coefficient_y)):
        parts[k] = parts[k] / MAS + legval2d(x / GRID.half_field, y / GRID.half_field, matrix)
    return rows, chip[rows], np.column_stack(parts)


@pytest.mark.parametrize("optics", [(False, False), (True, False), (False, True), (True, True)])
def test_measurements_are_those_of_the_readable_functions(optics):
    stars, visit = stars_near(266.4, -28.9), a_visit(266.4, -28.9, 30.0, 3, *optics)
    found, (rows, chip, measured) = observe(stars, visit), expected(stars, visit)
    assert 20 < len(rows) < 100
    np.testing.assert_array_equal(found.row, rows)
    np.testing.assert_array_equal(found.detector, chip)
    np.testing.assert_allclose(found.measured, measured, rtol=0, atol=1e-6)
    assert not found.disturbance.any()


@pytest.mark.parametrize("place", [(0.05, 10.0), (359.99, -60.0), (80.0, 89.7), (10.0, -89.99)])
def test_no_star_is_overlooked_at_the_poles_and_at_zero(place):
    stars, visit = stars_near(*place), a_visit(*place)
    assert np.hypot(*tangent_offset(*stars.table[:, :2].T, *place)).max() < 0.02
    rows, _, measured = expected(stars, visit)
    found = observe(stars, visit)
    np.testing.assert_array_equal(found.row, rows)
    np.testing.assert_allclose(found.measured, measured, rtol=0, atol=1e-5)


def test_stars_elsewhere_are_not_seen():
    far = stars_near(86.4, 28.9)  # the opposite direction
    assert len(observe(far, a_visit(266.4, -28.9)).row) == 0


def test_noise_is_drawn_from_the_stream_of_star_and_visit():
    stars, visit = stars_near(266.4, -28.9), a_visit(266.4, -28.9, number=5)
    exact, noisy = observe(stars, visit), observe(stars, visit, Noise(True, 0.0, 100.0))
    np.testing.assert_array_equal(noisy.row, exact.row)
    for k, row in enumerate(noisy.row):
        u1, u2 = (uniform_scalar(stars.keys[row], 5 * STRIDE + place) for place in range(2))
        size, angle = 2.0 * np.sqrt(-2.0 * np.log(u1)), 2.0 * np.pi * u2
        noise = size * np.array([np.cos(angle), np.sin(angle)])
        np.testing.assert_allclose(noisy.measured[k] - exact.measured[k], noise, atol=1e-8)
    assert not noisy.disturbance.any()


@pytest.mark.parametrize("fraction", [0.3, 1.0])
def test_outliers_are_added_and_recorded(fraction):
    stars, visit = stars_near(266.4, -28.9), a_visit(266.4, -28.9)
    plain = observe(stars, visit, Noise(True, 0.0, 100.0))
    found = observe(stars, visit, Noise(True, fraction, 100.0))
    np.testing.assert_allclose(found.measured - plain.measured, found.disturbance, atol=1e-8)
    hit = found.disturbance.any(axis=1)
    assert hit.mean() == pytest.approx(fraction, abs=0.2)
    assert found.disturbance[hit].std() == pytest.approx(100.0, rel=0.4)


def test_polynomials():
    out = np.zeros(6)
    module._legendre(-0.4, 5, out)
    np.testing.assert_allclose(out, [Legendre.basis(k)(-0.4) for k in range(6)], rtol=1e-13)
    module._legendre(0.3, 0, out[:1])
    assert out[0] == 1.0
