"""Draws of stars that nothing explains with their errors, whatever their measurements are.

For them it is the model that is wrong: they have dust of their own, or are of a kind that it has
not. Their brightness is nevertheless what was observed. They are inferred once more with an error
of the model of one magnitude in every band, and a scatter of their reddening that lets no colour
push them to the far end of the dust; and their true magnitudes are what was observed, but for the
stated errors.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.posterior.mixture import Inferences
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.random import uniform

MODEL_ERROR_MAG: Final = 1.0
"""What the model is wrong by in every band of such stars [mag]."""

OWN_DUST_MAG: Final = 3.0
"""Scatter of the reddening of such stars [mag of E(J-Ks)]. Of the long-period variables of Nikzat
et al. 2022 (A&A 660, A35) 16 % of the 134 with J are redder by 2.2 mag or more than a giant behind
the dust of the map, and half of the 42 with H and periods above 400 d by 6.1 mag or more."""

PARALLAX_FACTOR: Final = 10.0
"""Factor on the errors of their parallaxes."""

NOISE: Final = 672
"""Place of the noise in a star's random numbers, beside those of
`gcmock.mock.reference_stars`."""


class Inference(Protocol):
    """What computes posteriors: `gcmock.posterior.engine.Posterior`."""

    def infer_case(  # noqa: D102
        self, data: Observations, keys: NDArray[np.uint64], workers: int = 1
    ) -> Inferences: ...


def draw_unexplained(
    data: Observations,
    keys: NDArray[np.uint64],
    summary: PosteriorSummary,
    draws: Draws,
    posterior: Inference,
    workers: int = 1,
) -> None:
    """Write posteriors and draws of stars whose errors were inflated round what was observed.

    Parameters
    ----------
    data : Observations
        Of n_star stars.
    keys : ndarray of uint64, shape (n_star, n_realisation)
        Keys of the random streams.
    summary : PosteriorSummary
        `inflation` tells these stars, and stays; the others of its arrays are written over.
    draws : Draws
    posterior : Posterior
    workers : int
        Threads.
    """
    rows = np.flatnonzero((summary.inflation > 0) & np.isfinite(data.mag).any(axis=1))
    if not rows.size:
        return
    here = data.take(rows)
    seen = here._replace(
        mag_error=np.hypot(here.mag_error, MODEL_ERROR_MAG),
        tau=np.hypot(here.tau, OWN_DUST_MAG),
        parallax_error=PARALLAX_FACTOR * here.parallax_error,
    )
    found = posterior.infer_case(seen, keys[rows], workers)
    summary.probability[rows] = found.summary.probability
    summary.distance_mean_pc[rows] = found.summary.distance_mean_pc
    summary.distance_quantile_pc[rows] = found.summary.distance_quantile_pc
    for mine, other in zip(draws, found.draws, strict=True):
        mine[rows] = other
    draws.mag[rows] = _as_observed(here, keys[rows], found.draws.mag)


def _as_observed(data: Observations, keys: NDArray[np.uint64], mag: Floats) -> Floats:
    """Replace the magnitudes of observed bands by what was observed, within its errors."""
    normal = ndtri(uniform(keys.ravel(), NOISE, mag.shape[2])).reshape(mag.shape)
    observed = data.mag[:, None, :] - data.mag_error[:, None, :] * normal
    return np.where(np.isfinite(observed), observed, mag)
