"""When and where a mission looks: seasons, orbits, pointings, calibration blocks."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.astrometry.directions.ephemeris import YEAR_DAYS, CircularOrbit, observer
from gcmock.astrometry.directions.geometry import (
    MAS,
    offset_direction,
    tangent_offset,
    triad,
    turned,
)
from gcmock.astrometry.missions.focal_plane import detector_at, detector_grid
from gcmock.astrometry.missions.mission import ObservableMission
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic
from gcmock.random import star_key, uniform
from gcmock.settings.mission import Attitude, MissionWindow, Schedule

Ints = NDArray[np.int32]

VISIT_STREAM: Final = -5
"""Stands for the realisation in the keys of visits."""

_STEP_DAYS: Final = 1.0
_MOST_VISITS: Final = 3_000_000
"""Every visit is planned after the last one: an hour of planning."""
_MOST_CELLS: Final = 1000
# Places of a visit's random numbers.
_PLACE, _ROLL, _POINTING, _N_PLACES = 0, 2, 3, 6


class PlannedVisits(NamedTuple):
    """Visits in the order of time; arrays of n_visit.

    Attributes
    ----------
    time : ndarray
        Middle of the visit, Julian years TCB.
    season, block : ndarray of int
        Numbers from 0.
    ra, dec, roll : ndarray
        Nominal attitude [deg].
    """

    time: Floats
    season: Ints
    block: Ints
    ra: Floats
    dec: Floats
    roll: Floats


def seasons(schedule: Schedule) -> Floats:
    """Find the times in which the Sun leaves the target observable.

    Parameters
    ----------
    schedule : Schedule
        The angle between the Sun and the target lies in ``sun_angle_deg``.

    Returns
    -------
    ndarray, shape (n_season, 2)
        First and last moment, Julian years; cut at the start and the end of the mission.
    """
    n = int(np.ceil(schedule.years * YEAR_DAYS / _STEP_DAYS)) + 1
    time = schedule.start + np.linspace(0.0, schedule.years, n)
    angle = sun_angle(time, *schedule.target_l_b_deg)
    low, high = schedule.sun_angle_deg
    # Positive inside a season; its zeros are found by linear interpolation.
    inside = np.minimum(angle - low, high - angle)
    change = np.flatnonzero(np.diff(inside > 0.0))
    zero = time[change] - inside[change] * np.diff(time)[change] / np.diff(inside)[change]
    edges = list(zero)
    if inside[0] > 0.0:
        edges.insert(0, time[0])
    if inside[-1] > 0.0:
        edges.append(time[-1])
    found = np.array(edges).reshape(-1, 2)
    return found[: schedule.seasons] if schedule.seasons else found


def sun_angle(time: Floats, l_deg: float, b_deg: float) -> Floats:
    """Angle between the Sun and a direction, seen from the Earth [deg], shape of `time`."""
    sun = -observer(time).from_sun
    target = np.array(triad(*galactic_to_icrs(l_deg, b_deg))[6:]).ravel()
    cosine = sun @ target / np.sqrt((sun**2).sum(axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def visit_times(mission: ObservableMission) -> tuple[Floats, Ints]:
    """List the times of visits and the seasons in which they lie.

    The half of every orbit in which the satellite is on the target's side of the Earth has
    ``fields_per_orbit`` visits at equal distances. With ``schedule.visits`` only so many of them
    are kept, at equal steps through all of them.

    Returns
    -------
    time : ndarray, shape (n_visit,)
        Julian years.
    season : ndarray of int, shape (n_visit,)

    Raises
    ------
    InputError
        If the mission has no season, or fewer visits than were asked for.
    """
    schedule, exposures = mission.schedule, mission.exposures
    spans = seasons(schedule)
    if not len(spans):
        low, high = schedule.sun_angle_deg
        raise InputError(
            f"mission {mission.name}: the Sun is never {low:g} to {high:g} deg from the target "
            f"between {schedule.start:g} and {schedule.start + schedule.years:g}"
        )
    orbit = CircularOrbit(schedule.altitude_km, schedule.local_time_h)
    period = orbit.period_days / YEAR_DAYS
    most = schedule.years / period * exposures.fields_per_orbit
    if most > _MOST_VISITS:
        raise InputError(
            f"mission {mission.name}: {most:,.0f} visits are possible, more than the "
            f"{_MOST_VISITS:,} that can be planned; take fewer years or fields_per_orbit"
        )
    target = np.array(triad(*galactic_to_icrs(*schedule.target_l_b_deg))[6:]).ravel()
    number = np.arange(int((spans[0, 0] - 2000.0) / period), int((spans[-1, 1] - 2000.0) / period))
    first, second = orbit.axes(np.asarray(2000.0 + number * period))
    middle = np.arctan2(second @ target, first @ target) % (2.0 * np.pi) / (2.0 * np.pi)
    n_field = exposures.fields_per_orbit
    offset = ((np.arange(n_field) + 0.5) / n_field - 0.5) / 2.0
    time = (2000.0 + (number[:, None] + middle[:, None] + offset) * period).ravel()
    season = np.searchsorted(spans[:, 0], time, side="right") - 1
    within = (season >= 0) & (time <= spans[season, 1])
    time, season = time[within], season[within]
    if schedule.visits > len(time):
        raise InputError(
            f"mission {mission.name}: {schedule.visits} visits were asked for, but the seasons "
            f"have room for {len(time)}"
        )
    if schedule.visits:
        keep = ((np.arange(schedule.visits) + 0.5) * len(time) / schedule.visits).astype(np.int64)
        time, season = time[keep], season[keep]
    return time, season.astype(np.int32)


def blocks(time: Floats, season: Ints, block_days: float) -> Ints:
    """Calibration block of every visit: intervals of `block_days` from its season's first visit."""
    start = np.array([time[season == s][0] for s in range(season.max() + 1) if (season == s).any()])
    order = np.unique(season, return_inverse=True)[1]
    interval = np.floor((time - start[order]) * YEAR_DAYS / block_days).astype(np.int64)
    both = np.stack([season, interval], axis=1)
    return np.unique(both, axis=0, return_inverse=True)[1].ravel().astype(np.int32)


def plan_visits(mission: ObservableMission, seed: int) -> PlannedVisits:
    """Plan times and nominal attitudes of all visits of a mission.

    Parameters
    ----------
    mission : ObservableMission
    seed : int
        Of the random places and rolls.

    Returns
    -------
    PlannedVisits

    Raises
    ------
    InputError
        If the mission has no season, or fewer visits than were asked for.
    """
    time, season = visit_times(mission)
    chance = uniform(star_key(seed, np.arange(len(time)), VISIT_STREAM), 0, _N_PLACES)
    l_mid, b_mid = mission.schedule.target_l_b_deg
    towards_sun = sun_position_angle(time, *galactic_to_icrs(l_mid, b_mid))
    swing = np.degrees(mission.schedule.roll_range_rad) * (2.0 * chance[:, _ROLL] - 1.0)
    # +x faces the Sun: its position angle is that of +y and 90 deg.
    roll = (towards_sun - 90.0 + swing) % 360.0
    ra, dec = pointings(mission, roll, chance[:, _PLACE : _PLACE + 2])
    block = blocks(time, season, mission.calibration.block_days)
    return PlannedVisits(time, season, block, ra, dec, roll)


def sun_position_angle(time: Floats, ra: Any, dec: Any) -> Floats:
    """Position angle of the Sun at a direction, from north through east [deg]."""
    sun = -observer(time).from_sun
    axes = np.array(triad(ra, dec)).reshape(3, 3)
    return np.degrees(np.arctan2(sun @ axes[0], sun @ axes[1]))


def pointings(mission: ObservableMission, roll: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Nominal field centres: new places and shifts by half a field, in turns.

    A new place puts the least observed cell of the window somewhere in the field; the next visit is
    shifted by half a field in y, then comes a new place, then a shift in x (jasmine_toolkit,
    pointing plan). Centres stay in the window, ``margin_deg`` from its borders.

    Parameters
    ----------
    mission : ObservableMission
    roll : ndarray, shape (n_visit,)
        Nominal roll [deg].
    chance : ndarray, shape (n_visit, 2)
        Uniform random numbers: the place of the cell in the field.

    Returns
    -------
    ra, dec : ndarray, shape (n_visit,)
        [deg]
    """
    grid = detector_grid(mission.focal_plane)
    cell_l, cell_b = _cells(mission.window, mission.schedule.cell_deg)
    cell_ra, cell_dec = galactic_to_icrs(cell_l, cell_b)
    seen = np.zeros(len(cell_ra))
    ra, dec = np.empty(len(roll)), np.empty(len(roll))
    margin = mission.schedule.margin_deg
    limits = _shrunk(mission.window.l_deg, margin), _shrunk(mission.window.b_deg, margin)
    middle = galactic_to_icrs(0.5 * sum(mission.window.l_deg), 0.5 * sum(mission.window.b_deg))
    for i, angle in enumerate(np.radians(roll)):
        cos, sin = np.cos(angle), np.sin(angle)
        if i % 2 == 0:
            # Ties are broken by the random number.
            least = np.flatnonzero(seen == seen.min())
            at = least[int(chance[i, 0] * 997.0 * len(least)) % len(least)]
            start = cell_ra[at], cell_dec[at]
            shift = (1.0 - 2.0 * chance[i]) * grid.half_field
        else:
            start = ra[i - 1], dec[i - 1]
            shift = np.array([0.0, grid.half_field] if i % 4 == 1 else [grid.half_field, 0.0])
            to_middle = tangent_offset(*middle, *start)
            along = cos * to_middle[0] - sin * to_middle[1], sin * to_middle[0] + cos * to_middle[1]
            shift = np.where(np.array(along) < 0.0, -shift, shift)
        xi, eta = cos * shift[0] + sin * shift[1], -sin * shift[0] + cos * shift[1]
        ra[i], dec[i] = _inside(*offset_direction(*start, xi, eta), *limits)
        xi_cell, eta_cell = tangent_offset(cell_ra, cell_dec, ra[i], dec[i])
        x, y = cos * xi_cell - sin * eta_cell, sin * xi_cell + cos * eta_cell
        seen += detector_at(x, y, *grid[:4]) >= 0
    return ra, dec


def _cells(window: MissionWindow, step_deg: float) -> tuple[Floats, Floats]:
    """Centres l, b of cells that cover a rectangular window."""
    axes = []
    for low, high in (window.l_deg or (0.0, 0.0), window.b_deg or (0.0, 0.0)):
        n = max(1, round((high - low) / step_deg))
        if n > _MOST_CELLS:
            raise InputError(
                f"[schedule] cell_deg = {step_deg:g}: gives {n:,} cells along a side of the "
                f"window; at most {_MOST_CELLS:,} can be planned"
            )
        axes.append(low + (np.arange(n) + 0.5) * (high - low) / n)
    l_deg, b_deg = np.meshgrid(*axes, indexing="ij")
    return l_deg.ravel(), b_deg.ravel()


def _shrunk(limits: tuple[float, float], margin: float) -> tuple[float, float]:
    """Range without its margins; its middle if nothing is left."""
    low, high = limits
    margin = min(margin, 0.5 * (high - low))
    return low + margin, high - margin


def _inside(
    ra: float, dec: float, l_range: tuple[float, float], b_range: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Return the place in a rectangle that is nearest in l and in b."""
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    return galactic_to_icrs(np.clip(l_deg, *l_range), np.clip(b_deg, *b_range))


def true_attitude(
    visits: PlannedVisits, attitude: Attitude, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Attitude that the instrument really has: nominal, turned by random small angles.

    Returns
    -------
    ra, dec, roll : ndarray, shape (n_visit,)
        [deg]
    """
    key = star_key(seed, np.arange(len(visits.time)), VISIT_STREAM)
    normal = ndtri(uniform(key, _POINTING, 3))
    scale = np.array([attitude.pointing_error_mas] * 2 + [attitude.roll_error_arcsec * 1e3]) * MAS
    return turned(visits.ra, visits.dec, visits.roll, *(normal * scale).T)
