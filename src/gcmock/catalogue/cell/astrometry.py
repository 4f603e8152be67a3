"""Parallax and proper motion of merged stars: of the survey that measures them best."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import ASTROMETRY, SurveySources, numbers

FIVE_PARAMETERS: Final = 31
SIX_PARAMETERS: Final = 95
"""Values of Gaia's astrometric_params_solved with a parallax."""


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


def has_zero_point() -> bool:
    """Whether the package ``gaiadr3-zeropoint`` is installed."""
    return find_spec("zero_point") is not None


@cache
def _zero_point_function() -> Any:
    from zero_point import zpt

    zpt.load_tables()
    return zpt.get_zpt


def parallax_zero_point(
    g_mag: Floats, nu_eff: Floats, pseudocolour: Floats, ecl_lat: Floats, solved: Floats
) -> Floats:
    """Return the zero point of Gaia DR3 parallaxes [mas], to be subtracted.

    Lindegren et al. 2021, A&A 649, A4, as the package ``gaiadr3-zeropoint`` has it.

    Parameters
    ----------
    g_mag : ndarray, shape (n,)
        [mag].
    nu_eff, pseudocolour : ndarray, shape (n,)
        Effective wavenumber of five-, pseudocolour of six-parameter solutions [1/um].
    ecl_lat : ndarray, shape (n,)
        Ecliptic latitude [deg].
    solved : ndarray, shape (n,)
        astrometric_params_solved.

    Returns
    -------
    ndarray, shape (n,)
        NaN where an input is missing or outside the range of the correction, or the package is
        not installed.
    """
    result = np.full(len(g_mag), np.nan)
    five, six = solved == FIVE_PARAMETERS, solved == SIX_PARAMETERS
    colour = np.where(five, nu_eff, pseudocolour)
    usable = (five | six) & np.isfinite(g_mag) & np.isfinite(colour) & np.isfinite(ecl_lat)
    if not usable.any() or not has_zero_point():
        return result
    # The function cannot take a NaN in the column that it does not use.
    result[usable] = _zero_point_function()(
        g_mag[usable],
        np.where(five, nu_eff, 1.5)[usable],
        np.where(six, pseudocolour, 1.5)[usable],
        ecl_lat[usable],
        solved[usable].astype(np.int64),
        _warnings=False,
    )
    return result


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
