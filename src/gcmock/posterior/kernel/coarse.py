"""The coarse grid: distances at which the likelihood of a star is computed.

Its points lie as densely as the likelihood is narrow along the sightline, which depends on the
errors of the star and on how fast the reddening grows: the place of a point on the grid is a
quadratic function of the distance modulus between knots one magnitude apart, with a continuous
slope.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.kernel.fastmath import HOT
from gcmock.posterior.kernel.structures import N_COARSE
from gcmock.posterior.kernel.terms import along_sightline, dust_scatter, profile, slope_along

STEP_PER_SIGMA, NODE_STEP_PER_SIGMA = 0.85, 0.5
"""Step of the grid as a fraction of the width of the likelihood along the sightline: on a lattice,
and for sums over nodes."""

WIDEST_STEP = 0.05
"""Widest step of the grid [mag]."""

FIRST_STEP = 8
"""Step of the first pass over the grid, in points."""

MARGIN = 16
"""Points before the first bin and behind the last: steps of eight may end there."""


@njit(**HOT)
def make_grid(mask, exact, fineness, star, law, bins, red, knot, density):
    """Fill the places of the knots on the grid and the density of points there [per mag].

    `red` is the `Reddening` of the star. Returns the number of points of the grid.
    """
    n = knot.size
    mu0 = bins.knot_mu[0]
    step = NODE_STEP_PER_SIGMA if exact else STEP_PER_SIGMA * fineness
    for i in range(n):
        distance = bins.knot_distance[i]
        slope = slope_along(red.dust, red.e_jks_rc, distance)
        shape = profile(red.dust, distance)
        scatter = dust_scatter(red.dust, red.e_jks_rc, red.tau_rc, shape)
        width = step * along_sightline(mask, star, law, slope, scatter)
        density[i] = 1.0 / min(width, WIDEST_STEP)
    factor = 1.0
    for _ in range(2):
        knot[0] = 0.0
        for i in range(1, n):
            density[i] *= factor
            knot[i] = knot[i - 1] + 0.5 * (density[i - 1] + density[i])
        length = place(mu0, bins.mu[-1], knot, density) - place(mu0, bins.mu[0], knot, density)
        if length < N_COARSE - 2 * MARGIN:
            break
        # Only errors far below those of any survey come here.
        factor = (N_COARSE - 2 * MARGIN - 2) / length
        density[0] *= factor
    begin = place(mu0, bins.mu[0], knot, density) - MARGIN
    for i in range(n):
        knot[i] -= begin
    return int(length) + 1 + 2 * MARGIN


@njit(**HOT)
def place(mu0, mu, knot, density):
    """Place of a distance modulus on the grid: 0 is its first point, 1 its second.

    `mu0` is the distance modulus of the first knot.
    """
    x = mu - mu0
    i = int(x)
    x -= i
    return knot[i] + x * (density[i] + 0.5 * x * (density[i + 1] - density[i]))


@njit(**HOT)
def modulus(mu0, j, knot, density):
    """Distance modulus of a place on the grid: the inverse of `place` [mag]."""
    i = 0
    while i < knot.size - 2 and knot[i + 1] <= j:
        i += 1
    y = j - knot[i]
    a, d = density[i], density[i + 1] - density[i]
    square = a * a + 2.0 * d * y
    # Beyond the first and the last knot the density does not change any more.
    if y < 0.0 or square <= 0.0:
        return mu0 + i + y / a
    return mu0 + i + 2.0 * y / (a + np.sqrt(square))
