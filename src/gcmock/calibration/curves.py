"""Evidence curves: how well each reddening explains a star.

For star i and group g of components,

    L_ig(f) = Σ_c∈g ∫ dD n_c D² Σ_k w_ck N(m; M_k + µ(D) + κ f E s(D), Σ),

the evidence of the star if the reddening at its place were f times what the map says, without any
scatter. Under a distribution p(f) its evidence is Σ_f L_ig(f) p(f): once the curves are known, any
distribution can be tried at no cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.compilation import compiled
from gcmock.posterior.engine import Posterior
from gcmock.posterior.kernel.bands import first_band, is_single
from gcmock.posterior.kernel.fastmath import INNER, INNER_FAST, LEAST_SUM
from gcmock.posterior.kernel.lanes import clear_lanes, total_lanes
from gcmock.posterior.kernel.scratch import Scratch
from gcmock.posterior.kernel.star import prepare, reddening_of
from gcmock.posterior.kernel.structures import Shared, StarBlock
from gcmock.posterior.kernel.sums import sum_rows
from gcmock.posterior.kernel.terms import (
    along_c,
    along_sightline,
    dust_scatter,
    profile,
    slope_along,
)
from gcmock.posterior.kinds import StarKind
from gcmock.posterior.observations import Observations
from gcmock.words.components import (
    LEARNED_GROUP_OF_PART,
    LEARNED_GROUPS,
    MERGED_GROUPS,
    N_POPULATION,
)

FACTORS = np.round(np.arange(0.5, 1.501, 0.01), 2)
"""Factors f on the reddening of the map at which curves are tabulated."""

FACTOR_STEP = 0.01

GROUPS = LEARNED_GROUPS
"""Groups of parts, in the order of every `n_group` axis."""

GROUP_OF_PART = np.array(LEARNED_GROUP_OF_PART, np.int64)
"""Place in `GROUPS` of every part, shape (n_part,)."""

USUAL_OF_GROUP = np.array([float(i < len(MERGED_GROUPS)) for i in range(len(GROUPS))])
"""Factors on the groups where nothing was learned, shape (n_group,)."""

ERROR_FLOOR_MAG = 0.02
"""Least error of a magnitude in a curve [mag]: no star tells its reddening better than the
isochrones are known, and sharper curves would cost more than they teach."""

LONGEST_STRIDE = 25
"""Most steps of `FACTOR_STEP` between computed points along f."""

RADIUS2 = 3.0**2
"""Square of the radius of a star's Gaussian that is summed [standard deviations]."""

COLOUR_STEP, MODULUS_STEP, WIDEST_STEP = 1.8, 1.7, 0.2
"""Largest steps in reddening and distance modulus, as fractions of the widths of the star's
Gaussian, and the widest step in distance modulus [mag]."""

COARSE, NEGLECTED = 4, 1e-3
"""Every fourth distance is computed first; gaps between distances that hold less than this fraction
of the mean are left out."""

COARSER = 1.25
"""Steps of the lattices over those of a posterior: no reddening is known so well that the curves,
which are always blurred by its scatter, would show it."""

N_MODULUS = 1024
"""Most distances of a star."""


class Curves(NamedTuple):
    """Evidence curves of stars.

    Attributes
    ----------
    value : ndarray of float16, shape (n_star, n_group, n_factor)
        L_ig(f) over the largest value of all groups together.
    log_scale : ndarray, shape (n_star,)
        ln of that value [per square degree per magnitude in every band]; -inf for a star that no
        reddening explains, whose curve is zero.
    """

    value: NDArray[np.float16]
    log_scale: Floats

    @property
    def explained(self) -> NDArray[np.bool_]:
        """Whether any reddening explains the star, shape (n_star,)."""
        return np.isfinite(self.log_scale)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Curves:
        """Return some of the curves."""
        return Curves(self.value[rows], self.log_scale[rows])

    def total(self, weights: Floats | None = None) -> NDArray[np.float32]:
        """Sum over groups, weighted, and again relative to the largest value, (n_star, n_factor).

        Parameters
        ----------
        weights : ndarray, shape (n_group,), optional
            Factors on the groups; `USUAL_OF_GROUP` if not given.
        """
        used = USUAL_OF_GROUP if weights is None else weights
        out = np.zeros((len(self.value), FACTORS.size), np.float32)
        for group, weight in enumerate(used):
            out += np.float32(weight) * self.value[:, group]
        return np.asarray(out / np.maximum(out.max(axis=1, keepdims=True), np.float32(1e-30)))


def evidence_curves(
    posterior: Posterior,
    data: Observations,
    workers: int = 1,
    *,
    kappa: Floats | None = None,
) -> Curves:
    """Compute the evidence curves of stars.

    Parameters
    ----------
    posterior : Posterior
        The model.
    data : Observations
        Observations; `e_jks_rc` is the reddening of the map [mag], `tau` is ignored.
    workers : int
        Threads. The result does not depend on it.
    kappa : ndarray, shape (3,), optional
        A_J, A_H, A_Ks over E(J-Ks), if not those of the law of `posterior`: its lattices serve for
        all laws close to it, because a law moves a star through them along another line.

    Returns
    -------
    Curves
    """
    n = data.n_star
    value = np.zeros((n, len(GROUPS), FACTORS.size), np.float16)
    log_scale = np.full(n, -np.inf)

    def kernel(
        kind: StarKind, rows: NDArray[np.int64], stars: StarBlock, shared: Shared, scratch: Scratch
    ) -> None:
        if not kind.on_lattice:
            # Off all populations in the colour that reddening does not change.
            return
        found = np.zeros((rows.size, len(GROUPS), FACTORS.size))
        law = shared.law.kappa if kappa is None else kappa
        _curves(stars, kind.mask, shared, scratch, GROUP_OF_PART, law, found)
        largest = found.sum(axis=1).max(axis=1)
        good = largest > 0.0
        value[rows[good]] = found[good] / largest[good, None, None]
        log_scale[rows[good]] = np.log(largest[good])

    posterior.over_blocks(
        kernel,
        data._replace(tau=np.zeros(n)),
        workers,
        variance=np.maximum(posterior.variance(data), ERROR_FLOOR_MAG**2),
        lattices="few",
        coarser=COARSER,
    )
    return Curves(value, log_scale)


@compiled(nogil=True, error_model="numpy")
def _curves(stars, mask, shared, work, group, kappa, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n_star, n_group, n_factor) with the curves of stars of one kind.

    At fixed distance modulus and reddening the likelihood does not depend on f: it is computed on
    a grid of both, steps of the reddening being steps of f, and summed over distance with the
    prior as weights.
    """
    lattice, tilt, law, bins = shared.lattice, shared.tilt, shared.law, shared.bins
    population = shared.groups
    n_group, n_factor = out.shape[1], out.shape[2]
    mu = np.empty(N_MODULUS)
    weight = np.empty((N_MODULUS, group.size))
    score = np.empty(N_MODULUS)
    value = np.empty((n_group, n_factor + 3))
    path = _path(mask, shared.table.coordinates, kappa, tilt)
    for i in range(stars.e_jks_rc.size):
        prior, star, _ = prepare(stars, i, mask, 0, tilt, shared, work)
        red = reddening_of(stars, i, shared.sightlines)
        n = _distances(mask, star, law, bins, red, mu)
        _deposit_prior(bins, prior, mu[:n], weight)
        width = COLOUR_STEP * along_c(star, 0.0)
        total, n_score = 0.0, 0
        for phase in range(2):
            least = NEGLECTED * total / max(n_score, 1)
            for j in range(n):
                is_coarse = j % COARSE == 0 or j == n - 1
                if is_coarse != (phase == 0):
                    continue
                if phase == 1:
                    before = j - j % COARSE
                    if max(score[before], score[min(before + COARSE, n - 1)]) <= least:
                        continue
                shape = profile(red.dust, 10.0 ** (0.2 * mu[j] + 1.0))
                e = red.e_jks_rc * shape
                tau = dust_scatter(red.dust, red.e_jks_rc, 0.0, shape)
                # A scatter along the path of the reddening, whatever the factor on the map.
                v = _widened(star, path, tau)
                stride = _stride(width, e)
                score[j] = _along_factor(
                    star, v, lattice, path, mu[j], e, stride, weight[j], population, group, work,
                    value,
                )  # fmt: skip
                if score[j] > 0.0:
                    norm = star.norm / np.sqrt(1.0 + tau * tau * star.kk)
                    _add_curve(value, stride, norm, out[i])
                if phase == 0:
                    total += score[j]
                    n_score += 1
        for g in range(n_group):
            for k in range(n_factor):
                out[i, g, k] = max(out[i, g, k], 0.0)


@njit(**INNER)
def _path(mask, rows, kappa, tilt):  # type: ignore[no-untyped-def]
    """Change of W, c and Q of a lattice per unit of E(J-Ks) under a law."""
    path = np.zeros(3)
    if is_single(mask):
        path[0] = kappa[first_band(mask)]
        return path
    for i in range(3):
        for a in range(kappa.size):
            # Rows are zero for bands that are not used.
            path[i] += rows[i, a] * kappa[a]
    path[0] += tilt * path[1]
    return path


@njit(**INNER)
def _widened(star, path, tau):  # type: ignore[no-untyped-def]
    """Return the variances and the covariance of W and c with a scatter of the reddening."""
    tau2 = tau * tau
    return (
        star.v_ww + path[0] * path[0] * tau2,
        star.v_wc + path[0] * path[1] * tau2,
        star.v_cc + path[1] * path[1] * tau2,
    )


@njit(**INNER)
def _distances(mask, star, law, bins, red, mu):  # type: ignore[no-untyped-def]
    """Fill `mu` with distance moduli as close as the likelihood is narrow; their number."""
    mu[0] = bins.mu[0]
    n = 1
    while mu[n - 1] < bins.mu[-1] and n < N_MODULUS:
        distance = 10.0 ** (0.2 * mu[n - 1] + 1.0)
        slope = slope_along(red.dust, FACTORS[-1] * red.e_jks_rc, distance)
        step = MODULUS_STEP * along_sightline(mask, star, law, slope, 0.0)
        # Never so many that they would not reach the end.
        least = (bins.mu[-1] - mu[n - 1]) / max(N_MODULUS - n - 1, 1)
        mu[n] = mu[n - 1] + max(min(step, WIDEST_STEP), least)
        n += 1
    return n


@njit(**INNER)
def _deposit_prior(bins, prior, mu, weight):  # type: ignore[no-untyped-def]
    """Spread the stars of all bins over distances: weights of the cubic through four of them."""
    n = mu.size
    weight[:n] = 0.0
    j = 0
    fraction = np.empty(4)
    for i in range(bins.mu.size):
        x = bins.mu[i]
        while j < n - 2 and mu[j + 1] <= x:
            j += 1
        first = min(max(j - 1, 0), n - 4)
        for a in range(4):
            fraction[a] = 1.0
            for b in range(4):
                if a != b:
                    fraction[a] *= (x - mu[first + b]) / (mu[first + a] - mu[first + b])
        for a in range(4):
            for c in range(weight.shape[1]):
                weight[first + a, c] += fraction[a] * prior[i, c]


@njit(**INNER)
def _stride(width, e):  # type: ignore[no-untyped-def]
    """Return the steps of f between computed points where the map's reddening is `e`."""
    return int(min(max(width / (e * FACTOR_STEP), 1.0), LONGEST_STRIDE))


@njit(inline="always")
def _n_points(n_factor, stride):  # type: ignore[no-untyped-def]
    """Return the number of computed points along f."""
    return (n_factor - 2) // stride + 2


@njit(**INNER)
def _add_lanes(total, sums):  # type: ignore[no-untyped-def]
    """Fill `sums` with the sums of the populations and return the largest."""
    largest = np.float32(0.0)
    for p in range(N_POPULATION):
        total_lanes(total, p, sums)
        largest = max(largest, sums[p])
    return largest


@njit(**INNER)
def _along_factor(  # type: ignore[no-untyped-def]
    star, variances, lattice, path, mu, e, stride, weight, population, group, work, value
):
    """Fill `value` with Σ_c weight · likelihood of every group at one distance; their sum.

    Points of f are `stride` apart, the last at the end of the range or beyond, and stand behind one
    zero, for the interpolation.
    """
    n = _n_points(FACTORS.size, stride)
    value[:, : n + 3] = 0.0
    total, sums = work.total, work.sums
    v_w, v_wc, v_c = variances
    reach = np.sqrt(RADIUS2 * v_c) + 0.3 * abs(star.delta)
    c_low = lattice.bin_min - reach
    c_high = lattice.bin_min + lattice.bin_step * (lattice.first.shape[2] - 1) + reach
    score = 0.0
    for m in range(n):
        red = (FACTORS[0] + m * stride * FACTOR_STEP) * e
        c = star.c - path[1] * red
        if c < c_low or c > c_high:
            continue
        clear_lanes(total, N_POPULATION)
        sum_rows(
            lattice.block, lattice.first, lattice.q_mean, lattice.q_half, lattice.row_min,
            lattice.row_step, lattice.row_extent, lattice.bin_min, lattice.bin_step,
            star.w - mu - path[0] * red, c, star.q - path[2] * red, star.gamma, star.delta,
            star.inv_q, v_wc, v_c, v_w, RADIUS2, work.span, work.listed, total,
        )  # fmt: skip
        if _add_lanes(total, sums) <= LEAST_SUM:
            continue
        for c in range(group.size):
            term = weight[c] * max(sums[population[c]], 0.0)
            value[group[c], m + 1] += term
            score += term * stride
    return max(score, 0.0)


@njit(**INNER_FAST)
def _add_curve(value, stride, norm, out):  # type: ignore[no-untyped-def]
    """Add the curves at one distance, interpolated to all f with cubics."""
    n_group, n_factor = out.shape
    for k in range(n_factor):
        j = k // stride if k < n_factor - 1 else (n_factor - 2) // stride
        f = k / stride - j
        w0 = -f * (f - 1.0) * (f - 2.0) / 6.0
        w1 = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
        w2 = -(f + 1.0) * f * (f - 2.0) / 2.0
        w3 = (f + 1.0) * f * (f - 1.0) / 6.0
        for g in range(n_group):
            v = value[g]
            out[g, k] += norm * (w0 * v[j] + w1 * v[j + 1] + w2 * v[j + 2] + w3 * v[j + 3])
