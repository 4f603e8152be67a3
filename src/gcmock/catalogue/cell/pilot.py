"""The simple rule of the JASMINE pilot catalogue of 2023, for comparison.

Sources within 1.0 arcsec whose magnitudes differ by less than 2 in every band that both have are
one star; the nearest pair comes first. The position is that of VVV, else SIRIUS, else 2MASS; a
magnitude is that of the smallest error. Surveys that it did not know have a place in their
definitions (`pilot2023_rank`), beside those that they resemble: VIRAC2 comes with VVV,
GALACTICNUCLEUS before SIRIUS; Gaia is joined by position alone.
(JASMINE-Mission/pilot_catalog, build/merge.sql: facts, not code.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.catalogue.cell.clean import too_faint
from gcmock.catalogue.cell.merged_stars import MergedStars, no_stars
from gcmock.catalogue.cell.merging import MergedCell
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.cell.surroundings import no_surroundings
from gcmock.catalogue.link.neighbours import pairs_within, separation
from gcmock.catalogue.order import linking_order
from gcmock.compilation import compiled
from gcmock.settings.merge import MergeConfig

RADIUS_ARCSEC: Final = 1.0
LARGEST_DIFFERENCE_MAG: Final = 2.0


@compiled(nogil=True)
def _nearest_first(i, j, order, n_i, n_j):
    """Take pairs in the order of their separation, each source once."""
    chosen = np.zeros(len(i), np.bool_)
    taken_i, taken_j = np.zeros(n_i, np.bool_), np.zeros(n_j, np.bool_)
    for k in order:
        if not taken_i[i[k]] and not taken_j[j[k]]:
            chosen[k] = taken_i[i[k]] = taken_j[j[k]] = True
    return chosen


@compiled(nogil=True)
def _distances(i, j, ra_1, dec_1, ra_2, dec_2):
    result = np.empty(len(i))
    for k in range(len(i)):
        east, north = separation(ra_1[i[k]], dec_1[i[k]], ra_2[j[k]], dec_2[j[k]])
        result[k] = np.hypot(east, north)
    return result


def merge_cell_pilot(cell: Mapping[str, SurveySources], config: MergeConfig) -> MergedCell:
    """Merge a cell by the simple rule.

    Nothing is cleaned but what has no magnitude or is beyond the limit of the settings.

    Parameters
    ----------
    cell : mapping of str to Sources
        By survey.
    config : MergeConfig
    """
    order = linking_order(config)
    stars = no_stars(order)
    limits = {one.survey: one.faint_ks_mag for one in config.survey}
    surveys: dict[int, SurveySources] = {}
    removed: dict[int, tuple[SurveySources, NDArray[np.str_]]] = {}
    by_rank = sorted(enumerate(order), key=lambda pair: pair[1].merge.pilot2023_rank)
    for number, survey in by_rank:
        name = survey.name
        if name not in cell:
            continue
        sources = cell[name]
        side = sources.side
        empty = ~(np.isfinite(side.mag).any(axis=1) | np.isfinite(side.g_mag))
        out = empty | too_faint(sources, limits[name])
        why = np.where(empty[out], "no_magnitude", "too_faint").astype("U16")
        removed[number] = (sources.take(out), why)
        surveys[number] = sources.take(~out)
        _add_survey(stars, number, surveys[number])
    core = np.zeros(len(stars), bool)
    for number, sources in surveys.items():
        mine = np.flatnonzero(stars.primary == number)
        core[mine] = sources.core[stars.link[mine, number]]
    reason, fraction = np.full(len(stars), "", "U16"), np.ones(stars.link.shape)
    around = no_surroundings(len(stars))
    return MergedCell(stars, surveys, reason, around, fraction, core, removed)


def _add_survey(stars: MergedStars, number: int, sources: SurveySources) -> None:
    side, new = stars.side, sources.side
    i, j = pairs_within(side.ra, side.dec, new.ra, new.dec, RADIUS_ARCSEC)
    apart = np.nan_to_num(np.abs(new.mag[j] - side.mag[i]))
    close = (apart < LARGEST_DIFFERENCE_MAG).all(axis=1)
    i, j = i[close], j[close]
    distance = _distances(i, j, side.ra, side.dec, new.ra, new.dec)
    order = np.lexsort((j, i, distance))
    chosen = _nearest_first(i, j, order, len(stars), len(sources))
    star, source = i[chosen], j[chosen]
    stars.link[star, number] = source
    stars.probability[star, number] = 1.0
    for band in range(side.mag.shape[1]):
        error, own = new.mag_error[source, band], side.mag_error[star, band]
        better = np.isfinite(new.mag[source, band]) & ~(own <= error)
        side.mag[star[better], band] = new.mag[source[better], band]
        side.mag_error[star[better], band] = error[better]
    left = np.ones(len(sources), bool)
    left[source] = False
    stars.add(number, sources, np.flatnonzero(left))
