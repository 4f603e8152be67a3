"""Selection: how many stars between two magnitudes the model expects for each reddening.

The stars of a sample are those with a Ks magnitude between two limits. The likelihood of the
parameters of a cell is therefore

    Σ_i ln Z_i - n ln Λ,    Λ_g(f) = ∫ dD n_g D² Σ_k w_gk [bright <= m_K < faint],

    m_K = M_K + µ(D) + κ_K f E s(D),

because a reddening that hides stars makes those that are seen no less likely to be seen.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.calibration.curves import FACTORS, GROUP_OF_PART, GROUPS
from gcmock.compilation import compiled
from gcmock.counts import MAG_STEP
from gcmock.dust.profile import profile_value
from gcmock.model import Model
from gcmock.progress import Progress
from gcmock.words.bands import KS

NOISE_MAG = 0.05
"""Error of a magnitude at the limits [mag]: stars are chosen by what was measured, and near the red
clump the counts rise within that."""

_BLUR, _BLUR_WEIGHT = np.sqrt(3.0) * np.array([-1.0, 0.0, 1.0]), np.array([1.0, 4.0, 1.0]) / 6.0

_EVERY = 5
"""Λ is smooth in f: it is computed at every fifth factor and interpolated in its logarithm."""

_CELLS_AT_ONCE = 64


def expected_density(
    model: Model,
    l_deg: Floats,
    b_deg: Floats,
    e_jks_rc: Floats,
    limits: tuple[float, float],
    progress: Progress | None = None,
    *,
    noise_mag: float = NOISE_MAG,
) -> Floats:
    """Stars per square degree between two magnitudes in Ks, for every factor on the reddening.

    Parameters
    ----------
    model : Model
    l_deg, b_deg : ndarray, shape (n_cell,)
        Directions [deg].
    e_jks_rc : ndarray, shape (n_cell,)
        Reddening of the map [mag].
    limits : tuple of 2 floats
        Bright and faint limit in Ks [mag].
    progress : callable, optional
        Called with the numbers of finished and of all cells.
    noise_mag : float
        Error of the magnitudes at the limits [mag].

    Returns
    -------
    ndarray, shape (n_cell, n_group, n_factor)
        Λ_g(f).
    """
    out = np.zeros((l_deg.size, len(GROUPS), FACTORS.size))
    coarse = FACTORS[::_EVERY]
    groups = np.array(model.populations.of_part, np.int64)
    kappa = model.law.kappa(l_deg, b_deg)[:, KS]
    # Without extinction: the table of every law.
    table = model.count_tables.get("ks", 0)
    for start in range(0, l_deg.size, _CELLS_AT_ONCE):
        part = slice(start, start + _CELLS_AT_ONCE)
        sightlines, which = model.sightlines.get(l_deg[part], b_deg[part])
        for i, s in enumerate(which):
            cell = start + i
            found = np.zeros((len(GROUPS), coarse.size))
            _count(
                sightlines.prior[s], groups, GROUP_OF_PART, table.cumulative, table.mag_min,
                kappa[cell], model.grid.distance_modulus, sightlines.dust.at(s),
                e_jks_rc[cell] * coarse, np.array(limits), noise_mag * _BLUR, found,
            )  # fmt: skip
            log = np.log(np.maximum(found, 1e-30))
            for g in range(len(GROUPS)):
                out[cell, g] = np.exp(np.interp(FACTORS, coarse, log[g]))
        if progress is not None:
            progress(min(start + _CELLS_AT_ONCE, l_deg.size), l_deg.size)
    return out


def at_places(density: Floats, ratio: Floats) -> NDArray[np.float32]:
    """Return the expected stars at places whose reddening differs from that of their cell.

    Parameters
    ----------
    density : ndarray, shape (n_star, n_group, n_factor)
        Λ_g(f) of the cell of every star.
    ratio : ndarray, shape (n_star,)
        Reddening of the map at the place of the star over that of its cell.

    Returns
    -------
    ndarray of float32, shape (n_star, n_group, n_factor)
        Λ_g(f ratio): that of the place itself.
    """
    step = FACTORS[1] - FACTORS[0]
    x = np.clip((FACTORS * ratio[:, None] - FACTORS[0]) / step, 0.0, FACTORS.size - 1.001)
    low = x.astype(np.int64)
    part = (x - low)[:, None, :]
    near = np.take_along_axis(density, low[:, None, :], axis=2)
    far = np.take_along_axis(density, low[:, None, :] + 1, axis=2)
    return np.asarray(near + part * (far - near), np.float32)


_profile = njit(profile_value)


@compiled(nogil=True, error_model="numpy")
def _count(  # type: ignore[no-untyped-def]
    prior, groups, group, cumulative, mag_min, kappa, mu, dust, reddening, limits, blur, out
):
    """Add up the stars of one line of sight between the limits, by group and reddening."""
    n_population, _, n_mag = cumulative.shape
    bright = np.empty(n_population)
    for i in range(mu.size):
        shape = _profile(dust, 10.0 ** (0.2 * mu[i] + 1.0))
        for m in range(reddening.size):
            shift = mu[i] + kappa * reddening[m] * shape
            bright[:] = 0.0
            for side in range(2):
                for b in range(blur.size):
                    x = (limits[side] + blur[b] - shift - mag_min) / MAG_STEP
                    if x <= 0.0:
                        continue
                    x = min(x, n_mag - 1.0)
                    k = min(int(x), n_mag - 2)
                    x -= k
                    weight = _BLUR_WEIGHT[b] if side == 1 else -_BLUR_WEIGHT[b]
                    for p in range(n_population):
                        near = cumulative[p, 0]
                        bright[p] += weight * (near[k] + x * (near[k + 1] - near[k]))
            for c in range(groups.size):
                out[group[c], m] += prior[i, c] * bright[groups[c]]
