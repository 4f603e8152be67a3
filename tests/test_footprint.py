"""Footprints: areas against formulas, what lies inside, and guesses from stars."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.footprint import cone, footprint_of, from_file, from_stars, polygon
from gcmock.frames import icrs_to_galactic
from gcmock.settings.footprint import FootprintConfig

pytest.importorskip("mocpy")
RA, DEC, RADIUS = 266.4, -29.0, 0.3


def in_cone(n, seed=1, radius=RADIUS, hole=0.0):
    """Galactic positions of stars, uniform in a circle or a ring [deg]."""
    rng = np.random.default_rng(seed)
    r = radius * np.sqrt(rng.uniform((hole / radius) ** 2, 1.0, n))
    angle = rng.uniform(0.0, 2.0 * np.pi, n)
    ra = RA + r * np.cos(angle) / np.cos(np.radians(DEC))
    return icrs_to_galactic(ra, DEC + r * np.sin(angle))


def test_a_cone_has_its_area_and_its_stars():
    found = cone(RA, DEC, RADIUS)
    assert found.area_deg2 == pytest.approx(np.pi * RADIUS**2, rel=1e-4)
    assert found.contains(*in_cone(500, radius=0.98 * RADIUS)).all()
    far = icrs_to_galactic(np.array([RA + 0.5]), np.array([DEC]))
    assert not found.contains(*far).any()
    assert "cone of 0.3 deg" in found.what


def test_a_polygon_and_a_file_with_it(tmp_path):
    square = polygon([(266.0, -29.0), (266.4, -29.0), (266.4, -28.6), (266.0, -28.6)])
    expected = 0.4 * np.degrees(np.sin(np.radians(-28.6)) - np.sin(np.radians(-29.0)))
    assert square.area_deg2 == pytest.approx(expected, rel=0.01)
    for name, form in (("a.fits", "fits"), ("a.json", "json"), ("a.txt", "ascii")):
        square.moc.save(tmp_path / name, format=form)
        again = from_file(tmp_path / name)
        assert again.area_deg2 == pytest.approx(square.area_deg2, rel=1e-9)
        assert again.what == f"MOC {name}"


def test_squares_are_covered_in_part():
    found = cone(RA, DEC, RADIUS)
    l_deg, b_deg = icrs_to_galactic(np.array([RA, RA, RA]), DEC + np.array([0.0, RADIUS, 0.8]))
    covered = found.covered(l_deg, b_deg, 0.1)
    assert covered[0] == 1.0
    assert covered[1] == pytest.approx(0.47, abs=0.08)
    assert covered[2] == 0.0


@pytest.mark.parametrize("n", [100, 1000, 20000])
def test_a_cone_is_guessed_from_its_stars(n):
    """Where the box that holds them is larger by 4 / pi."""
    found = from_stars(*in_cone(n))
    assert found.area_deg2 == pytest.approx(np.pi * RADIUS**2, rel=2.5 / np.sqrt(n) + 0.01)
    assert "convex hull" in found.what


def test_an_area_with_a_hole_is_no_hull():
    l_deg, b_deg = in_cone(20000, hole=0.2)
    found = from_stars(l_deg, b_deg)
    assert "cells of" in found.what
    assert found.area_deg2 == pytest.approx(np.pi * (0.3**2 - 0.2**2), rel=0.15)
    assert found.contains(l_deg, b_deg).all()
    assert not found.contains(*icrs_to_galactic(np.array([RA]), np.array([DEC]))).any()


def test_stars_around_zero_hours():
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(-0.2, 0.2, 2000) % 360.0, rng.uniform(-0.2, 0.2, 2000)
    assert from_stars(*icrs_to_galactic(ra, dec)).area_deg2 == pytest.approx(0.16, rel=0.03)


def test_settings_and_what_is_wrong(tmp_path):
    assert footprint_of(FootprintConfig()) is None
    assert footprint_of(FootprintConfig(from_stars=True)) is None
    assert footprint_of(FootprintConfig(cone=(RA, DEC, RADIUS))).area_deg2 > 0
    with pytest.raises(InputError, match="no such file"):
        footprint_of(FootprintConfig(moc=str(tmp_path / "none.fits")))
    (tmp_path / "bad.fits").write_text("no moc")
    with pytest.raises(InputError, match="is no MOC as fits"):
        footprint_of(FootprintConfig(moc=str(tmp_path / "bad.fits")))
    with pytest.raises(InputError, match="cannot be guessed from 3 stars"):
        from_stars(np.zeros(3), np.zeros(3))
