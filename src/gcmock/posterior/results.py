"""What comes out of the posterior: summaries and drawn stars."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.posterior.kernel.draw import QUANTILES
from gcmock.words.cases import N_CASE
from gcmock.words.components import COMPONENTS, PART_COMPONENT


class PosteriorSummary(NamedTuple):
    """What is reported of each posterior.

    Attributes
    ----------
    probability : ndarray of float32, shape (n_star, n_component)
    distance_mean_pc : ndarray of float64, shape (n_star,)
    distance_quantile_pc : ndarray of float64, shape (n_star, n_quantile)
    log_evidence : ndarray of float64, shape (n_star,)
        ln of the number density of such stars that the model predicts [per square degree, per mag
        in every band used, per mas if a parallax is used].
    inflation : ndarray of int8, shape (n_star,)
        How many times the errors had to be inflated; 0 for a star that the model explains.
    case : ndarray of float32, shape (n_star, n_case)
        Probability of every case of `gcmock.words.cases.CASES`.
    """

    probability: NDArray[np.float32]
    distance_mean_pc: NDArray[np.float64]
    distance_quantile_pc: NDArray[np.float64]
    log_evidence: NDArray[np.float64]
    inflation: NDArray[np.int8]
    case: NDArray[np.float32]


class Draws(NamedTuple):
    """True stars drawn from each posterior.

    Attributes
    ----------
    component, node : ndarray of int64, shape (n_star, n_realisation)
        Component and original population node.
    distance_pc, e_jks : ndarray, shape (n_star, n_realisation)
        Distance [pc] and reddening E(J-Ks) [mag].
    mag : ndarray, shape (n_star, n_realisation, n_band)
        True apparent magnitudes [mag].
    """

    component: NDArray[np.int64]
    node: NDArray[np.int64]
    distance_pc: NDArray[np.float64]
    e_jks: NDArray[np.float64]
    mag: NDArray[np.float64]


def of_components(of_parts: NDArray[Any], axis: int) -> NDArray[Any]:
    """Add what belongs to the parts of a component.

    Parameters
    ----------
    of_parts : ndarray, shape (..., n_part, ...)
        One value for every part of `gcmock.words.components.PARTS`.
    axis : int
        The axis of the parts.

    Returns
    -------
    ndarray, shape (..., n_component, ...)
    """
    parts = np.moveaxis(of_parts, axis, 0)
    out = parts[: len(COMPONENTS)].copy()
    for part, component in zip(parts[len(out) :], PART_COMPONENT[len(out) :], strict=True):
        out[component] += part
    return np.moveaxis(out, 0, axis)


def empty_summary(n_star: int, n_component: int) -> PosteriorSummary:
    """Allocate a summary."""
    return PosteriorSummary(
        np.empty((n_star, n_component), np.float32),
        np.empty(n_star),
        np.empty((n_star, QUANTILES.size)),
        np.empty(n_star),
        np.zeros(n_star, np.int8),
        np.eye(1, N_CASE, dtype=np.float32).repeat(n_star, axis=0),
    )


def empty_draws(n_star: int, n_realisation: int, n_band: int) -> Draws:
    """Allocate draws."""
    shape = (n_star, n_realisation)
    return Draws(
        np.empty(shape, np.int64),
        np.empty(shape, np.int64),
        np.empty(shape),
        np.empty(shape),
        np.empty((*shape, n_band)),
    )
