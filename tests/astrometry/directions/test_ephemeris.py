"""The Earth, and orbits around it."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import get_body_barycentric, get_body_barycentric_posvel
from astropy.table import Table
from astropy.time import Time
from moving_stars import EPOCHS

from gcmock.astrometry.directions import displacement as motion
from gcmock.astrometry.directions.ephemeris import (
    ORBIT_COLUMNS,
    CircularOrbit,
    Observer,
    OrbitTable,
    observer,
    read_orbit,
)
from gcmock.errors import InputError

ROWS = np.array([[2032.0, *[7000.0, 0.0, 0.0], *[0.0, 7.5, 0.0]],
                 [2032.1, *[0.0, 7000.0, 0.0], *[-7.5, 0.0, 0.0]],
                 [2032.2, *[-7000.0, 0.0, 0.0], *[0.0, -7.5, 0.0]]])  # fmt: skip


def orbit_file(path, rows=ROWS, names=ORBIT_COLUMNS):
    Table(dict(zip(names, rows.T, strict=True))).write(path, format="csv")
    return path


def test_an_orbit_is_read_as_it_was_written(tmp_path):
    found = read_orbit(orbit_file(tmp_path / "orbit.csv"))
    np.testing.assert_array_equal(found.time, ROWS[:, 0])
    np.testing.assert_array_equal(found.position, ROWS[:, 1:4])
    np.testing.assert_array_equal(found.velocity, ROWS[:, 4:])
    position, velocity = found(ROWS[:, 0])
    np.testing.assert_allclose(position, ROWS[:, 1:4], atol=1e-6)
    np.testing.assert_allclose(velocity, ROWS[:, 4:], atol=1e-9)


def test_epochs_outside_the_table_are_refused():
    orbit = OrbitTable(ROWS[:, 0], ROWS[:, 1:4], ROWS[:, 4:])
    for epoch in (2031.9, 2032.21):
        with pytest.raises(InputError, match=rf"epoch {epoch:.6f} is not covered.*from 2032\.0"):
            orbit(np.array([2032.05, epoch]))


def test_bad_orbits_are_refused(tmp_path):
    missing = orbit_file(tmp_path / "a.csv", ROWS[:, :6], ORBIT_COLUMNS[:6])
    with pytest.raises(InputError, match="missing: vz_kms"):
        read_orbit(missing)
    with pytest.raises(InputError, match="must increase, row by row"):
        read_orbit(orbit_file(tmp_path / "b.csv", ROWS[::-1]))
    with pytest.raises(InputError, match="must increase, row by row"):
        read_orbit(orbit_file(tmp_path / "c.csv", ROWS[:1]))
    hole = ROWS.copy()
    hole[1, 2] = np.nan
    with pytest.raises(InputError, match="must have no missing values"):
        read_orbit(orbit_file(tmp_path / "d.csv", hole))
    text = ROWS.astype(str)
    text[:, 3] = "far"
    with pytest.raises(InputError, match="must be numbers"):
        read_orbit(orbit_file(tmp_path / "e.csv", text))


def test_a_circular_orbit_obeys_the_law_of_kepler():
    orbit = CircularOrbit(600.0, 18.0)
    position, velocity = orbit(2030.0 + np.linspace(0.0, 1.0, 7))
    np.testing.assert_allclose(np.linalg.norm(position, axis=1), 6978.1366, rtol=1e-12)
    speed = np.sqrt(398_600.4418 / 6978.1366)
    np.testing.assert_allclose(np.linalg.norm(velocity, axis=1), speed, rtol=1e-12)
    np.testing.assert_allclose((position * velocity).sum(axis=1), 0.0, atol=1e-8)
    momentum = np.cross(position, velocity)
    tilt = np.arccos(momentum[:, 2] / np.linalg.norm(momentum, axis=1))
    np.testing.assert_allclose(tilt, orbit.inclination_rad, rtol=1e-12)


def test_an_orbit_is_added_to_the_earth():
    time = np.array([2032.3])

    def still(years):
        return np.array([[motion.AU_KM, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])

    near, earth = observer(time + 0.0, still), observer(time)
    np.testing.assert_allclose(near.position - earth.position, [[1.0, 0.0, 0.0]], atol=1e-15)
    np.testing.assert_allclose(near.from_sun - earth.from_sun, [[1.0, 0.0, 0.0]], atol=1e-15)
    np.testing.assert_allclose(near.velocity - earth.velocity, [[0.0, 1.0, 0.0]], atol=1e-13)


def test_orbit_is_sun_synchronous():
    orbit = CircularOrbit(600.0, 6.0)
    assert orbit.period_days * 1440 == pytest.approx(96.7, abs=0.05)
    assert np.degrees(orbit.inclination_rad) == pytest.approx(97.79, abs=0.02)
    time = 2032.0 + np.linspace(0, 1, 400)
    first, second = orbit.axes(time)
    normal = np.cross(first, second)
    sun = -observer(time).from_sun
    cosine = (normal * sun).sum(axis=1) / np.sqrt((sun**2).sum(axis=1))
    # The orbit stays near the terminator: the Sun is within 35 deg of its axis.
    assert np.abs(cosine).min() > np.cos(np.radians(35))


def test_velocity_of_the_orbit_is_the_derivative_of_its_position():
    orbit = CircularOrbit(600.0, 6.0)
    step = 1.0 / 86400 / 365.25
    time = np.array([2032.1, 2033.4])
    slope = (orbit(time + step)[0] - orbit(time - step)[0]) / 2.0
    np.testing.assert_allclose(orbit(time)[1], slope, atol=0.01)


def test_orbit_table_is_interpolated():
    orbit = CircularOrbit(600.0, 6.0)
    time = 2032.0 + np.arange(200) * 60.0 / 86400 / 365.25
    table = OrbitTable(time, *orbit(time))
    at = time[:-1] + 0.4 * np.diff(time)
    np.testing.assert_allclose(table(at)[0], orbit(at)[0], atol=0.05)
    near = observer(at, table)
    assert isinstance(near, Observer)
    apart = (near.position - observer(at).position) * motion.AU_KM
    np.testing.assert_allclose(np.sqrt((apart**2).sum(axis=1)), orbit.radius_km, rtol=1e-4)


def test_observer_is_at_the_earth_of_the_built_in_ephemeris():
    place = observer(EPOCHS)
    when = Time(EPOCHS, format="jyear", scale="tcb")
    earth, velocity = get_body_barycentric_posvel("earth", when, ephemeris="builtin")
    sun = get_body_barycentric("sun", when, ephemeris="builtin")
    np.testing.assert_allclose(place.position, earth.xyz.to_value("au").T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(place.velocity, velocity.xyz.to_value("km/s").T, rtol=1e-13)
    np.testing.assert_allclose(place.from_sun, (earth - sun).xyz.to_value("au").T, atol=1e-15)


def test_units_of_an_orbit_are_converted(tmp_path):
    """Metres, hours and days instead of km, seconds and years."""
    expected = read_orbit(orbit_file(tmp_path / "orbit.csv"))
    table = Table(ROWS, names=ORBIT_COLUMNS)
    table["time"] = Time(table["time"], format="jyear", scale="tcb").mjd
    table["time"].unit = "d"
    for name in ORBIT_COLUMNS[1:4]:
        table[name] = table[name] * 1000.0
        table[name].unit = "m"
    for name in ORBIT_COLUMNS[4:]:
        table[name] = table[name] * 3600.0
        table[name].unit = "km/h"
    table.write(tmp_path / "orbit.ecsv")
    found = read_orbit(tmp_path / "orbit.ecsv")
    for name in ("time", "position", "velocity"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)
    table["x_km"].unit = "deg"
    table.write(tmp_path / "orbit.ecsv", overwrite=True)
    with pytest.raises(InputError, match="'x_km' has the unit 'deg', but x_km needs km"):
        read_orbit(tmp_path / "orbit.ecsv")
