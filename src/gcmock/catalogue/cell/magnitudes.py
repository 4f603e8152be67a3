"""The best magnitude of every star in every band, and Hw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.order import Order
from gcmock.settings.merge import MergePhotometryConfig
from gcmock.stars.bands import SyntheticRelation, load_relation
from gcmock.surveys.source_table import DOUBTFUL, Quality
from gcmock.words.bands import SURVEY_BANDS, SYNTHETIC_BANDS, H, J
from gcmock.words.flags import MatchFlag

# Doubts about a measurement, from the worst; the sum of a doubt's lesser ones stays below it.
_SATURATED: Final = 16
_BLENDED: Final = 8
_DOUBTFUL: Final = 4
_CROWDED: Final = 2
_ASSUMED: Final = 1

_BITS_OF_DOUBT: Final = np.array([int(bit | Quality.ON_EXTENDED) for bit in DOUBTFUL.values()])


class BestMagnitudes(NamedTuple):
    """Magnitudes of stars in the 2MASS system.

    Attributes
    ----------
    mag, error : ndarray, shape (n_star, n_survey_band)
        `SURVEY_BANDS` [mag]; NaN where no survey has one.
    origin : ndarray of int64, shape (n_star, n_survey_band)
        Number of the survey, -1 for none.
    synthetic : dict of str to pair of ndarray, shape (n_star,)
        Magnitude and error in every synthetic band [mag].
    flags : ndarray of int32, shape (n_star,)
        Bits of `MatchFlag`.
    detections : ndarray of int32, shape (n_star,)
        Bit s n_survey_band + b: survey number s has the star in band b.
    """

    mag: Floats
    error: Floats
    origin: NDArray[np.int64]
    synthetic: dict[str, tuple[Floats, Floats]]
    flags: NDArray[np.int32]
    detections: NDArray[np.int32]


def choose_magnitudes(
    stars: MergedStars,
    surveys: Mapping[int, SurveySources],
    config: MergePhotometryConfig,
    *,
    smallest_error: bool = False,
) -> BestMagnitudes:
    """Choose the magnitudes of stars.

    In every band the measurement with the fewest doubts is taken, and of equal ones that with the
    smallest error. Doubts are, from the worst: saturated (brighter than the survey can measure, by
    its own value or by that of a survey that judges, 2MASS); blended (known neighbours add more
    than a tenth, or the survey says so); doubtful by a flag of its survey; a crowded survey, 2MASS,
    beyond its limit; no error of its own.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
    config : MergePhotometryConfig
    smallest_error : bool
        Forget the doubts, as the rule of the pilot catalogue does.

    Returns
    -------
    BestMagnitudes
    """
    n = len(stars)
    n_band = len(SURVEY_BANDS)
    shape = (n, len(stars.order), n_band)
    mag, error = np.full(shape, np.nan), np.full(shape, np.nan)
    native, native_error = np.full(shape, np.nan), np.full(shape, np.nan)
    quality = np.zeros(shape[:2], np.int32)
    for number, sources in surveys.items():
        mine = np.flatnonzero(stars.link[:, number] >= 0)
        of = stars.link[mine, number]
        mag[mine, number], error[mine, number] = sources.side.mag[of], sources.side.mag_error[of]
        native[mine, number] = sources.native_mag[of]
        native_error[mine, number] = sources.native_error[of]
        quality[mine, number] = sources.quality[of]
    doubt = _doubts(stars, mag, quality, config)
    there = np.isfinite(mag)
    # An error is far below 100 mag: the doubts decide first.
    weight = 0.0 if smallest_error else 100.0
    score = np.where(there, weight * doubt + np.nan_to_num(error, nan=0.0), np.inf)
    best = np.argmin(score, axis=1)
    star, band = np.ogrid[:n, :n_band]
    any_there = there.any(axis=1)
    origin = np.where(any_there, best, -1)
    chosen, chosen_error = mag[star, best, band], error[star, best, band]
    chosen_doubt = np.where(any_there, doubt[star, best, band], 0)
    flags = np.zeros(n, np.int32)
    for bit, flag in (
        (_SATURATED, MatchFlag.SATURATED),
        (_BLENDED, MatchFlag.BLENDED),
        (_DOUBTFUL, MatchFlag.DOUBTFUL),
        (_ASSUMED, MatchFlag.ERROR_ASSUMED),
    ):
        flags[((chosen_doubt & bit) != 0).any(axis=1)] |= flag
    apart = np.abs(mag - chosen[:, None, :])
    limit = np.maximum(0.5, 5.0 * np.hypot(error, chosen_error[:, None, :]))
    discordant = there & (doubt <= _ASSUMED) & (apart > limit)
    flags[discordant.any(axis=(1, 2))] |= MatchFlag.DISCORDANT
    best_native = native[star, best, band], native_error[star, best, band]
    synthetic = {}
    for name in SYNTHETIC_BANDS:
        mag_of, error_of, outside = _synthetic(
            name, chosen, chosen_error, origin, *best_native, stars.order, config
        )
        synthetic[name] = mag_of, error_of
        flags[np.isnan(mag_of)] |= MatchFlag.HW_NO_J
        flags[outside] |= MatchFlag.HW_EXTRAPOLATED
    n_bit = len(stars.order) * n_band
    bits = (there.reshape(n, n_bit) << np.arange(n_bit)).sum(axis=1)
    for number, survey in enumerate(stars.order):
        if not survey.is_infrared:
            bits |= np.where(stars.link[:, number] >= 0, 1 << (n_band * number), 0)
    return BestMagnitudes(chosen, chosen_error, origin, synthetic, flags, bits.astype(np.int32))


def _doubts(
    stars: MergedStars, mag: Floats, quality: NDArray[np.int32], config: MergePhotometryConfig
) -> NDArray[np.int64]:
    """Sum of doubts of every measurement, (n_star, n_survey, n_survey_band)."""
    doubt = np.zeros(mag.shape, np.int64)
    bright = np.full((len(stars), len(SURVEY_BANDS)), np.nan)
    for number, survey in enumerate(stars.order):
        if survey.merge.judges_saturation:
            bright = np.fmin(bright, mag[:, number])
    for number, survey in enumerate(stars.order):
        limits = survey.saturation
        limit = np.array([limits.get(band, -np.inf) for band in SURVEY_BANDS])
        # Saturated stars come out too faint: the value of a survey in which they are not
        # decides as well.
        saturated = np.fmin(mag[:, number], bright) < limit
        saturated |= (quality[:, number] & int(Quality.SATURATED) != 0)[:, None]
        blended = stars.blended[:, number] | (quality[:, number] & int(Quality.BLENDED) != 0)
        assumed = quality[:, number] & int(Quality.ERROR_ASSUMED) != 0
        doubt[:, number] += _SATURATED * saturated
        doubt[:, number] += (_BLENDED * blended + _ASSUMED * assumed)[:, None]
        doubt[:, number] += _DOUBTFUL * (quality[:, number, None] & _BITS_OF_DOUBT != 0)
        if survey.merge.crowded:
            # Stars behind dust are fainter in J and H; the crowding is that of the faint stars.
            faint = mag[:, number] > config.tmass_faint_mag + np.array([2.0, 0.5, 0.0])
            doubt[:, number] += _CROWDED * faint
    return doubt


def _synthetic(
    band: str,
    mag: Floats,
    error: Floats,
    origin: NDArray[np.int64],
    native: Floats,
    native_error: Floats,
    order: Order,
    config: MergePhotometryConfig,
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Magnitude, its error, and whether a relation was used outside its colours; (n_star,) each.

    ``[photometry] hw_relation`` chooses the relation of Hw; other bands have their defaults.
    """
    chosen = config.hw_relation if band == "hw" else ""
    found = _by(load_relation(band, "" if chosen == "native" else chosen), mag, error)
    if chosen == "native":
        synthetic, synthetic_error, outside = found
        for number, survey in enumerate(order):
            same = (origin[:, J] == number) & (origin[:, H] == number)
            if survey.hw_relation and same.any():
                relation = load_relation(band, survey.hw_relation)
                of_survey = _by(relation, native[same], native_error[same])
                synthetic[same], synthetic_error[same], outside[same] = of_survey
    return found


def _by(
    relation: SyntheticRelation, mag: Floats, error: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Magnitude by one relation; the errors of J and H are independent, its scatter is added."""
    j, h = mag[:, J], mag[:, H]
    synthetic = relation.mag(j, h)
    d_j, d_h = relation.derivatives(j, h)
    variance = (d_j * error[:, J]) ** 2 + (d_h * error[:, H]) ** 2 + relation.scatter_mag**2
    outside = np.isfinite(synthetic) & ~relation.is_valid(j, h)
    return synthetic, np.sqrt(variance), outside
