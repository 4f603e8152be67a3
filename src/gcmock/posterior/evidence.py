"""How low the evidence of a star is: its rank among stars of the model with the same measurements.

The evidence Z of a star is the density of such data in the model. It is judged by

    p = P(Z' <= Z | brightness, place, errors, bands),

with Z' the evidence of a star that the model makes as bright as this one, behind the same dust, and
measured with the same errors. On stars of the model p is uniform, whatever was measured; it is
small for data that the model hardly makes. Z' is simulated for some stars of the list (the
reference stars, `gcmock.mock.reference_stars`), and tabulated over what its distribution depends
on. Simulated stars have weights, because rare ones are simulated more often than they are.

Above p = 0.05 the quantiles of Z' stand in a table. Below it the excess of -ln Z' over that limit
is pooled over many more reference stars, as peaks over a threshold (Davison & Smith 1990, J. R.
Stat. Soc. B 52, 393); beyond the least Z' that was simulated p falls as Z itself, which is how it
falls in the wings of any Gaussian.

Of a star with a single magnitude p is the fraction of stars that are as bright: with nothing else
to be compared, a star is unusual by its brightness, and the tables hold magnitudes for ln Z.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from gcmock.arrays import Floats, Integers
from gcmock.posterior.doubt import brightness, class_of
from gcmock.posterior.observations import Observations

LIMIT: Final = 0.05
"""Below this p the excesses of many reference stars are taken together."""

LEVELS: Final = np.concatenate([[LIMIT, 0.075], np.arange(0.1, 0.96, 0.05), [0.975, 0.99, 1.0]])
"""Values of p at which quantiles are tabulated, shape (n_level,)."""

EXCESSES: Final = np.concatenate([[0.0], np.geomspace(0.05, 60.0, 48)])
"""Excesses of -ln Z at which the tail is tabulated, shape (n_excess,)."""

N_NEAR, N_TAIL, N_MEAN = 32, 400, 6
"""Reference stars whose simulated stars make quantiles, and those that make the tail; and those
whose tables are averaged for a star."""

BRIGHTNESS_MAG, REDDENING_MAG, LOG_ERROR = 0.4, 0.4, 0.35
L_DEG, B_DEG = 1.0, 0.4
"""Differences that count as one: in brightness [mag], reddening [mag], ln of errors, l, b [deg]."""

_RIDGE: Final = 0.1
_LEAST_WEIGHT: Final = 0.02
_LEAST: Final = -1e4
"""Stands for ln of an evidence of zero where a number is needed."""


class ClassTable(NamedTuple):
    """Distribution of ln Z' of stars with the same kinds of measurements.

    Attributes
    ----------
    place : ndarray, shape (n_reference, n_covariate)
        `covariates` of the reference stars.
    location : ndarray, shape (n_term,)
        Coefficients of the typical ln Z', see `_terms`; all others are relative to it.
    quantile : ndarray, shape (n_reference, n_level)
        ln Z' at `LEVELS`.
    log_tail : ndarray, shape (n_reference, n_excess)
        ln p at `EXCESSES` below the first quantile.
    """

    place: Floats
    location: Floats
    quantile: Floats
    log_tail: Floats


class EvidenceTable(NamedTuple):
    """Tables of all kinds of measurements of a list.

    Attributes
    ----------
    tables : dict of int to ClassTable
        By `kind_of_data`.
    """

    tables: dict[int, ClassTable]

    def p_value(self, data: Observations, variance: Floats, log_evidence: Floats) -> Floats:
        """Return p of stars, shape (n_star,); NaN for kinds of measurements without a table.

        Parameters
        ----------
        data : Observations
        variance : ndarray, shape (n_star, n_band)
            Variances of the magnitudes, the model's own included [mag²].
        log_evidence : ndarray, shape (n_star,)
            Of the clean case; -inf where nothing explains the star.
        """
        out = np.full(data.n_star, np.nan)
        kind = kind_of_data(data)
        x = covariates(data, variance)
        judged = np.where(n_measured(data) > 1, log_evidence, brightness(data))
        for code, table in self.tables.items():
            rows = np.flatnonzero(kind == code)
            if rows.size:
                out[rows] = _p_value(table, x[rows], judged[rows])
        return out


def kind_of_data(data: Observations) -> Integers:
    """Return a number for the set of measurements of every star, shape (n_star,)."""
    moving = np.zeros(data.n_star, np.bool_) if data.motion is None else data.motion.has_rv
    return np.asarray(2 * class_of(data) + moving, np.int64)


def n_measured(data: Observations) -> Integers:
    """Return how many numbers were measured of every star, shape (n_star,)."""
    n = np.isfinite(data.mag).sum(axis=1) + np.isfinite(data.parallax)
    if data.motion is not None:
        n = n + 2 * data.motion.has_pm + data.motion.has_rv
    return np.asarray(n, np.int64)


def covariates(data: Observations, variance: Floats) -> Floats:
    """Return what the distribution of the evidence depends on, (n_star, n_covariate).

    Brightness, reddening and its scatter, place, and ln of all errors, each in units of a
    difference that matters; zero for what was not measured. The brightness of a star with one
    measurement is the measurement, and stands aside.
    """

    def logarithm(values: Floats) -> Floats:
        return np.log(np.where(values > 0.0, values, 1.0)) / LOG_ERROR

    bright = np.nan_to_num(brightness(data)) / BRIGHTNESS_MAG
    columns = [
        np.where(n_measured(data) > 1, bright, 0.0),
        data.e_jks_rc / REDDENING_MAG,
        logarithm(data.tau),
        data.l_deg / L_DEG,
        data.b_deg / B_DEG,
        *logarithm(np.where(np.isfinite(data.mag), np.sqrt(variance), 0.0)).T,
        logarithm(np.where(np.isfinite(data.parallax), data.parallax_error, 0.0)),
    ]
    if data.motion is not None:
        pm = 0.5 * (data.motion.pm_ll + data.motion.pm_bb)
        columns += [logarithm(np.sqrt(np.nan_to_num(x))) for x in (pm, data.motion.rv_variance)]
    else:
        columns += [np.zeros(data.n_star)] * 2
    return np.column_stack(columns)


def class_table(x: Floats, log_evidence: Floats, weight: Floats) -> ClassTable:
    """Tabulate the evidences of simulated stars.

    Parameters
    ----------
    x : ndarray, shape (n_reference, n_covariate)
        `covariates` of the reference stars.
    log_evidence, weight : ndarray, shape (n_reference, n_simulated)
        Of the stars that were simulated for each of them.

    Returns
    -------
    ClassTable
    """
    log_z = np.maximum(log_evidence, _LEAST)
    location = _location(x, log_z, weight)
    relative = log_z - (_terms(x) @ location)[:, None]
    tree = cKDTree(x)
    limit = _quantiles(tree, x, relative, weight, LEVELS[:1])[:, 0]
    excess = limit[:, None] - relative
    return ClassTable(
        x,
        location,
        _quantiles(tree, x, relative, weight, LEVELS),
        _log_tails(tree, x, excess, weight),
    )


def _terms(x: Floats) -> Floats:
    """Terms of the typical ln Z', shape (n, n_term): linear, and quadratic in the brightness."""
    return np.column_stack([np.ones(len(x)), x, x[:, 0] ** 2])


def _location(x: Floats, log_z: Floats, weight: Floats) -> Floats:
    """Fit the medians of the reference stars by a ridge regression."""
    order = np.argsort(log_z, axis=1)
    cumulative = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    middle = (cumulative < 0.5 * cumulative[:, -1:]).sum(axis=1)[:, None]
    median = np.take_along_axis(np.take_along_axis(log_z, order, axis=1), middle, axis=1)[:, 0]
    terms = _terms(x)
    # Differences from the mean: the ridge must not pull at the constant.
    centre, mean = terms[:, 1:].mean(axis=0), median.mean()
    inner = terms[:, 1:] - centre
    gram = inner.T @ inner + _RIDGE * np.eye(inner.shape[1])
    slope = np.linalg.solve(gram, inner.T @ (median - mean))
    return np.concatenate([[mean - centre @ slope], slope])


def _near(tree: cKDTree, x: Floats, n: int) -> tuple[Integers, Floats]:
    """Return neighbours and their weights, which fall with the distance, each (len(x), n)."""
    n = min(n, tree.n)
    distance, near = tree.query(x, k=n)
    distance, near = distance.reshape(len(x), n), near.reshape(len(x), n)
    reach = 1.05 * distance[:, -1:] + 1e-9
    return near, np.maximum(1.0 - (distance / reach) ** 2, _LEAST_WEIGHT)


def _quantiles(tree: cKDTree, x: Floats, values: Floats, weight: Floats, levels: Floats) -> Floats:
    """Weighted quantiles of the simulated stars of neighbours, shape (len(x), n_level)."""
    near, of_near = _near(tree, x, N_NEAR)
    out = np.empty((len(x), levels.size))
    for i in range(len(x)):
        mine = values[near[i]].ravel()
        order = np.argsort(mine)
        cumulative = np.cumsum((weight[near[i]] * of_near[i][:, None]).ravel()[order])
        out[i] = np.interp(levels, cumulative / cumulative[-1], mine[order])
    return out


def _log_tails(tree: cKDTree, x: Floats, excess: Floats, weight: Floats) -> Floats:
    """Tabulate ln p at `EXCESSES`, shape (len(x), n_excess)."""
    near, _ = _near(tree, x, N_TAIL)
    low = np.maximum(excess, 0.0)
    # Weight of every reference star beyond every excess, and beyond none.
    beyond = np.stack([(weight * (low > e)).sum(axis=1) for e in EXCESSES], axis=1)
    pooled = beyond[near].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.log(LIMIT) + np.log(pooled / pooled[:, :1])
    # From the last that was simulated on as the evidence itself.
    known = np.isfinite(out)
    last = np.maximum(known.shape[1] - 1 - known[:, ::-1].argmax(axis=1), 0)
    at_last = np.where(known.any(axis=1), out[np.arange(len(out)), last], np.log(LIMIT))
    beyond_last = at_last[:, None] - (EXCESSES - EXCESSES[last][:, None])
    return np.asarray(np.where(known, out, beyond_last))


def _p_value(table: ClassTable, x: Floats, log_evidence: Floats) -> Floats:
    """Return p of stars of one kind of measurements."""
    # Sums whose order does not depend on how many stars there are.
    relative = np.maximum(log_evidence, _LEAST) - (_terms(x) * table.location).sum(axis=1)
    near, weight = _near(cKDTree(table.place), x, N_MEAN)
    weight = weight / weight.sum(axis=1, keepdims=True)
    quantile = np.einsum("ij,ijk->ik", weight, table.quantile[near])
    tail = np.einsum("ij,ijk->ik", weight, table.log_tail[near])
    return np.where(
        relative >= quantile[:, 0],
        rows_interpolated(relative, quantile, LEVELS),
        np.exp(_tail_of(quantile[:, 0] - relative, tail)),
    )


def rows_interpolated(at: Floats, points: Floats, values: Floats) -> Floats:
    """Interpolate linearly in every row, shape (n,).

    Parameters
    ----------
    at : ndarray, shape (n,)
    points : ndarray, shape (n, m)
        Increasing in every row.
    values : ndarray, shape (m,)
        At the points; the first and the last of them hold beyond.
    """
    rows = np.arange(at.size)
    place = np.clip((points <= at[:, None]).sum(axis=1) - 1, 0, points.shape[1] - 2)
    low, high = points[rows, place], points[rows, place + 1]
    part = np.clip((at - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    return np.asarray(values[place] + part * (values[place + 1] - values[place]))


def _tail_of(excess: Floats, log_tail: Floats) -> Floats:
    """Return ln p at excesses, each with its own row of a table."""
    # What nothing explains is as far off as the table goes.
    excess = np.clip(excess, 0.0, EXCESSES[-1])
    rows = np.arange(excess.size)
    place = np.clip(np.searchsorted(EXCESSES, excess, side="right") - 1, 0, EXCESSES.size - 2)
    low, high = log_tail[rows, place], log_tail[rows, place + 1]
    part = (excess - EXCESSES[place]) / (EXCESSES[place + 1] - EXCESSES[place])
    return np.asarray(low + part * (high - low))
