"""Patterns of the terms of the instrument."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gcmock.astrometry.missions.focal_plane import detector_centres, detector_grid
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.effects import instrument_shift
from gcmock.astrometry.solver.terms import InstrumentTerms, Term

GRID = detector_grid(load_mission("jasmine").observable().focal_plane)


def test_terms_are_what_the_simulated_instrument_adds():
    names = ["colour_x", "colour_y", "magnitude_x", "magnitude_y"]
    terms = tuple(Term(name, name.split("_")[0], 0.0) for name in names)
    colour, hw = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    found = InstrumentTerms(terms, GRID, 3, colour, hw).columns(
        np.array([0, 1]), np.zeros(2), np.zeros(2)
    )
    settings = {
        "effects.colour_mas_per_mag": [0.1, 0.2],
        "effects.magnitude_mas_per_mag": [0.3, 0.4],
        "effects.colour_zero": 0.0,
        "effects.magnitude_zero": 0.0,
    }
    mission = load_mission("jasmine", overrides=settings).observable()
    shift = instrument_shift(mission, colour, hw, 1)(
        np.arange(2), np.zeros(2, int), np.zeros((2, 2))
    )
    assert_allclose(np.tensordot([0.1, 0.2, 0.3, 0.4], found, 1).T, shift)


def test_a_detector_moves_its_own_stars_only():
    terms = tuple(
        Term(f"detector_{k}_{name}", f"detector_{name.split('_')[0]}", 0.0)
        for name in ("offset_x", "offset_y", "rotation", "scale")
        for k in range(4)
    )
    x, y = detector_centres(GRID).T
    none = np.zeros(4)
    found = InstrumentTerms(terms, GRID, 3, none, none).columns(
        np.arange(4), x + 0.5 * GRID.half_size, y
    )
    assert_allclose(found[:4, 0], np.eye(4))
    assert_allclose(found[4:8, 1], np.eye(4))
    assert_allclose(found[8:12, 1], 0.5 * np.eye(4))
    assert_allclose(found[12:, 0], 0.5 * np.eye(4))
    assert not found[:4, 1].any()
