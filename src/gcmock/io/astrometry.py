"""Parallaxes, proper motions and radial velocities of observed stars: what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from gcmock.arrays import Columns, Floats
from gcmock.gaia_zero_point import ZERO_POINT_COLUMNS, has_zero_point, parallax_zero_point
from gcmock.io.columns import ColumnMatch
from gcmock.io.galactic_motion import icrs_motion
from gcmock.io.read_summary import ReadSummary
from gcmock.io.values import column_values
from gcmock.words.flags import MatchFlag

MATCH_FLAGS: Final = "match_flags"
"""Column of a merged catalogue that says which parallaxes are without Gaia's zero point."""

_QUANTITIES: Final = ("parallax", "pmra", "pmdec", "radial_velocity")
_NAMES: Final = (
    *(name for quantity in _QUANTITIES for name in (quantity, f"{quantity}_error")),
    *("pmra_pmdec_corr", "ruwe"),
)
_OF_MOTIONS: Final = ("pmra_error", "pmdec_error", "pmra_pmdec_corr")
_GALACTIC: Final = ("pml", "pml_error", "pmb", "pmb_error")


def removes_zero_point(matches: Mapping[str, ColumnMatch], use: bool) -> bool:
    """Whether the zero point of Gaia is subtracted: if asked for, known and its package there."""
    known = {"parallax", *ZERO_POINT_COLUMNS} <= matches.keys()
    return use and known and has_zero_point()


def remarks_on_zero_point(matches: Mapping[str, ColumnMatch], use: bool) -> list[str]:
    """Return remarks on the zero point of parallaxes that are Gaia's."""
    if not {"parallax", *ZERO_POINT_COLUMNS} <= matches.keys() or not use:
        return []
    if not has_zero_point():
        return [
            "the zero point of Gaia's parallaxes is not removed star by star: "
            "pip install 'gcmock[zeropoint]'"
        ]
    return [
        "the zero point of Gaia DR3 is removed from each parallax (Lindegren et al. 2021); if the "
        "table has it removed already, set [parallax] gaia_zero_point = false"
    ]


def observed_astrometry(
    path: object,
    chunk: Columns,
    matches: Mapping[str, ColumnMatch],
    n_star: int,
    galactic: Callable[[], tuple[Floats, Floats]],
    summary: ReadSummary,
    *,
    of_gaia: bool = False,
) -> dict[str, Floats]:
    """Return the astrometry of stars, NaN where it was not measured.

    Parameters
    ----------
    path : str or Path
        For error messages.
    chunk : mapping of str to ndarray, shape (n_star,)
        Columns of the file.
    matches : mapping of str to ColumnMatch
    n_star : int
    galactic : callable
        Returns l and b [deg], for motions along Galactic axes.
    summary : ReadSummary
        Counts what is missing.
    of_gaia : bool
        Subtract the zero point of Gaia DR3 from parallaxes.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_star,)
        Parallax [mas], proper motion [mas/yr], radial velocity [km/s], their errors,
        ``pmra_pmdec_corr`` and ``ruwe``.
    """

    def read(name: str) -> Floats:
        match = matches[name]
        return column_values(path, chunk[match.name], name, match, summary.marked)

    values = {name: read(name) if name in matches else np.full(n_star, np.nan) for name in _NAMES}
    if {"pml", "pmb"} <= matches.keys() and not {"pmra", "pmdec"} <= matches.keys():
        given = {name: read(name) for name in _GALACTIC if name in matches}
        for name, column in given.items():
            summary.missing[name] += int(np.isnan(column).sum())
        # One axis alone is no motion, and its error is not that of these.
        values |= {name: np.full(n_star, np.nan) for name in _OF_MOTIONS}
        values |= icrs_motion(*galactic(), given)
    correlation = values["pmra_pmdec_corr"]
    correlation[np.abs(correlation) > 1.0] = np.nan
    # Catalogues store 0 where they have no measurement.
    unmeasured = (values["parallax"] == 0) & np.isnan(values["parallax_error"])
    values["parallax"][unmeasured] = np.nan
    unmeasured = (values["pmra"] == 0) & (values["pmdec"] == 0)
    for name in ("pmra", "pmra_error", "pmdec", "pmdec_error"):
        values[name][unmeasured] = np.nan
    unmeasured = (values["radial_velocity"] == 0) & np.isnan(values["radial_velocity_error"])
    values["radial_velocity"][unmeasured] = np.nan
    there = np.isfinite(values["parallax"])
    removed = np.zeros(n_star, np.bool_)
    # Another program's column of this name may hold text.
    if MATCH_FLAGS in matches and chunk[matches[MATCH_FLAGS].name].dtype.kind in "iuf":
        flags = np.nan_to_num(read(MATCH_FLAGS)).astype(np.int64)
        removed = (flags & MatchFlag.ZERO_POINT) != 0
    if of_gaia:
        zero_point = parallax_zero_point(*(read(name) for name in ZERO_POINT_COLUMNS))
        known = np.isfinite(zero_point) & ~removed
        values["parallax"][known] -= zero_point[known]
        removed |= known
    summary.n_parallax += int(there.sum())
    summary.n_zero_point_removed += int((removed & there).sum())
    for name in _NAMES:
        if name in matches:
            summary.missing[name] += int(np.isnan(values[name]).sum())
    return values
