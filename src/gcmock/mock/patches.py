"""Stars of the model in small patches of the sky, drawn exactly.

A unit-rate Poisson process runs along a line on which every (component, distance bin) of a patch
has a stretch as long as the number of its stars that could be brighter than the limit; "could" is
an upper bound over the distances and reddenings of the bin. Each point of the process becomes a
candidate: a distance, a reddening, and a population node among those below the bound. Candidates
fainter than the limit are dropped. What remains follows the model without approximation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.compilation import compiled
from gcmock.dust.profile import DustProfile, profile_at, profile_value, scatter_at
from gcmock.random import uniform_scalar
from gcmock.stars.populations import PopulationSet
from gcmock.words.bands import KS

INDEX_STEP_MAG = 0.01
"""Step of the look-up from a limit to the number of nodes that are brighter [mag]."""

MAX_SIGMA = 5.0
"""The Gaussian scatter of the reddening is cut here; the tails hold 6e-7 of the stars."""

# Places of a candidate's random numbers in the stream of its patch.
GAP, REDDENING, NODE, LONGITUDE, LATITUDE, STRIDE = 0, 1, 3, 4, 5, 8


class BrightFirst(NamedTuple):
    """Nodes of all populations, the bright ones first within each population.

    Attributes
    ----------
    mag : ndarray, shape (n_node, 3)
        M_J, M_H, M_Ks [mag].
    cumulative : ndarray, shape (n_node,)
        Stars per living star up to and with the node, from the start of its population.
    start : ndarray of int64, shape (n_population + 1,)
        Where each population begins.
    n_brighter : ndarray of int64, shape (n_population, n_step)
        Nodes of the population with M_Ks below ``mag_min + i INDEX_STEP_MAG``.
    brighter : ndarray, shape (n_population, n_step)
        Stars per living star at these nodes.
    mag_min : float
        Least M_Ks [mag].
    mass_init, age_gyr, metallicity : ndarray, shape (n_node,)
        Initial mass [Msun], age [Gyr], [M/H] [dex].
    """

    mag: Floats
    cumulative: Floats
    start: Integers
    n_brighter: Integers
    brighter: Floats
    mag_min: float
    mass_init: Floats
    age_gyr: Floats
    metallicity: Floats


class Patches(NamedTuple):
    """Patches of the sky, each with one reddening and one line of sight.

    Attributes
    ----------
    prior : ndarray, shape (n_sightline, n_component, n_distance)
        Living stars per square degree in every bin.
    dust : DustProfile
        Growth of the reddening along every line of sight.
    sightline : ndarray of int64, shape (n_patch,)
        Line of sight of each patch.
    e_jks_rc, tau : ndarray, shape (n_patch,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    kappa_ks : ndarray, shape (n_patch,)
        A_Ks / E(J-Ks).
    area_deg2 : ndarray, shape (n_patch,)
        Solid angle [square degrees].
    key : ndarray of uint64, shape (n_patch,)
        Random stream.
    """

    prior: Floats
    dust: DustProfile
    sightline: Integers
    e_jks_rc: Floats
    tau: Floats
    kappa_ks: Floats
    area_deg2: Floats
    key: NDArray[np.uint64]


class Drawn(NamedTuple):
    """Stars of patches, each array of shape (n_star,).

    Attributes
    ----------
    patch, number : ndarray of int64
        Patch of the star and its number there, unique but not consecutive.
    component, node : ndarray of int64
        Component and node of `BrightFirst`.
    distance_pc, e_jks : ndarray
        Distance [pc] and reddening E(J-Ks) [mag].
    along_l, along_b : ndarray
        Position in the patch, uniform in (0, 1).
    """

    patch: Integers
    number: Integers
    component: Integers
    node: Integers
    distance_pc: Floats
    e_jks: Floats
    along_l: Floats
    along_b: Floats

    def take(self, rows: NDArray[np.bool_]) -> Drawn:
        """Return some of the stars."""
        return Drawn(
            self.patch[rows],
            self.number[rows],
            self.component[rows],
            self.node[rows],
            self.distance_pc[rows],
            self.e_jks[rows],
            self.along_l[rows],
            self.along_b[rows],
        )


def bright_first(populations: PopulationSet) -> BrightFirst:
    """Sort the nodes of every population by M_Ks."""
    parts = populations.populations
    orders = [np.argsort(p.absolute_mag[:, KS], kind="stable") for p in parts]
    sorted_mags = [p.absolute_mag[order] for p, order in zip(parts, orders, strict=True)]
    low = min(float(mag[0, KS]) for mag in sorted_mags)
    high = max(float(mag[-1, KS]) for mag in sorted_mags)
    steps = low + INDEX_STEP_MAG * np.arange(int((high - low) / INDEX_STEP_MAG) + 3)

    def joined(values: list[Floats]) -> Floats:
        return np.concatenate([v[order] for v, order in zip(values, orders, strict=True)])

    cumulative = [np.cumsum(p.weight[order]) for p, order in zip(parts, orders, strict=True)]
    n_brighter = [np.searchsorted(mag[:, KS], steps) for mag in sorted_mags]
    return BrightFirst(
        np.concatenate(sorted_mags),
        np.concatenate(cumulative),
        np.cumsum([0, *(len(order) for order in orders)]).astype(np.int64),
        np.stack(n_brighter).astype(np.int64),
        np.stack([np.append(0.0, c)[n] for c, n in zip(cumulative, n_brighter, strict=True)]),
        low,
        joined([p.mass_init for p in parts]),
        joined([p.age_gyr for p in parts]),
        joined([p.metallicity for p in parts]),
    )


def draw_patches(
    patches: Patches, nodes: BrightFirst, groups: Integers, edges_pc: Floats, ks_max: float
) -> Drawn:
    """Draw the stars of patches.

    Parameters
    ----------
    patches : Patches
    nodes : BrightFirst
    groups : ndarray of int64, shape (n_component,)
        Population of every component.
    edges_pc : ndarray, shape (n_distance + 1,)
        Edges of the distance bins; the density is constant in a bin.
    ks_max : float
        Only stars brighter than this in Ks [mag].

    Returns
    -------
    Drawn
        Stars in the order of the patches; a function of the patches and their keys alone.
    """
    rows, n = _draw(
        patches, nodes.mag, nodes.cumulative, nodes.start, nodes.n_brighter, nodes.brighter,
        nodes.mag_min, groups, edges_pc, ks_max,
    )  # fmt: skip
    whole = rows[:n, :4].astype(np.int64).T
    real = rows[:n, 4:].T
    return Drawn(*(np.ascontiguousarray(a) for a in (*whole, *real)))


_dust_of, _profile, _scatter = njit(profile_at), njit(profile_value), njit(scatter_at)


@njit
def _normal(key, place):  # type: ignore[no-untyped-def]
    """Return a Gaussian number from two places of a stream (Box and Muller), cut in the tails."""
    normal = np.sqrt(-2.0 * np.log(uniform_scalar(key, place)))
    normal *= np.cos(2.0 * np.pi * uniform_scalar(key, place + 1))
    return min(max(normal, -MAX_SIGMA), MAX_SIGMA)


@njit(inline="always")
def _node_at(cumulative, low, high, target):  # type: ignore[no-untyped-def]
    """Return the first node from low to high up to which there are `target` stars."""
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(nogil=True)
def _draw(  # type: ignore[no-untyped-def]
    patches, mag, cumulative, start, n_brighter, brighter, mag_min, groups, edges, ks_max
):
    """Rows (patch, number, component, node, distance, e_jks, along_l, along_b) and their number."""
    n_step = n_brighter.shape[1]
    n_bin = edges.size - 1
    steps = np.empty(n_bin, np.uint64)
    # The near edge of a bin has the smallest distance modulus and the least dust.
    modulus = 5.0 * np.log10(edges[:-1])
    shape = np.empty(n_bin)
    rows = np.empty((4096, 8))
    n = 0
    for s in range(patches.sightline.size):
        dust = _dust_of(patches.dust, patches.sightline[s])
        if s == 0 or patches.sightline[s] != patches.sightline[s - 1]:
            for i in range(n_bin):
                shape[i] = _profile(dust, edges[i])
        prior = patches.prior[patches.sightline[s]]
        e_map, tau, kappa, key = (
            patches.e_jks_rc[s],
            patches.tau[s],
            patches.kappa_ks[s],
            patches.key[s],
        )
        area = patches.area_deg2[s]
        least = max(e_map - MAX_SIGMA * (tau + dust.scatter * e_map), 0.0)
        for i in range(n_bin):
            bound = ks_max - modulus[i] + 5.0 - kappa * least * shape[i]
            step = int(np.floor((bound - mag_min) / INDEX_STEP_MAG)) + 1
            steps[i] = np.uint64(min(max(step, 0), n_step - 1))
        begin = 0.0
        candidate = 0
        point = -np.log(uniform_scalar(key, GAP))
        for c in range(groups.size):
            p = groups[c]
            # Views and scalars: this loop runs ten thousand times a patch.
            of_bin, of_step = prior[c], brighter[p]
            for i in range(n_bin):
                weight = of_step[steps[i]]
                length = of_bin[i] * area * weight
                while point < begin + length:
                    base = candidate * STRIDE
                    distance = edges[i] + (point - begin) / length * (edges[i + 1] - edges[i])
                    normal = 0.0
                    if tau > 0.0 or dust.scatter > 0.0:
                        normal = _normal(key, base + REDDENING)
                    here = _profile(dust, distance)
                    e = max(e_map * here + _scatter(dust, e_map, tau, here) * normal, 0.0)
                    target = uniform_scalar(key, base + NODE) * weight
                    last = start[p] + n_brighter[p, steps[i]] - 1
                    lo = _node_at(cumulative, start[p], last, target)
                    if mag[lo, KS] + 5.0 * np.log10(distance) - 5.0 + kappa * e < ks_max:
                        if n == rows.shape[0]:
                            larger = np.empty((2 * n, 8))
                            larger[:n] = rows
                            rows = larger
                        rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = s, candidate, c, lo
                        rows[n, 4], rows[n, 5] = distance, e
                        rows[n, 6] = uniform_scalar(key, base + LONGITUDE)
                        rows[n, 7] = uniform_scalar(key, base + LATITUDE)
                        n += 1
                    candidate += 1
                    point -= np.log(uniform_scalar(key, candidate * STRIDE + GAP))
                begin += length
    return rows, n
