"""All populations on one lattice: each exponential is computed once for ten of them.

The coordinates of a node are the reddening-free magnitude W, the colour c in units of E(J-Ks), and,
with three bands, the colour Q that depends neither on distance nor on reddening. Distance moves
only W, reddening only c. Each node is spread over its neighbours in the lattice with Lagrange
weights (four points in W, three in c and Q): they keep mean and variance, so that the sum over the
lattice equals the sum over the nodes as long as the Gaussian of the star is wider than the step.

A star with one band has a lattice too: along the absolute magnitude for J, H or Ks; along the
absolute Hw and the colour J - H, on which its reddening depends, for Hw.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.compilation import compiled
from gcmock.posterior.fastmath import INNER, INNER_FAST, LOG2_E, exp2
from gcmock.posterior.nodes import ARRANGEMENTS, OriginalNodes, free_colour
from gcmock.stars.bands import HwRelation

Floats = NDArray[np.float64]

N_POPULATION = 10
"""Distinct populations; the inner loop is written out for them."""

STEPS_W = np.array([0.014, 0.02, 0.03, 0.05, 0.075, 0.11])
STEPS_C = np.array([0.01, 0.014, 0.02, 0.03, 0.05, 0.08, 0.12])
STEPS_Q = np.array([0.01, 0.015, 0.025, 0.04, 0.07])
"""Steps of the lattices [mag]."""

W_PER_SIGMA, C_PER_SIGMA, Q_PER_SIGMA = 1.1, 0.5, 0.65
"""Largest step as a fraction of the conditional width of the star's Gaussian."""

LATTICE_MASKS = (1, 2, 3, 4, 5, 6, 7, 8)
"""Band masks with a lattice: any of J, H, Ks, or Hw alone."""

GIANT = np.array([0.90, 0.15, 0.0])
"""J - Ks and H - Ks of a giant [mag]: tells roughly how reddened a star is."""

Q_RANGE, Q_TAIL, Q_OUTLIER = (-0.14, -0.05), 0.4, 2.2
"""Where nearly all nodes lie in Q [mag]; how fast the step shrinks with the distance from there
[per sigma]; and from how many sigma on a star is summed over nodes, because the Lagrange weights,
which are not positive, show in the tails."""

NEGLIGIBLE = 1e-3
"""Places below this fraction of their slab's largest weight, in every population, are dropped."""


class Lattice(NamedTuple):
    """Occupied places of a lattice, slab by slab in W.

    Attributes
    ----------
    w, c, q : ndarray of float32, shape (n_place,)
        Coordinates [mag].
    weight : ndarray of float32, shape (n_population, n_place)
        Stars per living star of the component.
    first : ndarray of int64, shape (n_slab + 1,)
        Where each slab of constant W begins.
    c_min, c_max : ndarray, shape (n_slab,)
        Range of c in each slab.
    c_top : ndarray, shape (n_slab + 1,)
        Largest c in the slab and all fainter ones.
    w_min, step : float
        W of the first slab and distance of slabs [mag].
    """

    w: NDArray[np.float32]
    c: NDArray[np.float32]
    q: NDArray[np.float32]
    weight: NDArray[np.float32]
    first: NDArray[np.int64]
    c_min: Floats
    c_max: Floats
    c_top: Floats
    w_min: float
    step: float


def coordinates(mask: int, kappa: Floats) -> Floats:
    """Rows that turn (J, H, Ks) into (W, c, Q), shape (3, 3); zeros for what is not used.

    Parameters
    ----------
    mask : int
        Bands: two or three of J, H, Ks.
    kappa : ndarray, shape (3,)
        Extinction law.
    """
    a, b = ARRANGEMENTS[mask].key
    rows = np.zeros((3, 3))
    rows[0, a] = -kappa[b] / (kappa[a] - kappa[b])
    rows[0, b] = kappa[a] / (kappa[a] - kappa[b])
    rows[1, a] = 1.0 / (kappa[a] - kappa[b])
    rows[1, b] = -rows[1, a]
    if mask == 7:
        rows[2] = free_colour(kappa)
    return rows


def node_places(mask: int, nodes: OriginalNodes, kappa: Floats, hw: HwRelation) -> Floats:
    """Coordinates of all nodes, shape (3, n_node); unused coordinates are zero.

    Parameters
    ----------
    mask : int
        One of `LATTICE_MASKS`.
    nodes : OriginalNodes
        All populations.
    kappa : ndarray, shape (3,)
        Extinction law.
    hw : HwRelation
        Relation of Hw to J and H.
    """
    j, h, _ = nodes.mag
    if mask == 8:
        return np.stack([hw.hw_mag(j, h), j - h, np.zeros_like(j)])
    if mask in (1, 2, 4):
        band = nodes.mag[(1, 2, 4).index(mask)]
        return np.stack([band, np.zeros_like(band), np.zeros_like(band)])
    return coordinates(mask, kappa) @ nodes.mag


def build_lattice(
    nodes: OriginalNodes, place: Floats, step_w: float, step_c: float, step_q: float
) -> Lattice:
    """Spread all nodes over a lattice.

    Parameters
    ----------
    nodes : OriginalNodes
        All populations.
    place : ndarray, shape (3, n_node)
        Their coordinates (`node_places`). One that is zero throughout has one layer.
    step_w, step_c, step_q : float
        Steps [mag].

    Returns
    -------
    Lattice
    """
    population = np.repeat(np.arange(N_POPULATION), np.diff(nodes.start))
    order = np.argsort(place[0], kind="stable")
    scaled = place[:, order] / np.array([[step_w], [step_c], [step_q]])
    low = np.floor(scaled.min(axis=1)).astype(np.int64) - 2
    size = np.floor(scaled.max(axis=1)).astype(np.int64) + 4 - low
    unused = ~np.any(place, axis=1)
    low[unused], size[unused] = 0, 1
    slab, ic, iq, weight = _deposit(
        scaled - low[:, None], nodes.weight[order], population[order], size
    )
    c = (ic + low[1]) * step_c
    c_min = np.full(size[0], np.inf)
    c_max = np.full(size[0], -np.inf)
    np.minimum.at(c_min, slab, c)
    np.maximum.at(c_max, slab, c)
    f32 = np.float32
    return Lattice(
        ((slab + low[0]) * step_w).astype(f32),
        c.astype(f32),
        ((iq + low[2]) * step_q).astype(f32),
        weight,
        np.searchsorted(slab, np.arange(size[0] + 1)).astype(np.int64),
        c_min,
        c_max,
        np.append(np.maximum.accumulate(c_max[::-1])[::-1], -np.inf),
        float(low[0] * step_w),
        step_w,
    )


@compiled(nogil=True)
def _deposit(place, weight, population, size):
    """Occupied places of the lattice, in the order of (W, c, Q), and their weights.

    `place` (3, n_node) is in units of the steps and from the lowest slab. The nodes come in the
    order of W: four slabs are open at a time, each a dense table that is searched and emptied when
    no later node can reach it.
    """
    n_c, n_q = size[1], size[2]
    table = np.zeros((4, n_c, n_q, N_POPULATION))
    touched = np.zeros((4, n_c), np.uint8)
    # Every node reaches 36 places, but shares nearly all of them with others.
    capacity = min(4 * 3 * 3 * weight.size, 1_500_000)
    where = np.empty((3, capacity), np.int64)
    value = np.empty((N_POPULATION, capacity), np.float32)
    count = 0
    w4 = np.empty(4)
    c3 = np.empty(3)
    q3 = np.empty(3)
    open_slab = 0
    for node in range(weight.size + 1):
        i_w = int(np.floor(place[0, node])) if node < weight.size else size[0] + 4
        while open_slab < min(i_w - 1, size[0]):
            count = _close(
                table[open_slab % 4], touched[open_slab % 4], open_slab, where, value, count
            )
            open_slab += 1
        if node == weight.size:
            break
        f = place[0, node] - i_w
        w4[0] = -f * (f - 1.0) * (f - 2.0) / 6.0
        w4[1] = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
        w4[2] = -(f + 1.0) * f * (f - 2.0) / 2.0
        w4[3] = (f + 1.0) * f * (f - 1.0) / 6.0
        i_c = _lagrange_3(place[1, node], n_c, c3)
        i_q = _lagrange_3(place[2, node], n_q, q3)
        p = population[node]
        for a in range(4):
            slab = (i_w - 1 + a) % 4
            for b in range(min(n_c, 3)):
                touched[slab, i_c + b] = 1
                share = weight[node] * w4[a] * c3[b]
                for d in range(min(n_q, 3)):
                    table[slab, i_c + b, i_q + d, p] += share * q3[d]
    return where[0, :count], where[1, :count], where[2, :count], value[:, :count].copy()


@njit(**INNER)
def _lagrange_3(x, n, out):
    """Fill the weights of the three points around x and return the first; one point if n is 1."""
    if n == 1:
        out[0] = 1.0
        return 0
    i = int(np.rint(x))
    f = x - i
    out[0] = f * (f - 1.0) / 2.0
    out[1] = 1.0 - f * f
    out[2] = f * (f + 1.0) / 2.0
    return i - 1


@njit(**INNER)
def _close(table, touched, slab, where, value, count):
    """Move the places of a slab to the output, empty the slab, and return the new count."""
    n_c, n_q, n_population = table.shape
    largest = np.zeros(n_population)
    for i in range(n_c):
        if touched[i]:
            for j in range(n_q):
                for p in range(n_population):
                    largest[p] = max(largest[p], abs(table[i, j, p]))
    for i in range(n_c):
        if not touched[i]:
            continue
        touched[i] = 0
        for j in range(n_q):
            keep = False
            for p in range(n_population):
                keep = keep or abs(table[i, j, p]) > NEGLIGIBLE * largest[p]
            if keep and count < where.shape[1]:
                where[0, count] = slab
                where[1, count] = i
                where[2, count] = j
                for p in range(n_population):
                    value[p, count] = table[i, j, p]
                count += 1
            for p in range(n_population):
                table[i, j, p] = 0.0
    return count


def no_lattice() -> Lattice:
    """Stand-in for stars whose posterior is summed over nodes."""
    f32 = np.float32
    return Lattice(
        np.empty(0, f32), np.empty(0, f32), np.empty(0, f32), np.empty((N_POPULATION, 0), f32),
        np.zeros(1, np.int64), np.empty(0), np.empty(0), np.full(1, -np.inf), 0.0, 1.0,
    )  # fmt: skip


def lattice_steps(
    mask: int, kappa: Floats, mag: Floats, variance: Floats, e_jks: Floats, tau: Floats
) -> NDArray[np.int64]:
    """Choose the lattice of every star.

    Parameters
    ----------
    mask : int
        One of `LATTICE_MASKS`.
    kappa : ndarray, shape (3,)
        Extinction law.
    mag, variance : ndarray, shape (n_star, 4)
        Magnitudes and variances.
    e_jks, tau : ndarray, shape (n_star,)
        Reddening and its scatter at the red-clump distance [mag].

    Returns
    -------
    ndarray of int64, shape (n_star, 3)
        Indices of the largest steps in W, c and Q that the star's Gaussian resolves; -1 in all
        three where none is fine enough or the star is an outlier: those are summed over nodes.
    """
    if mask in (1, 2, 4, 8):
        width = np.sqrt(variance[:, (1, 2, 4, 8).index(mask)])
        # The colour only changes the extinction of Hw, and that smoothly: the widest step will do.
        index = np.full((mag.shape[0], 3), [0, len(STEPS_C) - 1, len(STEPS_Q) - 1])
        index[:, 0] = np.searchsorted(STEPS_W, W_PER_SIGMA * width, side="right") - 1
        index[index[:, 0] < 0] = -1
        return index
    rows = coordinates(mask, kappa)
    used = 3 if mask == 7 else 2
    seen = np.where(np.isfinite(mag[:, :3]), mag[:, :3], 0.0) @ rows[:used].T
    noise = np.where(np.isfinite(mag[:, :3]), variance[:, :3], 0.0)
    covariance = np.einsum("ab,nb,cb->nac", rows[:used], noise, rows[:used])
    # The scatter of the reddening where a giant would have the star's colour.
    giant = rows[1] @ GIANT
    near = np.clip((seen[:, 1] - giant) / np.maximum(e_jks, 1e-3), 0.0, 1.2)
    covariance[:, 1, 1] += (tau * near) ** 2
    width = 1.0 / np.sqrt(np.diagonal(np.linalg.inv(covariance), axis1=1, axis2=2))
    if mask == 7:
        # Off the populations in Q only the tail of the Gaussian counts: it asks for a finer step.
        sigma_q = np.sqrt(np.einsum("b,nb,b->n", rows[2], noise, rows[2]))
        off = (
            np.maximum(np.maximum(Q_RANGE[0] - seen[:, 2], seen[:, 2] - Q_RANGE[1]), 0.0) / sigma_q
        )
        width[:, 2] /= 1.0 + Q_TAIL * off
    index = np.full((mag.shape[0], 3), len(STEPS_Q) - 1)
    shares = (W_PER_SIGMA, C_PER_SIGMA, Q_PER_SIGMA)
    for i, steps in enumerate((STEPS_W, STEPS_C, STEPS_Q)[:used]):
        index[:, i] = np.searchsorted(steps, shares[i] * width[:, i], side="right") - 1
    exact = index.min(axis=1) < 0
    if mask == 7:
        exact |= off > Q_OUTLIER
    index[exact] = -1
    return index


@njit(**INNER_FAST)
def reduce_places(
    place_w, place_c, place_q, first, last, w, c, q, gamma, delta, inv_q, out_v, out_u, out_a
):
    """Per place.

    Residuals in W and c given the residual in Q, and the log2 likelihood of the latter.
    """
    for k in range(np.uint64(first), np.uint64(last)):
        dq = q - place_q[k]
        out_v[k] = w - place_w[k] - gamma * dq
        out_u[k] = c - place_c[k] - delta * dq
        out_a[k] = -dq * dq * inv_q


@njit(**INNER_FAST)
def sum_places(v, u, a, weight, first, last, mu, e, beta, inv_w, inv_c, out):
    """Σ over places of the likelihood at one distance times the weights of all populations."""
    t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = t8 = t9 = np.float32(0.0)
    for k in range(np.uint64(first), np.uint64(last)):
        y = u[k] - e
        z = v[k] - mu - beta * y
        x = exp2(a[k] - z * z * inv_w - y * y * inv_c)
        t0 += x * weight[0, k]
        t1 += x * weight[1, k]
        t2 += x * weight[2, k]
        t3 += x * weight[3, k]
        t4 += x * weight[4, k]
        t5 += x * weight[5, k]
        t6 += x * weight[6, k]
        t7 += x * weight[7, k]
        t8 += x * weight[8, k]
        t9 += x * weight[9, k]
    out[0], out[1], out[2], out[3], out[4] = t0, t1, t2, t3, t4
    out[5], out[6], out[7], out[8], out[9] = t5, t6, t7, t8, t9


@njit(**INNER_FAST)
def sum_single(place_w, place_c, weight, first, last, m, e, k0, k1, p1, p2, p3, inv, tau2, out):
    """Do the same for a star with one band.

    `m` is the magnitude less the distance modulus, `inv` half its inverse variance in log2. For J,
    H or Ks k0 = k1 is its extinction and p1 = p2 = p3 = 0.
    """
    t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = t8 = t9 = np.float32(0.0)
    one = np.float32(1.0)
    dk = k0 - k1
    two_inv = (inv + inv) / np.float32(LOG2_E)
    for k in range(np.uint64(first), np.uint64(last)):
        c = place_c[k]
        y = c + dk * e
        r = m - place_w[k] - k1 * e - y * (p1 + y * (p2 + y * p3)) + c * (p1 + c * (p2 + c * p3))
        k3 = k1 + (p1 + y * (p2 + p2 + y * (p3 + p3 + p3))) * dk
        scatter = one / (one + tau2 * k3 * k3 * two_inv)
        x = exp2(-r * r * inv * scatter) * np.sqrt(scatter)
        t0 += x * weight[0, k]
        t1 += x * weight[1, k]
        t2 += x * weight[2, k]
        t3 += x * weight[3, k]
        t4 += x * weight[4, k]
        t5 += x * weight[5, k]
        t6 += x * weight[6, k]
        t7 += x * weight[7, k]
        t8 += x * weight[8, k]
        t9 += x * weight[9, k]
    out[0], out[1], out[2], out[3], out[4] = t0, t1, t2, t3, t4
    out[5], out[6], out[7], out[8], out[9] = t5, t6, t7, t8, t9
