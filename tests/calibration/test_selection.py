"""Stars between two magnitudes that a model expects for each reddening."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.calibration import selection as module
from gcmock.calibration.curves import FACTORS, GROUP_OF_PART, GROUPS
from gcmock.calibration.selection import at_places, expected_density
from gcmock.counts import MAG_STEP
from gcmock.words.components import PARTS

MAG_MIN, N_MAG = -10.0, 3000
MU = np.array([14.0, 15.0])
N_STAR = np.arange(len(PARTS)) + 1.0


@pytest.fixture(autouse=True)
def python(monkeypatch):
    monkeypatch.setattr(module, "_count", module._count.py_func)
    # As much dust before every distance as the map says.
    monkeypatch.setattr(module, "_profile", lambda dust, distance_pc: 1.0)


def model():
    """Stars of one population, equally many of every absolute magnitude up to its end."""
    magnitude = MAG_MIN + MAG_STEP * np.arange(N_MAG)
    cumulative = 2.0 * (magnitude - MAG_MIN)[None, None]

    class Sightlines:
        prior = np.tile(N_STAR[None, None], (1, MU.size, 1))
        dust = SimpleNamespace(at=lambda s: None)

        def get(self, l_deg, b_deg):
            return Sightlines, np.zeros(l_deg.size, np.int64)

    return SimpleNamespace(
        populations=SimpleNamespace(of_part=[0] * len(PARTS)),
        law=SimpleNamespace(kappa=lambda l_deg, b_deg: np.full((l_deg.size, 3), 0.5)),
        count_tables=SimpleNamespace(
            get=lambda band, row: SimpleNamespace(cumulative=cumulative, mag_min=MAG_MIN)
        ),
        sightlines=Sightlines(),
        grid=SimpleNamespace(distance_modulus=MU),
    )


def density(limits, **more):
    where = np.array([0.0, 0.1])
    return expected_density(model(), where, where, np.array([2.0, 3.0]), limits, **more)


def test_counts_between_two_limits():
    found = density((12.0, 13.0))
    assert found.shape == (2, len(GROUPS), FACTORS.size)
    # Two stars per magnitude at each of two distances, whatever hides them.
    group = np.array(GROUP_OF_PART)
    expected = [2.0 * MU.size * N_STAR[group == g].sum() for g in range(len(GROUPS))]
    np.testing.assert_allclose(found, np.array(expected)[None, :, None] * np.ones(found.shape))


def test_dust_hides_stars_where_the_list_has_no_bright_limit():
    found = density((-np.inf, 13.0)).sum(axis=1)
    for cell, e_jks in enumerate((2.0, 3.0)):
        # All stars brighter than the limit: m - mu - kappa f E above the brightest star.
        depth = 13.0 - MU[:, None] - 0.5 * FACTORS * e_jks - MAG_MIN
        expected = 2.0 * N_STAR.sum() * depth.sum(axis=0)
        # Interpolated in the logarithm between every fifth factor.
        np.testing.assert_allclose(found[cell], expected, rtol=1e-4)
    assert (np.diff(found, axis=1) < 0).all()


def test_progress():
    told = []
    density((-np.inf, 13.0), progress=lambda *n: told.append(n))
    assert told == [(2, 2)]


def test_places_behind_more_dust_than_their_cell():
    """The expected stars at f times the reddening of the place, which is that of the cell times the
    ratio: read from the table of the cell."""
    table = np.exp(-2.0 * FACTORS) * np.array([[1.0], [3.0]])
    ratio = np.array([1.0, 1.1, 0.9])
    found = at_places(np.tile(table, (3, 1, 1)), ratio)
    assert found.shape == (3, 2, FACTORS.size)
    assert found.dtype == np.float32
    for of_place, r in zip(found, ratio, strict=True):
        inside = (FACTORS * r >= FACTORS[0]) & (FACTORS * r <= FACTORS[-1])
        expected = np.exp(-2.0 * FACTORS * r) * np.array([[1.0], [3.0]])
        np.testing.assert_allclose(of_place[:, inside], expected[:, inside], rtol=1e-3)
    # Beyond the table the last value holds.
    assert found[1, 0, -1] == pytest.approx(table[0, -1], rel=1e-3)
