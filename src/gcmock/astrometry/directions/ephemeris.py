"""Where the observer is: the Earth, a circular orbit around it, or a table of an orbit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.astrometry.directions.displacement import AU_KM
from gcmock.errors import InputError

DAY_S: Final = 86400.0
YEAR_DAYS: Final = 365.25

EARTH_GM_KM3_S2: Final = 398_600.4418
"""GM of the Earth, IERS Conventions 2010."""

EARTH_RADIUS_KM: Final = 6378.1366
"""Equatorial radius, IERS Conventions 2010."""

EARTH_J2: Final = 1.0826359e-3
"""Dynamical form factor, IERS Conventions 2010."""

OBLIQUITY_RAD: Final = np.radians(84381.406 / 3600.0)
"""Mean obliquity of J2000, IAU 2006."""


class Observer(NamedTuple):
    """State of the observer at some epochs.

    Attributes
    ----------
    position : ndarray, shape (n_epoch, 3)
        Barycentric position, ICRS axes [au].
    velocity : ndarray, shape (n_epoch, 3)
        Barycentric velocity [km/s].
    from_sun : ndarray, shape (n_epoch, 3)
        Position seen from the Sun [au].
    """

    position: Floats
    velocity: Floats
    from_sun: Floats


@dataclass(frozen=True)
class OrbitTable:
    """Geocentric orbit of a satellite, interpolated by cubic polynomials of position and velocity.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Julian years, TCB, increasing.
    position, velocity : ndarray, shape (n, 3)
        ICRS axes [km], [km/s].
    """

    time: Floats
    position: Floats
    velocity: Floats

    def __call__(self, time: Floats) -> tuple[Floats, Floats]:
        """Return geocentric positions [km] and velocities [km/s] at Julian years."""
        from scipy.interpolate import CubicHermiteSpline

        outside = (time < self.time[0]) | (time > self.time[-1])
        if outside.any():
            raise InputError(
                f"epoch {time[np.argmax(outside)]:.6f} is not covered by the orbit table, which "
                f"reaches from {self.time[0]:.6f} to {self.time[-1]:.6f}"
            )
        # Seconds from the start: years have too few digits for a derivative.
        seconds = (self.time - self.time[0]) * YEAR_DAYS * DAY_S
        curve = CubicHermiteSpline(seconds, self.position, self.velocity)
        at = (time - self.time[0]) * YEAR_DAYS * DAY_S
        return curve(at), curve(at, 1)


ORBIT_COLUMNS: Final = ("time", "x_km", "y_km", "z_km", "vx_kms", "vy_kms", "vz_kms")


def read_orbit(path: str | Path) -> OrbitTable:
    """Read a table of a geocentric orbit.

    Parameters
    ----------
    path : str or Path
        Any table that gcmock reads, with the columns `ORBIT_COLUMNS`: Julian years (TCB), km, km/s,
        along ICRS axes; other units are converted where the table has them.

    Returns
    -------
    OrbitTable

    Raises
    ------
    InputError
        If columns are missing, values are not finite, units do not fit, or the times do not
        increase.
    """
    from gcmock.io.epochs import julian_years
    from gcmock.io.readers.opening import open_table
    from gcmock.io.unit_names import unit_factor

    source = open_table(path)
    missing = [name for name in ORBIT_COLUMNS if name not in source.columns]
    if missing:
        raise InputError(
            f"{path}: an orbit table needs the columns {', '.join(ORBIT_COLUMNS)}; missing: "
            f"{', '.join(missing)}"
        )
    chunks = list(source.chunks(1_000_000, ORBIT_COLUMNS))
    columns = [np.concatenate([chunk[name] for chunk in chunks]) for name in ORBIT_COLUMNS]
    if any(column.dtype.kind not in "iuf" for column in columns):
        raise InputError(f"{path}: the columns of an orbit table must be numbers")
    values = np.column_stack(columns).astype(np.float64)
    for i, name in enumerate(ORBIT_COLUMNS):
        unit = source.units.get(name)
        if name == "time":
            values[:, i] = julian_years(path, name, values[:, i], unit)
        else:
            target = "km/s" if name.startswith("v") else "km"
            values[:, i] *= unit_factor(path, name, unit, name, target)
    if not np.isfinite(values).all():
        raise InputError(f"{path}: an orbit table must have no missing values")
    if len(values) < 2 or (np.diff(values[:, 0]) <= 0.0).any():
        raise InputError(f"{path}: the times of an orbit table must increase, row by row")
    return OrbitTable(values[:, 0], values[:, 1:4], values[:, 4:7])


def observer(time: ArrayLike, orbit: Any = None) -> Observer:
    """State of an observer at the Earth's centre, or in an orbit around it.

    The Earth and the Sun are those of astropy's built-in ephemeris (ERFA ``epv00``: better than
    20 km in position and 5 mm/s in velocity).

    Parameters
    ----------
    time : array_like, shape (n_epoch,)
        Julian years, TCB.
    orbit : callable, optional
        Geocentric positions [km] and velocities [km/s] at Julian years: an `OrbitTable` or a
        `CircularOrbit`.

    Returns
    -------
    Observer

    Raises
    ------
    InputError
        If an orbit table does not cover an epoch.
    """
    import erfa
    from astropy.time import Time

    years = np.atleast_1d(np.asarray(time, dtype=np.float64))
    when = Time(years, format="jyear", scale="tcb").tdb
    # What astropy calls its built-in ephemeris, for the Earth and the Sun at once.
    heliocentric, barycentric = erfa.epv00(when.jd1, when.jd2)
    position, from_sun = barycentric["p"], heliocentric["p"]
    kms = barycentric["v"] * (AU_KM / DAY_S)
    if orbit is not None:
        around, around_velocity = orbit(years)
        position, from_sun = position + around / AU_KM, from_sun + around / AU_KM
        kms = kms + around_velocity
    return Observer(position, kms, from_sun)


@dataclass(frozen=True)
class CircularOrbit:
    """Sun-synchronous circular orbit.

    Attributes
    ----------
    altitude_km : float
        Height above the equator.
    local_time_h : float
        Local time of the ascending node [h]; 6 or 18 for an orbit along the terminator.
    """

    altitude_km: float
    local_time_h: float

    @property
    def radius_km(self) -> float:
        """Radius of the orbit [km]."""
        return EARTH_RADIUS_KM + self.altitude_km

    @property
    def rate_rad_s(self) -> float:
        """Angular velocity in the orbit [rad/s]."""
        return float(np.sqrt(EARTH_GM_KM3_S2 / self.radius_km**3))

    @property
    def period_days(self) -> float:
        """Period [d]: 96.7 minutes at 600 km."""
        return 2.0 * np.pi / self.rate_rad_s / DAY_S

    @property
    def inclination_rad(self) -> float:
        """Inclination at which J2 turns the node once a year (Vallado 2013)."""
        node_rate = 2.0 * np.pi / (365.2422 * DAY_S)
        cosine = -node_rate / (1.5 * EARTH_J2 * (EARTH_RADIUS_KM / self.radius_km) ** 2)
        return float(np.arccos(cosine / self.rate_rad_s))

    def axes(self, time: Floats) -> tuple[Floats, Floats]:
        """Return unit vectors to the ascending node and 90 deg ahead of it, shape (n, 3) each.

        The node keeps its angle from the mean Sun, whose right ascension is its mean longitude
        (280.466 deg at J2000, one turn in 365.2422 d).
        """
        days = (np.asarray(time) - 2000.0) * YEAR_DAYS
        mean_sun = np.radians(280.466) + 2.0 * np.pi * days / 365.2422
        node = mean_sun + (self.local_time_h - 12.0) * np.pi / 12.0
        i = self.inclination_rad
        zero = np.zeros_like(node)
        first = np.stack([np.cos(node), np.sin(node), zero], axis=-1)
        second = np.stack(
            [-np.cos(i) * np.sin(node), np.cos(i) * np.cos(node), np.full_like(node, np.sin(i))],
            axis=-1,
        )
        return first, second

    def __call__(self, time: Floats) -> tuple[Floats, Floats]:
        """Return geocentric positions [km] and velocities [km/s]; at the node at J2000."""
        seconds = (np.asarray(time) - 2000.0) * YEAR_DAYS * DAY_S
        phase = self.rate_rad_s * seconds
        first, second = self.axes(time)
        cos, sin = np.cos(phase)[:, None], np.sin(phase)[:, None]
        position = self.radius_km * (cos * first + sin * second)
        speed = self.radius_km * self.rate_rad_s
        return position, speed * (cos * second - sin * first)
