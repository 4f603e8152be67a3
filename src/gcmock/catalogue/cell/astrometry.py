"""Parallax and proper motion of merged stars: of the survey that measures them best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import ASTROMETRY, SurveySources, numbers
from gcmock.gaia_zero_point import parallax_zero_point


class Astrometry(NamedTuple):
    """Astrometry of stars; NaN where no survey measured it.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (n_star,)
        `gcmock.catalogue.cell.sources.ASTROMETRY`, and radial_velocity, radial_velocity_error.
    origin : ndarray of int64, shape (n_star,)
        Number of the survey, -1 for none.
    zero_point : ndarray of bool, shape (n_star,)
        Whether the zero point of Gaia was removed from the parallax.
    """

    columns: dict[str, Floats]
    origin: NDArray[np.int64]
    zero_point: NDArray[np.bool_]


def attach_astrometry(stars: MergedStars, surveys: Mapping[int, SurveySources]) -> Astrometry:
    """Attach parallaxes and proper motions.

    All values of a star come from one survey: the one with the smaller error of the proper motion,
    among those whose unit weight error is good, if there is one.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
    """
    n = len(stars)
    names = (*ASTROMETRY, "radial_velocity", "radial_velocity_error")
    columns = {name: np.full(n, np.nan) for name in names}
    origin, best = np.full(n, -1, np.int64), np.full(n, np.inf)
    zero_point = np.zeros(n, bool)
    for number, survey in enumerate(stars.order):
        if number not in surveys or not survey.merge.astrometry:
            continue
        sources = surveys[number]
        star = np.flatnonzero(stars.link[:, number] >= 0)
        values = {c: numbers(sources.table, c)[stars.link[star, number]] for c in ASTROMETRY}
        good = np.isfinite(values["pmra"]) & np.isfinite(values["pmdec"])
        # Bad fits come after all good ones.
        bad = values["ruwe"] > survey.uwe_max
        score = np.hypot(values["pmra_error"], values["pmdec_error"]) + 1e6 * bad
        better = good & ~(score >= best[star])
        at = star[better]
        for column in ASTROMETRY:
            columns[column][at] = values[column][better]
        origin[at], best[at] = number, score[better]
        source = stars.link[star, number]
        if not survey.is_infrared:
            for name in ("radial_velocity", "radial_velocity_error"):
                columns[name][star] = numbers(sources.table, name)[source]
        zero_point[at] = False
        if survey.merge.parallax_zero_point:
            _remove_zero_point(sources, star, source, at, columns, zero_point)
    return Astrometry(columns, origin, zero_point)


def _remove_zero_point(
    sources: SurveySources,
    star: NDArray[np.int64],
    source: NDArray[np.int64],
    chosen: NDArray[np.int64],
    columns: dict[str, Floats],
    zero_point: NDArray[np.bool_],
) -> None:
    """Subtract the zero point of Gaia where its parallax is used."""
    inputs = ("phot_g_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat")
    values = [numbers(sources.table, name)[source] for name in inputs]
    solved = numbers(sources.table, "astrometric_params_solved")[source]
    shift = np.full(len(zero_point), np.nan)
    g_mag, nu_eff, pseudocolour, ecl_lat = values
    shift[star] = parallax_zero_point(g_mag, nu_eff, pseudocolour, ecl_lat, solved)
    known = chosen[np.isfinite(shift[chosen])]
    columns["parallax"][known] -= shift[known]
    zero_point[known] = np.isfinite(columns["parallax"][known])
