"""Tiles hold every source of a window exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic
from gcmock.surveys.fetch import adql
from gcmock.surveys.fetch.window import SurveyWindow, Tile, separation_deg, tiles


def native(frame, ra, dec):
    """Coordinates as an archive gives them, longitudes from 0 to 360."""
    if frame == "icrs":
        return ra, dec
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    return l_deg % 360.0, b_deg


windows = st.tuples(
    st.floats(-50.0, 45.0), st.floats(0.01, 2.0), st.floats(-25.0, 20.0), st.floats(0.01, 2.0)
).map(lambda w: SurveyWindow((w[0], w[0] + w[1]), (w[2], w[2] + w[3])))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(window=windows, frame=st.sampled_from(["icrs", "galactic"]), seed=st.integers(0, 2**32 - 1))
def test_every_place_belongs_to_one_tile(window, frame, seed):
    rng = np.random.default_rng(seed)
    n = 300
    l_deg = np.concatenate(
        [rng.uniform(*window.l, n), window.l, window.l, rng.uniform(*window.l, n)]
    )
    b_deg = np.concatenate(
        [rng.uniform(*window.b, n), window.b, window.b[::-1], [*window.b] * (n // 2)]
    )
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    lon, lat = native(frame, ra, dec)
    found = list(tiles(window, frame, 0.0, 0.5))
    owners = sum(tile.owns(lon, lat).astype(int) for tile in found)
    assert (owners == 1).all()
    for tile in found[:5]:
        inside = tile.owns(lon, lat)
        ra0, dec0, radius = tile.circle(frame, 1e-6)
        assert (separation_deg(ra[inside], dec[inside], ra0, dec0) <= radius).all()


@pytest.mark.slow
@given(windows)
def test_windows_are_closed_and_know_the_sky(window):
    (l0, l1), (b0, b1) = window.l, window.b
    l_deg = np.array([l0 + 1e-9, l1 - 1e-9, l0 - 1e-6, (l0 + l1) / 2])
    b_deg = np.array([b0 + 1e-9, b1 - 1e-9, (b0 + b1) / 2, b1 + 1e-6])
    places = SkyCoord(l_deg * u.deg, b_deg * u.deg, frame="galactic").icrs
    inside = window.contains(places.ra.deg, places.dec.deg)
    assert inside.tolist() == [True, True, False, False]


@given(lon=st.floats(0.0, 350.0), lat=st.floats(-60.0, 50.0), size=st.floats(0.001, 5.0))
def test_quarters_fill_their_tile(lon, lat, size):
    tile = Tile("tile-0001", "", (lon, lon + size), (lat, lat + size))
    rng = np.random.default_rng(1)
    x, y = rng.uniform(*tile.lon, 100), rng.uniform(*tile.lat, 100)
    x[:4] = [tile.lon[0], tile.parts()[0].lon[1], tile.lon[0], tile.parts()[0].lon[1]]
    y[:4] = [tile.lat[0], tile.lat[0], tile.parts()[0].lat[1], tile.parts()[0].lat[1]]
    owners = sum(part.owns(x, y).astype(int) for part in tile.parts())
    np.testing.assert_array_equal(owners, tile.owns(x, y).astype(int))


def test_names_of_tiles():
    tile = Tile("tile-00-0003", "", (0.0, 1.0), (0.0, 1.0))
    part = tile.parts()[2]
    assert part.name == "tile-00-0003-2"
    assert part.parts()[1].name == "tile-00-0003-21"
    assert tile.holds(part.name)
    assert tile.holds("tile-00-0003-21")
    assert not tile.holds("tile-00-0003")
    assert not tile.holds("tile-00-00031")
    assert part.holds("tile-00-0003-21")
    assert not part.holds("tile-00-0003-2")


def test_few_tiles_lie_outside_the_window():
    window = SurveyWindow((-1.4, 0.7), (-0.6, 0.6))
    # The window has 2.5 square degrees, a tile at most 0.25.
    assert len(list(tiles(window, "galactic", 0.0, 0.5))) < 24
    assert len(list(tiles(window, "icrs", 0.0, 0.5))) < 36


@pytest.mark.parametrize(
    ("l", "b"),
    [((1.0, -1.0), (0.0, 1.0)), ((359.0, 361.0), (0.0, 1.0)), ((0.0, 1.0), (0.0, 40.0))],
)
def test_impossible_windows_are_reported(l, b):
    with pytest.raises(InputError, match="must go up and lie within"):
        SurveyWindow(l, b)


def test_queries_have_plain_numbers_and_quoted_names():
    selection = adql.Selection(
        table='"II/246/out"',
        columns=("2MASS", "RAJ2000", "e_Jmag"),
        longitude="RAJ2000",
        latitude="DEJ2000",
        ra="RAJ2000",
        dec="DEJ2000",
        frame="icrs",
        pad_deg=1e-6,
    )
    tile = Tile("tile", "", (266.0, 266.5), (-29.0, -28.5))
    query = adql.rows(selection, tile)
    assert query.startswith(
        'SELECT "2MASS", RAJ2000, e_Jmag FROM "II/246/out" WHERE RAJ2000 BETWEEN'
    )
    assert "RAJ2000 BETWEEN 265.999999 AND 266.500001 AND DEJ2000 BETWEEN -29.000001" in query
    assert "CONTAINS(POINT('ICRS', RAJ2000, DEJ2000), CIRCLE('ICRS', 266.25, -28.75, 0." in query
    assert "DISTANCE" not in query
    assert "e-0" not in query
    assert adql.count_query(selection, tile).startswith("SELECT COUNT(*) AS n_rows FROM")
