"""Areas of cells: whole, in a cone, and as far as stars reach."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.calibration.area import area_of_cells
from gcmock.frames import galactic_to_icrs
from gcmock.settings.footprint import FootprintConfig

pytest.importorskip("mocpy")
STEP = 0.025


@pytest.fixture
def cells():
    l_deg, b_deg = np.meshgrid(np.arange(-0.2, 0.2, STEP), np.arange(-0.4, 0.0, STEP))
    return l_deg.ravel() + STEP / 2, b_deg.ravel() + STEP / 2


MODEL = SimpleNamespace(extinction_map=SimpleNamespace(step_deg=STEP))
NO_STARS = SimpleNamespace(l_deg=np.empty(0), b_deg=np.empty(0))


def test_cells_are_whole_without_a_footprint(cells):
    footprint, area = area_of_cells(MODEL, FootprintConfig(), NO_STARS, *cells)
    assert footprint is None
    np.testing.assert_allclose(area, STEP**2 * np.cos(np.radians(cells[1])))


def test_cells_in_a_cone_add_up_to_it(cells):
    ra, dec = galactic_to_icrs(np.array([0.0]), np.array([-0.2]))
    settings = FootprintConfig(cone=(float(ra[0]), float(dec[0]), 0.1))
    footprint, area = area_of_cells(MODEL, settings, NO_STARS, *cells)
    assert footprint.area_deg2 == pytest.approx(np.pi * 0.01, rel=1e-3)
    assert area.sum() == pytest.approx(footprint.area_deg2, rel=0.01)


def test_the_area_of_stars(cells):
    rng = np.random.default_rng(4)
    stars = SimpleNamespace(l_deg=rng.uniform(-0.1, 0.1, 3000), b_deg=rng.uniform(-0.3, -0.1, 3000))
    footprint, area = area_of_cells(MODEL, FootprintConfig(from_stars=True), stars, *cells)
    assert "3,000 stars" in footprint.what
    assert area.sum() == pytest.approx(0.04, rel=0.03)
