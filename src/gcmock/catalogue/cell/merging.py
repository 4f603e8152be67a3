"""One cell of the sky: clean every survey, link them in order, and clean the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.clean import KEPT, native_reasons, star_reasons
from gcmock.catalogue.cell.merged_stars import MergedStars, no_stars
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.cell.surroundings import Surroundings, surroundings
from gcmock.catalogue.learn.density import Density
from gcmock.catalogue.learn.reality import Reality
from gcmock.catalogue.link.likelihood import FieldStatistics
from gcmock.catalogue.link.linking import (
    FRACTION_STEPS,
    Linked,
    Rates,
    default_rates,
    explained_fraction,
    explained_stars,
    field_of,
    light_of_neighbours,
    link,
    magnitude_bin,
    moved,
    rank_mag,
)
from gcmock.catalogue.order import linking_order
from gcmock.settings.merge import MatchConfig, MergeConfig, SurveyInput

EXPLAINED_FRACTION: Final = 0.35
"""An unlinked source of a coarse survey is a blend if known stars give this fraction of its light.

It counts what a fitted profile collects of them at their distance, which is less than their light:
0.35 of that is 0.42 of the light at 0.36 FWHM and 0.57 at the edge of 0.6 FWHM. Chosen by trial on
a simulated sky."""


@dataclass(frozen=True)
class Knowledge:
    """What was learned from all of the surveys before the first cell is merged.

    Parameters
    ----------
    density : dict of str to Density
        By survey.
    rates : dict of str to Rates
        By survey; those that are missing have `default_rates`.
    motion_masyr : ndarray, shape (2,)
        Mean proper motion of the field, east and north [mas/yr].
    reality : dict of str to Reality
        By survey: what its lone sources are.
    g_relation : ndarray, shape (3,), optional
        Gaia's G from J and Ks, see `gcmock.catalogue.link.likelihood.FieldStatistics`.
    """

    density: Mapping[str, Density]
    rates: Mapping[str, Rates]
    motion_masyr: Floats
    reality: Mapping[str, Reality] = field(default_factory=dict)
    g_relation: Floats | None = None

    def field_of(self, config: MatchConfig) -> FieldStatistics:
        """Return what the stars of the field are like."""
        return field_of(config, self.motion_masyr, self.g_relation)


@dataclass(frozen=True)
class MergedCell:
    """The stars of a cell, and what became of every source.

    Attributes
    ----------
    stars : MergedStars
    surveys : dict of int to Sources
        Sources that entered the match, by the number of their survey.
    reason : ndarray of str, shape (n_star,)
        Why a star is left out; empty for those that are kept.
    around : Surroundings
        Which stars are close to a bright one.
    fraction : ndarray, shape (n_star, n_survey)
        Fraction of the star in the light that a survey collects at its place.
    core : ndarray of bool, shape (n_star,)
        Whether the star belongs to this cell: the source that began it lies in it.
    removed : dict of int to (Sources, ndarray of str)
        Sources that were left out before, with their reasons.
    """

    stars: MergedStars
    surveys: dict[int, SurveySources]
    reason: NDArray[np.str_]
    around: Surroundings
    fraction: Floats
    core: NDArray[np.bool_]
    removed: dict[int, tuple[SurveySources, NDArray[np.str_]]]

    @property
    def near_bright(self) -> NDArray[np.bool_]:
        """Whether a bright star is so close that ghosts are expected, (n_star,)."""
        return self.around.ring > 0


def merge_cell(
    cell: Mapping[str, SurveySources], knowledge: Knowledge, config: MergeConfig
) -> MergedCell:
    """Merge the sources of a cell and its margin.

    Parameters
    ----------
    cell : mapping of str to Sources
        By survey.
    knowledge : Knowledge
    config : MergeConfig

    Returns
    -------
    MergedCell
    """
    inputs: dict[str, SurveyInput] = {one.survey: one for one in config.survey}
    order = linking_order(config)
    stars = no_stars(order)
    surveys: dict[int, SurveySources] = {}
    removed: dict[int, tuple[SurveySources, NDArray[np.str_]]] = {}
    for number, survey in enumerate(order):
        if survey.name not in cell:
            continue
        sources = cell[survey.name]
        reason = native_reasons(sources, inputs[survey.name], config.cleaning)
        kept = reason == KEPT
        used = sources.take(kept)
        blends = _add_survey(stars, number, used, knowledge, config)
        reason[np.flatnonzero(kept)[blends]] = "blend"
        surveys[number] = used
        out = reason != KEPT
        removed[number] = (sources.take(out), reason[out])
    fraction = mark_blends(stars, knowledge, config)
    around = surroundings(stars, config.cleaning)
    missed = probability_missed(stars, surveys, around, fraction, knowledge)
    stars_field = knowledge.field_of(config.match)
    explained = explained_stars(stars, stars_field, EXPLAINED_FRACTION)
    reason = star_reasons(stars, surveys, around, missed, knowledge.reality, config.cleaning)
    reason[explained] = "blend"
    core = _core(stars, surveys)
    return MergedCell(stars, surveys, reason, around, fraction, core, removed)


def _add_survey(
    stars: MergedStars,
    number: int,
    sources: SurveySources,
    knowledge: Knowledge,
    config: MergeConfig,
) -> NDArray[np.int64]:
    """Link a survey to the stars and begin new ones; return the sources that are blends."""
    name = sources.survey.name
    stars_field = knowledge.field_of(config.match)
    rates = knowledge.rates.get(name) or default_rates()
    found: Linked = link(
        stars,
        sources,
        knowledge.density[name],
        rates,
        stars_field,
        config.match.search_radius_arcsec,
        config.match.tail_position_fwhm,
    )
    # A source in which no star has most of the light is none of them.
    one = found.fraction >= config.match.least_fraction
    stars.attach(
        number,
        sources,
        found.star[one],
        found.source[one],
        found.probability[one],
        found.blended[one],
    )
    left = np.ones(len(sources), bool)
    left[found.source] = False
    index = np.flatnonzero(left)
    blends = found.source[~one]
    if len(stars) and len(index) and sources.survey.is_infrared:
        fraction = explained_fraction(sources, index, stars, stars_field)
        blends = np.concatenate((blends, index[fraction > EXPLAINED_FRACTION]))
        index = index[~(fraction > EXPLAINED_FRACTION)]
    stars.add(number, sources, index)
    return blends


def mark_blends(stars: MergedStars, knowledge: Knowledge, config: MergeConfig) -> Floats:
    """Mark in which surveys the light of neighbours enters, now that all stars are known.

    Returns
    -------
    ndarray, shape (n_star, n_survey)
        Fraction of the star in the light that a survey collects at its place.
    """
    fraction = np.ones(stars.link.shape)
    for number, survey in enumerate(stars.order):
        mine = stars.link[:, number] >= 0
        if not mine.any() or not survey.is_infrared:
            continue
        stars_field = knowledge.field_of(config.match)
        ra, dec = moved(stars.side, survey.ref_epoch, stars_field)
        _, shared, _, fraction[:, number] = light_of_neighbours(
            stars, ra, dec, survey.merge.fwhm_arcsec
        )
        brighter = np.nan_to_num(stars.side.mag - shared, nan=0.0).max(axis=1, initial=0.0)
        stars.blended[:, number] = mine & (brighter > 0.1)
    return fraction


def probability_missed(
    stars: MergedStars,
    surveys: Mapping[int, SurveySources],
    around: Surroundings,
    fraction: Floats,
    knowledge: Knowledge,
) -> Floats:
    """Return the probability that all surveys but one miss a star, (n_star, n_survey).

    Surveys that do not cover the place of a star miss it for sure; others by its magnitude and by
    what hides it: a bright star, or the light of neighbours.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
    around : Surroundings
    fraction : ndarray, shape (n_star, n_survey)
        From `mark_blends`.
    knowledge : Knowledge
    """
    missed = np.ones(stars.link.shape)
    rank = magnitude_bin(rank_mag(stars.side))
    for number in surveys:
        name = stars.order[number].name
        rates = knowledge.rates.get(name) or default_rates()
        density = knowledge.density[name]
        covered = density.rows(stars.side.ra, stars.side.dec) < len(density.pixels)
        hidden = np.digitize(fraction[:, number], FRACTION_STEPS)
        own = np.where(covered, 1.0 - rates.depth[around.ring, hidden, rank], 1.0)
        others = np.arange(len(stars.order)) != number
        missed[:, others] *= own[:, None]
    return missed


def _core(stars: MergedStars, surveys: Mapping[int, SurveySources]) -> NDArray[np.bool_]:
    """Whether the source that began a star lies in the cell."""
    core = np.zeros(len(stars), bool)
    for number, sources in surveys.items():
        mine = np.flatnonzero(stars.primary == number)
        core[mine] = sources.core[stars.link[mine, number]]
    return core
