"""The limit in colour that the counts of a list with one band show."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.calibration.curves import USUAL_OF_GROUP
from gcmock.calibration.found_limits import (
    COLOURS,
    LEAST_GAIN,
    MAG_STEP,
    FieldCounts,
    _table,
    best_limit,
    expected_colours,
)
from gcmock.model import load_model

EDGES = np.arange(8.0, 14.51, MAG_STEP)
MAG = 0.5 * (EDGES[1:] + EDGES[:-1])


@pytest.fixture(scope="module")
def expected():
    """Made up: foreground of all magnitudes at 0.6 mag, a bulge of faint stars at 2.5 mag."""
    out = np.zeros((USUAL_OF_GROUP.size, MAG.size, COLOURS.size))
    for group, (middle, width, slope) in enumerate([(0.6, 0.4, 0.3), (2.5, 0.4, 0.6)]):
        left = 1.0 / (1.0 + np.exp((COLOURS - middle) / (0.5 * width)))
        out[group] = 10.0 ** (slope * (MAG - 11.0))[:, None] * left
    return out


def counts(expected, colour, n, seed=1):
    used = expected[:, :, np.flatnonzero(np.isclose(COLOURS, colour))[0]].sum(axis=0)
    return np.random.default_rng(seed).poisson(n * used / used.sum()).astype(float)


@pytest.mark.parametrize("colour", [1.5, 2.1])
def test_a_cut_is_found(expected, colour):
    found = best_limit([FieldCounts(counts(expected, colour, 6000)[None], expected[None])])
    assert found is not None
    assert found.limit.bands == ("j", "h")
    assert found.limit.above
    assert abs(found.limit.value - colour) < 0.6
    assert found.gain > LEAST_GAIN


def test_a_whole_list_shows_none(expected):
    assert best_limit([FieldCounts(counts(expected, 0.0, 6000)[None], expected[None])]) is None
    assert best_limit([]) is None


@pytest.mark.slow
def test_expected_stars_are_those_of_the_counts():
    model = load_model()
    place = np.array([0.31]), np.array([-0.23])
    found = expected_colours(model, *place, _table(model, "hw"), EDGES)[0, :, :, 0].sum(axis=0)
    counted = model.expected_counts(*place, band="hw", mag_edges=EDGES)[0].sum(axis=0)
    bright = MAG > 11.0
    np.testing.assert_allclose(found[bright], counted[bright], rtol=0.05)
