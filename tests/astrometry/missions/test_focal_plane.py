"""Detectors in the field of view, and errors of a centroid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.missions.focal_plane import (
    detector_at,
    detector_grid,
    exposure_error,
    visit_error,
)
from gcmock.astrometry.missions.mission import load_mission
from gcmock.settings.mission import FocalPlane

JASMINE = load_mission("jasmine")
GRID = detector_grid(JASMINE.focal_plane)


def test_grid_is_lengths_over_the_focal_length():
    plane = FocalPlane(
        focal_length_m=2.0,
        pixel_um=10.0,
        pixels=1000,
        separation_mm=12.0,
        detectors=(3, 2),
        readout_window_pixels=20,
    )
    grid = detector_grid(plane)
    assert grid[:2] == (3, 2)
    assert grid.separation == pytest.approx(6e-3)
    assert grid.half_size == pytest.approx(0.5 * 980 * 5e-6)
    # The longer side: one detector on either side of the middle one, and half a detector.
    assert grid.half_field == pytest.approx(6e-3 + 2.5e-3)


@settings(max_examples=20, deadline=None)
@given(n_x=st.integers(1, 5), n_y=st.integers(1, 5), seed=st.integers(0, 99))
def test_a_detector_is_the_square_in_which_a_place_lies(n_x, n_y, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-3.0, 3.0, (2, 200))
    found = detector_at(x, y, n_x, n_y, 1.0, 0.4)
    expected = np.full(200, -1)
    for row in range(n_y):
        for column in range(n_x):
            x0, y0 = column - 0.5 * (n_x - 1), row - 0.5 * (n_y - 1)
            expected[(abs(x - x0) <= 0.4) & (abs(y - y0) <= 0.4)] = row * n_x + column
    np.testing.assert_array_equal(found, expected)
    # Scalars, as kernels call it, are no different.
    assert detector_at(x[0], y[0], n_x, n_y, 1.0, 0.4) == expected[0]


def test_photon_part_grows_as_photons_get_fewer():
    """Without background it is sqrt(flux); where the background rules, it is the flux itself."""
    photons = JASMINE.centroid.model_copy(update={"background": 0.0})
    _, photon = exposure_error([10.0, 15.0], photons, 12.5)
    assert photon[1] / photon[0] == pytest.approx(10.0)
    _, photon = exposure_error([25.0, 30.0], JASMINE.centroid, 12.5)
    assert photon[1] / photon[0] == pytest.approx(100.0, rel=1e-3)


# jasmine-etc get_sigexp, evaluated independently.
@pytest.mark.parametrize(
    ("hw", "sigma"),
    [(9.5, 2.25), (11.0, 2.61), (12.5, 3.84), (13.5, 5.97), (14.5, 10.80), (15.0, 15.3)],
)
def test_centroid_error_of_one_exposure(hw, sigma):
    flat, photon = exposure_error(hw, JASMINE.centroid, JASMINE.exposures.exposure_s)
    assert flat == pytest.approx(2.126, abs=1e-3)
    assert np.hypot(flat, photon) == pytest.approx(sigma, rel=3e-3)


def test_the_floor_of_the_flat_field_is_a_choice():
    flat, photon = exposure_error(12.5, JASMINE.centroid, 12.5)
    assert visit_error(12.5, JASMINE.centroid, 12.5, 44) == pytest.approx(
        np.sqrt(flat**2 + photon**2 / 44)
    )
    averaged = load_mission(overrides={"centroid.flat_floor": "per_exposure"}).centroid
    assert visit_error(12.5, averaged, 12.5, 44) == pytest.approx(3.84 / np.sqrt(44), rel=1e-3)
    further = load_mission(overrides={"centroid.floor_mas": 3.0}).centroid
    assert visit_error(9.5, further, 12.5, 44) == pytest.approx(np.hypot(2.129, 3.0), rel=1e-3)


def test_detectors():
    assert np.degrees(2 * GRID.half_field) == pytest.approx(0.555, abs=1e-3)
    # The gap between the active parts, and the whole active area.
    pixel = 10e-6 / 4.3704
    gap = GRID.separation - 1952 * pixel
    assert np.degrees(gap) == pytest.approx(0.043, abs=1e-3)
    assert 4 * np.degrees(1952 * pixel) ** 2 == pytest.approx(0.262, abs=1e-3)
    edge = 0.5 * GRID.separation + GRID.half_size
    inner = 0.5 * GRID.separation - GRID.half_size
    x = np.array([inner + 1e-9, inner - 1e-9, edge - 1e-9, edge + 1e-9, 0.0, 5 * edge])
    assert detector_at(x, np.full(6, edge - 1e-6), *GRID[:4]).tolist() == [3, -1, 3, -1, -1, -1]
    corners = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    centre = 0.5 * GRID.separation
    assert [detector_at(i * centre, j * centre, *GRID[:4]) for i, j in corners] == [0, 1, 2, 3]
