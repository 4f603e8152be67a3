"""One survey of one block of the sky: from true stars to measured sources."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gcmock.arrays import Booleans, Floats, Integers
from gcmock.errors import InputError
from gcmock.photometric_systems import from_2mass, system_names
from gcmock.random import star_key, uniform
from gcmock.stars.gaia import gaia_mag
from gcmock.surveys.definition import SurveyDefinition
from gcmock.surveys.simulated.artefacts import ArtefactKind, ghosts, noise_peaks
from gcmock.surveys.simulated.blocks import TrueStars
from gcmock.surveys.simulated.crowding import blend, combined_limit, confusion_map
from gcmock.surveys.simulated.fields import (
    N_COPIES,
    SurveyFields,
    apparitions,
    fields_of,
    in_footprint,
)
from gcmock.surveys.simulated.instrument import Instrument

SOURCE_STREAM = -4000
"""Minus ten times the stream of the survey, minus the copy: the realisation in keys."""

SYSTEM_STREAM = -5000
"""Minus the number of the photometric system, or the stream of a survey that has a system of its
own: the realisation in keys."""

FAINTER_MAG = 1.0
"""Stars fainter than the limit by more than this in every band do not even blend."""

DETECTION, NOISE, PLACE, NEXT = 0, 3, 6, 8
"""Places of a source's random numbers; from `NEXT` on they belong to the survey."""

N_CHANCES = 24

SATURATED_SCATTER = 0.1
"""Scatter of the magnitude of a saturated star, per magnitude above saturation; an assumption."""


class MeasuredSources(NamedTuple):
    """Sources of a survey; each array has one row a source.

    Attributes
    ----------
    identity : ndarray of int64
        Of the brightest star in it: `source_id` of a true star, or that of an artefact.
    kind : ndarray of int8
        `gcmock.surveys.simulated.artefacts.ArtefactKind` of that star.
    copy : ndarray of int64
        0, or 1 to 3 for the same star in another field.
    fraction : ndarray
        Fraction of that star in the flux, in the band of detection.
    n_stars : ndarray of int64
        Stars in the source.
    true_mag, limit_mag : ndarray, shape (n, 3)
        Magnitude of all its stars together and limit at its place, in the survey's system [mag].
    mag, error : ndarray, shape (n, 3)
        Measured, NaN where not detected [mag].
    saturated : ndarray of bool, shape (n, 3)
    l, b : ndarray
        True position of the brightest star [deg].
    ra, dec, position_error : ndarray
        Measured position at its epoch [deg], error along each axis [mas].
    parallax, pmra, pmdec, radial_velocity : ndarray
        True ones of the centre of its light [mas], [mas/yr], [km/s].
    fields : SurveyFields
    chance : ndarray, shape (n, N_CHANCES)
        Random numbers.
    key : ndarray of uint64
    """

    identity: Integers
    kind: NDArray[np.int8]
    copy: Integers
    fraction: Floats
    n_stars: Integers
    true_mag: Floats
    limit_mag: Floats
    mag: Floats
    error: Floats
    saturated: Booleans
    l: Floats
    b: Floats
    ra: Floats
    dec: Floats
    position_error: Floats
    parallax: Floats
    pmra: Floats
    pmdec: Floats
    radial_velocity: Floats
    fields: SurveyFields
    chance: Floats
    key: NDArray[np.uint64]

    def take(self, rows: NDArray[Any]) -> MeasuredSources:
        """Return some of them."""
        parts: dict[str, Any] = {
            name: value.take(rows) if name == "fields" else value[rows]
            for name, value in self._asdict().items()
        }
        return MeasuredSources(**parts)


def observe(
    stars: TrueStars, survey: SurveyDefinition, seed: int, ref_epoch: float
) -> MeasuredSources:
    """Let a survey see a block with its margin.

    Parameters
    ----------
    stars : TrueStars
        True stars.
    survey : SurveyDefinition
    seed : int
        What happens to a star follows from it and the star.
    ref_epoch : float
        Epoch of the true positions [Julian year].

    Returns
    -------
    MeasuredSources
        In the order of the stars; those of the margin too, some of which lack neighbours.

    Raises
    ------
    InputError
        If the survey has no instrument.
    """
    instrument = instrument_of(survey)
    band = instrument.detection_band
    stars = stars.take(in_footprint(stars.l, stars.b, instrument))
    seen_by = np.asarray if survey.is_infrared else gaia_mag
    rough = seen_by(stars.mag)
    confusion = confusion_map(stars.x, stars.y, rough, instrument)
    depth = np.array(instrument.limit_mag)
    crowd = confusion.limit
    alone = confusion._replace(limit=combined_limit(depth, crowd))
    known = confusion._replace(limit=combined_limit(depth, crowd + instrument.known_mag))
    limit = alone.at(stars.x, stars.y)
    peaks = noise_peaks(stars, limit, instrument, seed)
    bright = np.flatnonzero((rough < limit + FAINTER_MAG).any(axis=1))
    candidates = stars.take(bright).join(ghosts(stars, rough[:, band], instrument, seed))
    candidates = candidates.join(peaks)
    candidates = candidates.take(in_footprint(candidates.l, candidates.b, instrument))
    native = _native(candidates, survey, seed)
    blended = _blended(candidates, native, instrument, ref_epoch)
    first = blended.first
    where = candidates.x[first], candidates.y[first]
    limits = alone.at(*where), known.at(*where)
    row, copy = apparitions(candidates.l[first], candidates.b[first], instrument)
    return _measured(candidates, blended, limits, row, copy, survey, seed, ref_epoch)


def instrument_of(survey: SurveyDefinition) -> Instrument:
    """Return the instrument of a survey.

    Raises
    ------
    InputError
        If its definition has none.
    """
    if survey.instrument is None:
        raise InputError(
            f"survey {survey.name}: cannot be simulated, because its definition "
            f"({survey.path or survey.name}) has no section [instrument]"
        )
    return survey.instrument


class _Blended(NamedTuple):
    """Light of sources: brightest star, its fraction, number of stars, magnitudes, centre, motion.

    `own` says in which bands the brightest star itself has light.
    """

    first: Integers
    fraction: Floats
    n_stars: Integers
    mag: Floats
    own: Booleans
    east: Floats
    north: Floats
    parallax: Floats
    pmra: Floats
    pmdec: Floats


def _native(stars: TrueStars, survey: SurveyDefinition, seed: int) -> Floats:
    """Magnitudes in the system of the survey; infinite where there is no light.

    Every star has its own deviation from the relation, the same for all surveys of a system.
    """
    if not survey.is_infrared:
        return gaia_mag(stars.mag)
    system = survey.system
    mag, _ = from_2mass(system, stars.mag)
    scatter = np.array(system.scatter_mag)
    if scatter.any():
        known = system_names()
        own = instrument_of(survey).stream
        number = known.index(system.name) if system.name in known else own
        key = star_key(seed, stars.identity, SYSTEM_STREAM - number)
        mag += scatter * ndtri(uniform(key, 0, scatter.size))
    return np.where(np.isfinite(mag), mag, np.inf)


def _blended(
    stars: TrueStars, native: Floats, instrument: Instrument, ref_epoch: float
) -> _Blended:
    """Put the light of blended stars together."""
    band = instrument.detection_band
    # A peak of noise in another band is not dark: it competes with its own magnitude.
    order_mag = np.where(np.isfinite(native[:, band]), native[:, band], native.min(axis=1))
    blends = blend(stars.x, stars.y, order_mag, instrument, instrument.saturation_mag[band])
    n_source = blends.source.size

    def total(values: Floats) -> Floats:
        summed = np.bincount(blends.of_star, weights=values, minlength=n_source)
        return np.asarray(summed, dtype=np.float64)

    flux = 10.0 ** (-0.4 * native)
    with np.errstate(divide="ignore"):
        mag = -2.5 * np.log10(np.column_stack([total(band_flux) for band_flux in flux.T]))
    weight = 10.0 ** (-0.4 * order_mag)
    whole = total(weight)

    def centre(values: Floats) -> Floats:
        return total(weight * (values - values[blends.source][blends.of_star])) / whole

    first = blends.source
    cos_dec = np.cos(np.radians(stars.dec))
    years = np.mean(instrument.epoch) - ref_epoch
    return _Blended(
        first,
        weight[first] / whole,
        np.bincount(blends.of_star, minlength=n_source),
        mag,
        np.isfinite(native[first]),
        3.6e6 * centre(stars.ra) * cos_dec[first] + years * centre(stars.pmra),
        3.6e6 * centre(stars.dec) + years * centre(stars.pmdec),
        stars.parallax[first] + centre(stars.parallax),
        stars.pmra[first] + centre(stars.pmra),
        stars.pmdec[first] + centre(stars.pmdec),
    )


def _measured(
    stars: TrueStars,
    light: _Blended,
    limits_mag: tuple[Floats, Floats],
    row: Integers,
    copy: Integers,
    survey: SurveyDefinition,
    seed: int,
    ref_epoch: float,
) -> MeasuredSources:
    """Detect and measure: each apparition of a source by itself.

    `limits_mag` are those of a detection, and those of a band in which a source that another band
    has found is measured.
    """
    instrument = instrument_of(survey)
    identity = stars.identity[light.first]
    key = np.empty(row.size, np.uint64)
    for number in range(N_COPIES):
        of = copy == number
        stream = SOURCE_STREAM - 10 * instrument.stream - number
        key[of] = star_key(seed, identity[row[of]], stream)
    # Most apparitions are too faint: the rest of the numbers is for those that are seen.
    where = light.first[row]
    fields = fields_of(stars.l[where], stars.b[where], copy, instrument, seed)
    true_mag, depth = light.mag[row], fields.depth[:, None]
    limit, known = limits_mag[0][row] + depth, limits_mag[1][row] + depth
    noise = stars.kind[light.first][row] == ArtefactKind.NOISE
    chance = uniform(key, DETECTION, true_mag.shape[1])
    lost = true_mag < np.array(instrument.saturation_mag) - instrument.lost_mag
    seen = ~lost & (chance < ndtr((limit - true_mag) / instrument.width_mag))
    found = seen.any(axis=1)[:, None] & ~lost
    seen |= found & (chance < ndtr((known - true_mag) / instrument.width_mag))
    seen |= noise[:, None] & light.own[row]
    detected = seen.any(axis=1)
    if survey.simulated_table.needs_detection_band:
        detected = seen[:, instrument.detection_band] | noise
    kept = np.flatnonzero(detected)
    row, copy, key, seen = row[kept], copy[kept], key[kept], seen[kept]
    true_mag, limit, first, fields = true_mag[kept], limit[kept], where[kept], fields.take(kept)
    chance = uniform(key, 0, N_CHANCES)
    mag, error, saturated = _photometry(true_mag, limit, seen, chance, fields, instrument)
    sigma = _position_error(error, instrument)
    years = fields.epoch - ref_epoch
    east = light.east[row] + years * stars.pmra[first]
    north = light.north[row] + years * stars.pmdec[first]
    normal = ndtri(chance[:, PLACE : PLACE + 2])
    east += fields.east + sigma * normal[:, 0]
    north += fields.north + sigma * normal[:, 1]
    dec = stars.dec[first] + north / 3.6e6
    return MeasuredSources(
        identity[row],
        stars.kind[first],
        copy,
        light.fraction[row],
        light.n_stars[row],
        true_mag,
        limit,
        mag,
        error,
        saturated,
        stars.l[first],
        stars.b[first],
        stars.ra[first] + east / 3.6e6 / np.cos(np.radians(stars.dec[first])),
        dec,
        sigma,
        light.parallax[row],
        light.pmra[row],
        light.pmdec[row],
        stars.radial_velocity[first],
        fields,
        chance,
        key,
    )


def _photometry(
    true_mag: Floats,
    limit: Floats,
    seen: Booleans,
    chance: Floats,
    fields: SurveyFields,
    instrument: Instrument,
) -> tuple[Floats, Floats, Booleans]:
    """Return measured magnitudes and errors, NaN where not seen, and which are saturated.

    sigma² = floor² + (0.2 mag)² 10^(0.8 (m - limit)), as in `gcmock.mock.survey.SurveyModel`. Half
    of the light above saturation is lost, and the stated error knows nothing of it.
    """
    excess = np.maximum(np.array(instrument.saturation_mag) - true_mag, 0.0)
    excess = np.where(seen, excess, 0.0)
    background = 0.2 * 10.0 ** (0.4 * np.minimum(true_mag - limit, 1.0))
    error = np.where(seen, np.hypot(np.array(instrument.floor_mag), background), np.nan)
    scatter = np.hypot(error, SATURATED_SCATTER * excess)
    normal = ndtri(chance[:, NOISE : NOISE + 3])
    mag = np.where(seen, true_mag, np.nan) + 0.5 * excess + fields.zero_point + scatter * normal
    return mag, error, excess > 0.0


def _position_error(error: Floats, instrument: Instrument) -> Floats:
    """Error of a position [mas]: that of bright stars, and the width over 2.355 S/N.

    Zero for surveys of astrometry, which have errors of their own.
    """
    if instrument.position_mas == 0.0:
        return np.zeros(error.shape[0])
    best = np.nanmin(error, axis=1, initial=1.0)
    noise = 1000.0 * instrument.fwhm_arcsec / 2.355 * best / 1.0857
    return np.hypot(instrument.position_mas, noise)
