"""What a true instrument adds to measured positions."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.missions.focal_plane import detector_centres, detector_grid
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.effects import detector_errors, instrument_shift


def mission(**effects):
    settings = {f"effects.{name}": value for name, value in effects.items()}
    return load_mission("jasmine", overrides=settings).observable()


def test_nothing_is_shifted_by_default():
    shift = instrument_shift(mission(), np.array([1.0, 9.0]), np.array([10.0, 14.0]), 1)
    assert not shift(np.array([0, 1]), np.array([0, 3]), np.zeros((2, 2))).any()


def test_colour_and_magnitude_shift_along_their_axes():
    m = mission(colour_mas_per_mag=[0.1, 0.0], magnitude_mas_per_mag=[0.0, -0.2])
    shift = instrument_shift(m, np.array([4.0, 3.0]), np.array([12.5, 13.5]), 1)
    assert_allclose(
        shift(np.array([0, 1]), np.zeros(2, int), np.zeros((2, 2))), [[0.1, 0], [0, -0.2]]
    )


def test_a_detector_shifts_turns_and_scales_about_its_centre():
    m = mission(detector_offset_mas=1.0, detector_rotation_mas=2.0, detector_scale_mas=3.0)
    own, grid = detector_errors(m, 5), detector_grid(m.focal_plane)
    assert own.shape == (4, 4)
    shift = instrument_shift(m, np.zeros(1), np.zeros(1), 5)
    for k, centre in enumerate(detector_centres(grid)):
        at = np.add(centre, [[0.0, 0.0], [grid.half_size, 0.0]]) / MAS
        middle, edge = shift(np.zeros(2, int), np.array([k, k]), at)
        assert_allclose(middle, own[k, :2], atol=1e-9)
        assert_allclose(edge - middle, [own[k, 3], own[k, 2]], atol=1e-9)
