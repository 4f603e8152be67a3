"""Tables of a comparison: pulls, errors by magnitude, maps, separation of the nuclear disc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import erf

from gcmock.arrays import Columns
from gcmock.astrometry.comparison.separation import MEASURES, group_probability
from gcmock.astrometry.directions.geometry import tangent_offset
from gcmock.astrometry.observations.folder import PARAMETERS
from gcmock.astrometry.solver.grouping import direction_centre
from gcmock.astrometry.solver.problem import Floats
from gcmock.words.columns import Column
from gcmock.words.components import GROUPS

if TYPE_CHECKING:
    from gcmock.astrometry.comparison.compare import Errors

GOALS: Final = {"parallax": (12.5, 0.025), "proper motion": (14.5, 0.125)}
"""Goals of the mission: faintest Hw [mag] and error [mas, mas/yr].

25 micro-arcsec at Hw < 12.5: pages of the JASMINE consortium and of NAOJ. 125 micro-arcsec/yr: page
of the consortium of 2019 (for Hw < 15, here for the faintest stars that are observed).
"""

BIN_MAG: Final = 0.5
CELL_DEG: Final = 0.1

BY_MAGNITUDE_COLUMNS: Final = (
    Column("phot_hw_mag", "float64", "mag", "phot.mag;em.IR", "Centre of the bin"),
    Column("n_star", "int64", "", "meta.number", "Stars in the bin"),
    *(
        Column(f"{name}_{kind}", "float64", unit, "stat.error", f"{name}: {words}")
        for name, unit in zip(PARAMETERS, ("mas",) * 3 + ("mas/yr",) * 2, strict=True)
        for kind, words in (
            ("formal", "half the range that should hold the inner 68.3 %, from the formal errors"),
            ("rms", "root mean square of solution minus truth"),
            ("robust", "half the range of the inner 68.3 % of solution minus truth"),
        )
    ),
)
"""Errors in bins of Hw."""

MAP_COLUMNS: Final = (
    Column("ra", "float64", "deg", "pos.eq.ra", "Mean right ascension of the stars of the cell"),
    Column("dec", "float64", "deg", "pos.eq.dec", "Mean declination of the stars of the cell"),
    Column("east", "float64", "deg", "pos.eq.ra;arith.diff", "Centre of the cell, to the east"),
    Column("north", "float64", "deg", "pos.eq.dec;arith.diff", "Centre of the cell, to the north"),
    Column("n_star", "int64", "", "meta.number", "Stars in the cell"),
    *(
        column
        for name, unit in zip(PARAMETERS, ("mas",) * 3 + ("mas/yr",) * 2, strict=True)
        for column in (
            Column(
                f"{name}_residual", "float64", unit, "stat.mean", f"Weighted mean error of {name}"
            ),
            Column(f"{name}_residual_error", "float64", unit, "stat.error", "Its formal error"),
        )
    ),
)
"""Mean errors in cells of the sky, common modes removed."""

SEPARATION_COLUMNS: Final = (
    Column("measure", "U32", "", "meta.code", "What of the astrometry is used"),
    Column("hw_max", "float64", "mag", "phot.mag;em.IR", "Faintest star"),
    Column("n_star", "int64", "", "meta.number", "Stars"),
    Column("n_nsd", "int64", "", "meta.number", "Stars of the nuclear stellar disc among them"),
    Column("found_50", "float64", "", "stat.value", "Fraction of the NSD stars with P(nsd) > 0.5"),
    Column("purity_50", "float64", "", "stat.value", "Fraction of NSD stars where P(nsd) > 0.5"),
    Column("found_90", "float64", "", "stat.value", "Fraction of the NSD stars with P(nsd) > 0.9"),
    Column("purity_90", "float64", "", "stat.value", "Fraction of NSD stars where P(nsd) > 0.9"),
)
"""What parallax and proper motion tell of the nuclear stellar disc."""


def pull_table(errors: Errors) -> list[dict[str, Any]]:
    """Mean and standard deviation of error over formal error, before and after the modes."""
    rows = []
    for k, name in enumerate(PARAMETERS):
        row: dict[str, Any] = {"parameter": name}
        for key, e in (("as_is", errors.error), ("without_modes", errors.without_modes)):
            pull = e[:, k] / errors.sigma[:, k]
            row[f"mean_{key}"], row[f"std_{key}"] = float(pull.mean()), float(pull.std())
        rows.append(row)
    return rows


def binned_errors(errors: Errors) -> Columns:
    """Errors in bins of half a magnitude, columns `BY_MAGNITUDE_COLUMNS`."""
    number = np.floor(errors.hw / BIN_MAG).astype(int)
    sigma = errors.sigma
    out: dict[str, list[float]] = {column.name: [] for column in BY_MAGNITUDE_COLUMNS}
    for b in np.unique(number):
        chosen = number == b
        out["phot_hw_mag"].append((b + 0.5) * BIN_MAG)
        out["n_star"].append(int(chosen.sum()))
        for k, name in enumerate(PARAMETERS):
            e = errors.error[chosen, k]
            low, high = np.quantile(e, [0.1585, 0.8415])
            out[f"{name}_formal"].append(expected_half_range(sigma[chosen, k]))
            out[f"{name}_rms"].append(float(np.sqrt((e**2).mean())))
            out[f"{name}_robust"].append(float(0.5 * (high - low)))
    return {name: np.array(values) for name, values in out.items()}


def expected_half_range(sigma: Floats) -> float:
    """Half the range about zero that holds 68.3 % of normal errors of various sizes.

    Parameters
    ----------
    sigma : ndarray, shape (n,)
        Standard errors.
    """
    low, high = float(sigma.min()), float(sigma.max())
    for _ in range(60):
        middle = 0.5 * (low + high)
        if erf(middle / sigma / np.sqrt(2.0)).mean() < 0.6827:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def residual_map(errors: Errors) -> Columns:
    """Weighted mean errors in cells of the sky, columns `MAP_COLUMNS`."""
    xi, eta = tangent_offset(errors.ra, errors.dec, *direction_centre(errors.ra, errors.dec))
    cell = np.floor(np.degrees(np.column_stack([xi, eta])) / CELL_DEG).astype(int)
    cells, index = np.unique(cell, axis=0, return_inverse=True)
    index = index.ravel()
    n = np.bincount(index)
    out: dict[str, Any] = {
        "ra": np.bincount(index, errors.ra) / n,
        "dec": np.bincount(index, errors.dec) / n,
        "east": (cells[:, 0] + 0.5) * CELL_DEG,
        "north": (cells[:, 1] + 0.5) * CELL_DEG,
        "n_star": n,
    }
    weight = 1.0 / errors.sigma**2
    for k, name in enumerate(PARAMETERS):
        total = np.bincount(index, weight[:, k])
        out[f"{name}_residual"] = (
            np.bincount(index, weight[:, k] * errors.without_modes[:, k]) / total
        )
        out[f"{name}_residual_error"] = 1.0 / np.sqrt(total)
    return out


def separated(errors: Errors) -> Columns | None:
    """How many stars of the nuclear disc are recognised; None if there are hardly any.

    A star counts as recognised if its probability of belonging to the nuclear stellar disc, from
    its measured parallax and proper motion and the true distributions of the four groups of
    components, exceeds a limit. Magnitudes and positions are not used.
    """
    names = list(GROUPS)
    group = np.full(len(errors.hw), -1)
    for k, members in enumerate(GROUPS.values()):
        group[np.isin(errors.component, members)] = k
    nsd = names.index("nsd")
    if (group == nsd).sum() < 20:
        return None
    out: dict[str, list[Any]] = {column.name: [] for column in SEPARATION_COLUMNS}
    part: Floats = errors.covariance[:, 2:, 2:]
    for words, use in MEASURES.items():
        p = group_probability(
            errors.measured[:, 2:], part, errors.true[:, 2:], group, len(names), use
        )[:, nsd]
        for faint in (12.5, np.inf):
            bright = errors.hw < faint
            real = bright & (group == nsd)
            if not real.any():
                continue
            out["measure"].append(words)
            out["hw_max"].append(faint if np.isfinite(faint) else float(errors.hw.max()))
            out["n_star"].append(int(bright.sum()))
            out["n_nsd"].append(int(real.sum()))
            for limit in (0.5, 0.9):
                chosen = bright & (p > limit)
                hits = int((chosen & real).sum())
                key = f"{100 * limit:.0f}"
                out[f"found_{key}"].append(hits / int(real.sum()))
                out[f"purity_{key}"].append(hits / max(int(chosen.sum()), 1))
    return {name: np.array(values) for name, values in out.items()}
