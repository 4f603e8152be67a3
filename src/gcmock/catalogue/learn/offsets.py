"""Systematic offsets of surveys, from bright stars that two surveys have in common.

Positions are compared with Gaia (or the best survey there is, by its definition), at the epoch of
the survey: those of VIRAC2, the infrared survey with motions, directly, all others by way of it,
because it has more infrared stars. Magnitudes are compared with 2MASS. Stars count if they have
one partner only, in both directions. The offsets of a field are the mean of its stars after
outliers were cut, drawn towards that of the whole window where stars are few, and interpolated
between fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.healpix import interpolation, pixel_of
from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.surveys.definition import SurveyDefinition
from gcmock.surveys.source_table import Quality
from gcmock.words.bands import KS

ORDER: Final = 10
"""HEALPix order of the fields: 3.4 arcmin, smaller than the images of any survey."""

SGR_A_MOTION_MASYR: Final = (-3.156, -5.585)
"""Apparent motion of Sgr A*, Reid & Brunthaler 2020, ApJ 892, 39: for want of measured motions."""

_BRIGHT_KS: Final = (11.0, 14.5)
_FAINT_G: Final = 17.5
_MAGNITUDES: Final = (12.0, 14.5)
_RADIUS: Final = 1.0
_ALONE: Final = 2.0
_PRIOR_STARS: Final = 10.0
_FEWEST: Final = 20
_BAD: Final = int(
    Quality.DUPLICATE
    | Quality.ARTEFACT
    | Quality.SATURATED
    | Quality.EXTENDED
    | Quality.BLENDED
    | Quality.BAD_ASTROMETRY
    | Quality.ON_EXTENDED
    | Quality.DOUBTFUL
)


@dataclass(frozen=True)
class OffsetMap:
    """Offsets across the sky.

    Parameters
    ----------
    pixels : ndarray of int64, shape (n_pixel,)
        HEALPix pixels of `ORDER`, ascending.
    values : ndarray, shape (n_pixel + 1, n_value)
        The last row is that of all other pixels.
    """

    pixels: NDArray[np.int64]
    values: Floats

    def at(self, ra: Floats, dec: Floats) -> Floats:
        """Return the offsets at positions [deg], (n, n_value)."""
        if not len(self.pixels) or not len(ra):
            return np.repeat(self.values[-1:], len(ra), axis=0)
        pixel, weight = interpolation(ra, dec, ORDER)
        row = np.searchsorted(self.pixels, pixel).clip(max=len(self.pixels) - 1)
        row = np.where(self.pixels[row] == pixel, row, len(self.pixels))
        result = np.zeros((len(ra), self.values.shape[1]))
        # Column by column: a sum over an axis may add in another order for other lengths.
        for k in range(4):
            result += weight[:, k : k + 1] * self.values[row[:, k]]
        return result


@dataclass(frozen=True)
class Offsets:
    """Offsets of a survey.

    Parameters
    ----------
    position : OffsetMap
        East and north [arcsec].
    zero_point : OffsetMap
        J, H, Ks [mag].
    record : dict
        For the summary: references, stars, offsets of the whole window, scatter.
    """

    position: OffsetMap
    zero_point: OffsetMap
    record: dict[str, Any]


def bright_sources(sources: SurveySources) -> SurveySources:
    """Return the sources by which offsets are measured."""
    side = sources.side
    good = (sources.quality & _BAD) == 0
    if sources.survey.is_infrared:
        ks = side.mag[:, KS]
        good &= (ks >= _BRIGHT_KS[0]) & (ks < _BRIGHT_KS[1])
    else:
        good &= side.g_mag < _FAINT_G
    return sources.take(good)


def mean_motion(bright: Mapping[str, SurveySources]) -> Floats:
    """Return the median proper motion of bright stars, east and north [mas/yr]."""
    for sources in sorted(bright.values(), key=lambda one: one.survey.merge.order):
        motion = sources.side.motion
        motion = motion[np.isfinite(motion[:, 0])]
        if sources.survey.merge.astrometry and len(motion) >= _FEWEST:
            return np.asarray(np.median(motion, axis=0) * 1000.0)
    return np.array(SGR_A_MOTION_MASYR)


def measure_offsets(
    bright: Mapping[str, SurveySources], motion_masyr: Floats
) -> dict[str, Offsets]:
    """Measure the offsets of every survey.

    Parameters
    ----------
    bright : mapping of str to Sources
        From `bright_sources`, by survey.
    motion_masyr : ndarray, shape (2,)
        Motion of stars that have none measured.
    """
    surveys = {name: sources.survey for name, sources in bright.items()}
    first = min(bright, key=lambda name: _rank(surveys[name], "position_rank"))
    infrared = [name for name, survey in surveys.items() if survey.is_infrared]
    magnitude = min(infrared, key=lambda name: _rank(surveys[name], "magnitude_rank"), default=None)
    result: dict[str, Offsets] = {}
    reference, known = first, dict(bright)
    moving = [name for name in infrared if surveys[name].merge.astrometry]
    if first not in infrared and moving:
        # Few infrared stars are in Gaia; VIRAC2, brought onto its frame, has more of them.
        dense = min(moving, key=lambda name: _rank(surveys[name], "position_rank"))
        record: dict[str, Any] = {"position_reference": first}
        where = _position_offsets(bright[first], bright[dense], motion_masyr, record)
        result[dense] = Offsets(where, _no_offset(3), record)
        known[dense] = _shifted(bright[dense], where)
        reference = dense
    for name, sources in bright.items():
        where, record = _no_offset(2), {}
        if name in result:
            where, record = result[name].position, result[name].record
        elif name != first:
            record["position_reference"] = reference
            where = _position_offsets(known[reference], sources, motion_masyr, record)
        zero = _no_offset(3)
        if magnitude is not None and name != magnitude and name in infrared:
            zero = _zero_points(bright[magnitude], sources, record)
            record["magnitude_reference"] = magnitude
        result[name] = Offsets(where, zero, record)
    return result


def _rank(survey: SurveyDefinition, key: str) -> tuple[int, int]:
    """Order in which surveys are references; those without a rank follow in that of linking."""
    return getattr(survey.merge, key), survey.merge.order


def _shifted(sources: SurveySources, where: OffsetMap) -> SurveySources:
    """Return sources at positions without their offset."""
    side = sources.side
    east, north = where.at(side.ra, side.dec).T
    ra = side.ra - east / 3600.0 / np.cos(np.radians(side.dec))
    return replace(sources, side=side._replace(ra=ra, dec=side.dec - north / 3600.0))


def _no_offset(n: int) -> OffsetMap:
    return OffsetMap(np.empty(0, np.int64), np.zeros((1, n)))


def _common(
    reference: SurveySources, sources: SurveySources, ra: Floats, dec: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs that have no other candidate; `ra`, `dec` are those of the reference."""
    side = sources.side
    i, j = pairs_within(ra, dec, side.ra, side.dec, _ALONE)
    if not len(i):
        return i, j
    lone = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1)
    i, j = i[lone], j[lone]
    # The apparent separation includes the offset itself: an arcsecond is far larger.
    east = (side.ra[j] - ra[i]) * np.cos(np.radians(dec[i])) * 3600.0
    north = (side.dec[j] - dec[i]) * 3600.0
    apart = np.abs(side.mag[j] - reference.side.mag[i])
    close = (np.hypot(east, north) < _RADIUS) & ~(np.nan_to_num(apart) > 1.0).any(axis=1)
    return i[close], j[close]


def _position_offsets(
    reference: SurveySources, sources: SurveySources, motion_masyr: Floats, record: dict[str, Any]
) -> OffsetMap:
    side = reference.side
    motion = np.where(np.isfinite(side.motion), side.motion, motion_masyr / 1000.0)
    years = np.median(sources.side.epoch) - side.epoch if len(sources) else 0.0 * side.epoch
    step = years[:, None] * motion / 3600.0
    dec = side.dec + step[:, 1]
    ra = side.ra + step[:, 0] / np.cos(np.radians(dec))
    i, j = _common(reference, sources, ra, dec)
    east = (sources.side.ra[j] - ra[i]) * np.cos(np.radians(dec[i])) * 3600.0
    north = (sources.side.dec[j] - dec[i]) * 3600.0
    values = np.column_stack((east, north))
    found = _fields(sources.side.ra[j], sources.side.dec[j], values)
    record["position_stars"] = len(i)
    record["position_offset_mas"] = [round(float(v) * 1000.0, 2) for v in found.values[-1]]
    record["position_scatter_mas"] = [round(float(v) * 1000.0, 2) for v in _spread(values)]
    return found


def _zero_points(
    reference: SurveySources, sources: SurveySources, record: dict[str, Any]
) -> OffsetMap:
    i, j = _common(reference, sources, reference.side.ra, reference.side.dec)
    mag = sources.side.mag[j]
    values = mag - reference.side.mag[i]
    values[~((mag > _MAGNITUDES[0]) & (mag < _MAGNITUDES[1]))] = np.nan
    ra, dec = sources.side.ra[j], sources.side.dec[j]
    maps = [_fields(ra, dec, values[:, [band]]) for band in range(values.shape[1])]
    pixels = np.unique(np.concatenate([one.pixels for one in maps]))
    columns = []
    for one in maps:
        column = np.full(len(pixels) + 1, one.values[-1, 0])
        column[np.searchsorted(pixels, one.pixels)] = one.values[:-1, 0]
        columns.append(column)
    found = OffsetMap(pixels, np.column_stack(columns))
    record["zero_point_stars"] = [
        int(np.isfinite(values[:, k]).sum()) for k in range(values.shape[1])
    ]
    record["zero_point_mag"] = [round(float(v), 4) for v in found.values[-1]]
    record["zero_point_scatter_mag"] = [round(float(v), 4) for v in _spread(values)]
    return found


def _spread(values: Floats) -> Floats:
    """Robust standard deviation of columns; 0 without values."""
    result = np.zeros(values.shape[1])
    for k in range(values.shape[1]):
        good = values[np.isfinite(values[:, k]), k]
        if len(good):
            result[k] = 1.4826 * np.median(np.abs(good - np.median(good)))
    return result


def _fields(ra: Floats, dec: Floats, values: Floats) -> OffsetMap:
    """Mean values of fields, after a cut of outliers, drawn to the median of all."""
    good = np.isfinite(values).all(axis=1)
    ra, dec, values = ra[good], dec[good], values[good]
    if len(values) < _FEWEST:
        return _no_offset(values.shape[1])
    middle, spread = np.median(values, axis=0), np.maximum(_spread(values), 1e-6)
    inside = (np.abs(values - middle) < 4.0 * spread).all(axis=1)
    ra, dec, values = ra[inside], dec[inside], values[inside]
    pixels, field = np.unique(pixel_of(ra, dec, ORDER), return_inverse=True)
    number = np.bincount(field, minlength=len(pixels))
    columns = []
    for k in range(values.shape[1]):
        total = np.bincount(field, weights=values[:, k] - middle[k], minlength=len(pixels))
        columns.append(np.append(middle[k] + total / (number + _PRIOR_STARS), middle[k]))
    return OffsetMap(pixels, np.column_stack(columns))
