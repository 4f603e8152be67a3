"""SkyCoords of a table become the plain columns that are read."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

from gcmock.errors import InputError
from gcmock.io.sky_columns import plain_sky

RA, DEC = np.array([266.4, 266.5]) * u.deg, np.array([-29.0, -28.9]) * u.deg


def table(sky: SkyCoord, **columns: object) -> QTable:
    return QTable({"name": [1, 2], "sky": sky, **columns})


def test_tables_without_one_are_passed_on() -> None:
    plain = Table({"ra": [1.0]})
    assert plain_sky(plain) is plain


def test_icrs_is_kept_bit_by_bit() -> None:
    found = plain_sky(table(SkyCoord(RA, DEC)))
    assert found.colnames == ["name", "ra", "dec"]
    np.testing.assert_allclose(found["ra"], RA.value, rtol=1e-15)
    assert found["dec"].unit == u.deg


def test_galactic_coordinates_have_their_own_names() -> None:
    found = plain_sky(
        table(SkyCoord(l=[0.1, 359.9] * u.deg, b=[-0.2, 0.3] * u.deg, frame="galactic"))
    )
    assert found.colnames == ["name", "l", "b"]
    np.testing.assert_allclose(found["l"], [0.1, 359.9])
    np.testing.assert_allclose(found["b"], [-0.2, 0.3])


def test_other_frames_become_icrs() -> None:
    found = plain_sky(table(SkyCoord(RA, DEC).fk5))
    np.testing.assert_allclose(found["ra"], RA.value, atol=1e-9)
    np.testing.assert_allclose(found["dec"], DEC.value, atol=1e-9)


def test_motions_are_taken_where_they_are() -> None:
    sky = SkyCoord(
        RA,
        DEC,
        pm_ra_cosdec=[1.0, 2.0] * u.mas / u.yr,
        pm_dec=[3000.0, 4000.0] * u.uas / u.yr,
    )
    found = plain_sky(table(sky))
    assert found.colnames == ["name", "ra", "dec", "pmra", "pmdec"]
    np.testing.assert_allclose(found["pmra"], [1.0, 2.0])
    np.testing.assert_allclose(found["pmdec"], [3.0, 4.0])


def test_radial_velocities_alone_and_whole_velocities() -> None:
    alone = SkyCoord(RA, DEC, radial_velocity=[5.0, 6.0] * u.km / u.s)
    found = plain_sky(table(alone))
    assert found.colnames == ["name", "ra", "dec", "radial_velocity"]
    np.testing.assert_allclose(found["radial_velocity"], [5.0, 6.0])
    whole = SkyCoord(
        RA, DEC, distance=[8.0, 8.1] * u.kpc, pm_ra_cosdec=[1.0, 2.0] * u.mas / u.yr,
        pm_dec=[3.0, 4.0] * u.mas / u.yr, radial_velocity=[5.0, 6.0] * u.km / u.s,
    ).galactic  # fmt: skip
    found = plain_sky(table(whole))
    assert found.colnames == ["name", "l", "b", "pmra", "pmdec", "radial_velocity", "distance"]
    np.testing.assert_allclose(found["pmra"], [1.0, 2.0])
    np.testing.assert_allclose(found["radial_velocity"], [5.0, 6.0])


def test_columns_of_these_names_stay() -> None:
    given = table(SkyCoord(RA, DEC), ra=[1.0, 2.0] * u.rad)
    found = plain_sky(given)
    assert found.colnames == ["name", "ra", "dec"]
    assert found["ra"].unit == u.rad
    assert "sky" in given.colnames


def test_one_is_enough() -> None:
    sky = SkyCoord(RA, DEC)
    with pytest.raises(InputError, match="columns sky, other are SkyCoords: keep the one of the"):
        plain_sky(table(sky, other=sky))


@pytest.mark.parametrize("frame", ["fk4", "geocentrictrueecliptic"])
def test_the_time_of_a_frame_is_no_epoch_of_positions(frame) -> None:
    sky = SkyCoord(RA, DEC).transform_to(frame)
    found = plain_sky(table(sky))
    assert found.colnames == ["name", "ra", "dec"]
    np.testing.assert_allclose(found["ra"], RA.value, atol=1e-6)


def test_distances_are_kept_for_those_who_use_them() -> None:
    found = plain_sky(table(SkyCoord(RA, DEC, distance=[8.0, 0.1] * u.kpc)))
    np.testing.assert_allclose(found["distance"].value, [8000.0, 100.0])
    assert found["distance"].unit == u.pc
