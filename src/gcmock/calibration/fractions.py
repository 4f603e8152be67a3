"""Factors on the numbers of disc, bar and nuclear stars, by maximum a posteriori.

    ln P(w) = Σ_i ln Σ_g w_g Z_ig - Σ_i ln Σ_g w_g Λ_ig - Σ_g ln² w_g / (2 · 0.3²),

with Z_ig the evidence of group g under the reddening at the place of star i (from its neighbours
without itself, or from its cell) and Λ_ig the stars that the model expects there between the
limits. Without the second term, which says how likely stars of a group are to be seen at all, the
weights would be wrong by large factors. Fields may deviate: ln w_field ~ N(ln w, 0.1).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import minimize

from gcmock.arrays import Floats, Integers
from gcmock.calibration.cells import CellFit, gaussian_weights
from gcmock.calibration.curves import GROUPS, Curves
from gcmock.errors import InputError

LOG_WEIGHT_PRIOR: Final = 0.3
"""Standard deviation of the prior of ln w."""

FIELD_PRIOR: Final = 0.1
"""Standard deviation of the deviations of fields in ln w."""

LARGEST: Final = 5.0
"""Largest ln w that is tried."""

LEAST_STARS: Final = 1000
"""Fewer stars do more harm than good."""

_AT_ONCE = 4096


class Fractions(NamedTuple):
    """Weights of the groups of components.

    Attributes
    ----------
    of_group : ndarray, shape (n_group,)
        Factors on the numbers of stars of disc, bar and nuclear components.
    covariance : ndarray, shape (n_group, n_group)
        Of their logarithms.
    field : ndarray of int64, shape (n_field,)
        Fields with weights of their own.
    of_field : ndarray, shape (n_field, n_group)
    n_star : int
        Stars behind the fit; 0 if there was none.
    """

    of_group: Floats
    covariance: Floats
    field: Integers
    of_field: Floats
    n_star: int

    @property
    def ratio(self) -> tuple[float, float]:
        """Nuclear over bar weight, and the standard error."""
        direction = np.array([float(g == "nuclear") - float(g == "bar") for g in GROUPS])
        value = float(np.exp(np.log(self.of_group) @ direction))
        return value, value * float(np.sqrt(direction @ self.covariance @ direction))


def no_fractions() -> Fractions:
    """Weights of one."""
    n = len(GROUPS)
    return Fractions(np.ones(n), np.zeros((n, n)), np.zeros(0, np.int64), np.zeros((0, n)), 0)


def fit_fractions(
    curves: Curves,
    of_star: Integers,
    fit: CellFit,
    density: Floats,
    field_of_cell: Integers,
    *,
    reddening: tuple[Floats, Floats] | None = None,
    fields_deviate: bool = False,
) -> Fractions:
    """Fit the weights.

    Parameters
    ----------
    curves : Curves
        Of n_star stars.
    of_star : ndarray of int64, shape (n_star,)
        Index of the cell of every star.
    fit : CellFit
        Extinction of the cells.
    density : ndarray, shape (n_cell, n_group, n_factor)
        Expected stars.
    field_of_cell : ndarray of int64, shape (n_cell,)
        Field of every cell.
    reddening : tuple of 2 ndarray, shape (n_star,), optional
        Mean factor and scatter at the place of every star, from its neighbours without itself;
        those of its cell if not given.
    fields_deviate : bool
        Let fields deviate from the common weights.

    Returns
    -------
    Fractions

    Raises
    ------
    InputError
        If there are fewer than `LEAST_STARS` stars.
    """
    n = of_star.size
    if n < LEAST_STARS:
        raise InputError(
            f"fractions from {n} stars: expected at least {LEAST_STARS}, better 3000; with fewer "
            "the weights scatter by more than models err. Use more stars of a cell, fainter "
            "limits or a larger region, or leave fractions out"
        )
    factor, scatter = reddening or (fit.factor[of_star], fit.scatter[of_star])
    z, seen = np.empty((n, len(GROUPS))), np.empty((n, len(GROUPS)))
    for start in range(0, n, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        weights = gaussian_weights(factor[part], scatter[part])
        z[part] = np.einsum("igf,if->ig", curves.value[part].astype(np.float64), weights)
        seen[part] = np.einsum("igf,if->ig", density[of_star[part]], weights)
    fields, of_cell = np.unique(field_of_cell, return_inverse=True)
    return _maximise(z + 1e-6, seen, fields, of_cell[of_star], fields_deviate)


def _maximise(
    z: Floats,
    expected: Floats,
    fields: Integers,
    of_star: Integers,
    fields_deviate: bool,
) -> Fractions:
    """Minimise the negative posterior with its gradient; fields by the index of every star's."""
    n_group, n_field = len(GROUPS), fields.size if fields_deviate else 0

    def objective(x: Floats) -> tuple[float, Floats]:
        log_w = x[:n_group]
        delta = x[n_group:].reshape(n_field, n_group)
        w = np.exp(log_w + delta) if n_field else np.exp(log_w)[None]
        w_star = w[of_star] if n_field else w
        fraction = w_star * z
        total = fraction.sum(axis=1)
        value = -np.log(total).sum()
        per_star = -fraction / total[:, None]
        gradient = np.zeros_like(x)
        gradient[:n_group] = per_star.sum(axis=0)
        of_field = np.zeros((n_field, n_group))
        if n_field:
            np.add.at(of_field, of_star, per_star)
        seen = w_star * expected
        all_seen = seen.sum(axis=1)
        value += np.log(all_seen).sum()
        per_star = seen / all_seen[:, None]
        gradient[:n_group] += per_star.sum(axis=0)
        if n_field:
            np.add.at(of_field, of_star, per_star)
        value += 0.5 * (log_w @ log_w) / LOG_WEIGHT_PRIOR**2
        gradient[:n_group] += log_w / LOG_WEIGHT_PRIOR**2
        if n_field:
            value += 0.5 * (delta**2).sum() / FIELD_PRIOR**2
            gradient[n_group:] = (of_field + delta / FIELD_PRIOR**2).ravel()
        return float(value), gradient

    x0 = np.zeros(n_group * (1 + n_field))
    found = minimize(
        objective, x0, jac=True, method="L-BFGS-B", bounds=[(-LARGEST, LARGEST)] * x0.size,
        options={"maxiter": 500},
    )  # fmt: skip
    step = 1e-3
    hessian = np.stack(
        [
            (objective(found.x + step * u)[1] - objective(found.x - step * u)[1])[:n_group]
            / (2.0 * step)
            for u in np.eye(x0.size)[:n_group]
        ]
    )
    of_group = np.exp(found.x[:n_group])
    covariance = np.asarray(np.linalg.inv(0.5 * (hessian + hessian.T)), np.float64)
    kept = fields if n_field else fields[:0]
    delta = found.x[n_group:].reshape(n_field, n_group)
    of_field = np.asarray(of_group * np.exp(delta))
    return Fractions(of_group, covariance, kept, of_field, len(z))
