"""Which sources are no stars: before the match, by their survey; after it, by all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import SurveySources, numbers
from gcmock.catalogue.cell.surroundings import Surroundings, places
from gcmock.catalogue.learn.reality import Reality, is_alone, kinds
from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.settings.merge import CleaningConfig, SurveyInput
from gcmock.surveys.source_table import Quality

KEPT: Final = ""
"""In place of a reason."""

_MARK_REASON: Final = {"duplicate": "duplicate", "artefact": "artefact", "extended": "extended"}
_SURE_ERROR_MAG: Final = 0.1
_SURE_BANDS: Final = 2
_DUPLICATE_MAG: Final = 1.0
_FARTHEST_FWHM: Final = 1.0
_SAME_SIGMA: Final = 3.0
_NOT_RESOLVED_FWHM: Final = 0.5


def native_reasons(
    sources: SurveySources, survey: SurveyInput, config: CleaningConfig
) -> NDArray[np.str_]:
    """Return why sources of a survey are left out before the match.

    Parameters
    ----------
    sources : SurveySources
    survey : SurveyInput
    config : CleaningConfig

    Returns
    -------
    ndarray of str, shape (n_source,)
        Keys of `REASONS`; empty for those that are kept.
    """
    reason = np.full(len(sources), KEPT, dtype="U16")
    measured = np.isfinite(sources.side.mag).any(axis=1) | np.isfinite(sources.side.g_mag)
    _mark(reason, ~measured, "no_magnitude")
    # A cut survey does not have its faint sources: a duplicate of one of them has no original.
    faint = too_faint(sources, survey.faint_ks_mag)
    _mark(reason, faint, "too_faint")
    for name in survey.reject:
        marked = (sources.quality & int(Quality[name.upper()])) != 0
        if name == "duplicate":
            marked = _has_original(sources, marked, ~marked & ~faint, config.duplicate_fwhm)
        _mark(reason, marked, _MARK_REASON.get(name, "quality"))
    kept = np.flatnonzero(reason == KEPT)
    lost = _duplicates(sources.take(kept), config.duplicate_fwhm)
    reason[kept[lost]] = "duplicate"
    return reason


def looks_real(sources: SurveySources) -> NDArray[np.bool_]:
    """Whether sources look like stars whatever their flags say: 10 sigma in two bands, (n,)."""
    good = sources.native_error <= _SURE_ERROR_MAG
    return np.asarray(good.sum(axis=1) >= _SURE_BANDS)


def too_faint(sources: SurveySources, limit: float | None) -> NDArray[np.bool_]:
    """Which sources are fainter than a limit in Ks, as the survey lists it, or have no Ks.

    A survey that is cut brighter than it reaches would have seen Ks of a brighter star.
    """
    if limit is None:
        return np.zeros(len(sources), bool)
    ks = numbers(sources.table, "phot_ks_mag")
    return np.asarray(~(ks <= limit) & np.isnan(sources.side.g_mag))


def _mark(reason: NDArray[np.str_], where: NDArray[np.bool_], word: str) -> None:
    reason[where & (reason == KEPT)] = word


def _has_original(
    sources: SurveySources, marked: NDArray[np.bool_], original: NDArray[np.bool_], fraction: float
) -> NDArray[np.bool_]:
    """Which sources marked as duplicates have another one that is not marked.

    Where the row of the original is missing, the duplicate is all that there is of the star.
    """
    side, copies = sources.side, np.flatnonzero(marked)
    others = np.flatnonzero(original)
    radius = (fraction or _NOT_RESOLVED_FWHM) * sources.survey.merge.fwhm_arcsec
    i, _ = pairs_within(
        side.ra[copies], side.dec[copies], side.ra[others], side.dec[others], radius
    )
    result = np.zeros(len(sources), bool)
    result[copies[i]] = True
    return result


def _duplicates(sources: SurveySources, fraction: float) -> NDArray[np.int64]:
    """Find sources closer to a better one of the same survey than its images can resolve."""
    side = sources.side
    fwhm = sources.survey.merge.fwhm_arcsec
    if fraction == 0 or not len(sources):
        return np.empty(0, np.int64)
    i, j = pairs_within(side.ra, side.dec, side.ra, side.dec, max(fraction, _FARTHEST_FWHM) * fwhm)
    i, j = i[i < j], j[i < j]
    east = (side.ra[j] - side.ra[i]) * np.cos(np.radians(side.dec[i])) * 3600.0
    north = (side.dec[j] - side.dec[i]) * 3600.0
    apart = np.abs(side.mag[i] - side.mag[j])
    # Nothing can be resolved at this distance.
    one = (np.hypot(east, north) < fraction * fwhm) & _all_below(apart, _DUPLICATE_MAG)
    # Two images of one star: the same within the errors in everything.
    error = np.hypot(side.error[i], side.error[j])
    same = np.hypot(east / error[:, 0], north / error[:, 1]) < _SAME_SIGMA
    limit = _SAME_SIGMA * np.hypot(side.mag_error[i], side.mag_error[j])
    close = one | (same & _all_below(apart, limit) & np.isfinite(apart).any(axis=1))
    i, j = i[close], j[close]
    # More bands, then more epochs, then smaller errors; the first in order decides between equals.
    bands = np.isfinite(side.mag).sum(axis=1)
    error = np.nansum(side.mag_error, axis=1)
    better = np.where(
        bands[i] != bands[j],
        bands[i] > bands[j],
        np.where(
            sources.n_epochs[i] != sources.n_epochs[j],
            sources.n_epochs[i] > sources.n_epochs[j],
            error[i] <= error[j],
        ),
    )
    return np.unique(np.where(better, j, i))


def _all_below(values: Floats, limit: Floats | float) -> NDArray[np.bool_]:
    """Whether the values that are there are all below a limit, (n,)."""
    return np.asarray(~(values > limit).any(axis=1))


def star_reasons(
    stars: MergedStars,
    surveys: Mapping[int, SurveySources],
    around: Surroundings,
    missed: Floats,
    reality: Mapping[str, Reality],
    config: CleaningConfig,
) -> NDArray[np.str_]:
    """Return why merged stars are left out.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
        By the number of the survey.
    around : Surroundings
    missed : ndarray, shape (n_star, n_survey)
        Probability that all surveys but one miss a star like this one here.
    reality : mapping of str to Reality
        From `learn_reality`; a survey that is not in it has real sources only.
    config : CleaningConfig

    Returns
    -------
    ndarray of str, shape (n_star,)
        "ghost", "single_detection", "unconfirmed", or empty.
    """
    reason = np.full(len(stars), KEPT, dtype="U16")
    alone = is_alone(stars)
    for number, sources in surveys.items():
        name = sources.survey.name
        if name not in reality:
            continue
        place = places(around, reality[name].spikes)
        star, kind, _ = kinds(stars, surveys, place, missed, number)
        source = stars.link[star, number]
        real = reality[name].probability[kind]
        doubtful = alone[star] & (real < config.least_real_probability)
        few_bands = np.isfinite(sources.native_mag[source]).sum(axis=1) == 1
        ghost = place[star] > 0
        reason[star[doubtful & ghost]] = "ghost"
        reason[star[doubtful & ~ghost & few_bands]] = "single_detection"
        reason[star[doubtful & ~ghost & ~few_bands]] = "unconfirmed"
    return reason
