"""Which lattice a star takes: the coarsest that its Gaussian resolves."""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.compilation import compiled
from gcmock.posterior.kernel.bands import (
    H,
    J,
    by_colour,
    first_band,
    has_synthetic,
    is_single,
    linear_part,
)
from gcmock.posterior.kernel.fastmath import INNER
from gcmock.posterior.kernel.lattice import STEPS_C, STEPS_COLOUR, STEPS_Q, STEPS_W, TILTS
from gcmock.posterior.kernel.terms import (
    along_c,
    along_q,
    along_w,
    off_in_q,
    prepare_star,
    tilted,
)

LINEAR_SYNTHETIC = 0.6
"""Factor on the steps where a synthetic band is beside two others: their errors are then much
correlated."""

COLOUR_PER_SIGMA = 0.75
"""Largest step in a synthetic band less another as a fraction of the error of that band."""

STEP_COLOUR_SIGMA, TYPICAL_SLOPE = 0.4, 0.6
"""With another band, the largest change of the extinction in the synthetic band over one step in
J - H as a fraction of its error given that band: beyond the finest step the star is summed over
nodes; and its derivative with J of a reddened giant."""

PER_SIGMA = np.array([[0.8, 1.0, 1.0], [1.0, 0.5, 1.0], [1.1, 0.57, 0.7]])
"""Largest steps in W, c and Q as a fraction of the conditional width of the star's Gaussian, with
one, two and three bands: the sum over a colour makes the likelihood smooth."""

GIANT_J, GIANT_H = 1.35, 0.3
"""J - Ks and H - Ks of a red giant [mag]: tells how reddened a star is, at the least."""

Q_TAIL, Q_OUTLIER = 0.6, 3.2
"""How fast the step in Q shrinks with the distance from where nearly all nodes are [per sigma]; and
from how many sigma on a star is summed over nodes, because the Lagrange weights, which are not
positive, show in the tails."""


@compiled(nogil=True, error_model="numpy")
def choose_steps(mask, table, stars, law, out):
    """Fill `out` (n_star, 4) with the indices of the largest steps that a star's Gaussian resolves.

    They are -1 where no step is fine enough, or the star is an outlier in Q: such stars are summed
    over nodes. The last is the index of the tilt at which W and c are least correlated.
    """
    rows = table.coordinates
    for i in range(stars.e_jks_rc.size):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = 0, STEPS_C.size - 1, STEPS_Q.size - 1, 0
        if mask == 0:
            continue
        star = prepare_star(mask, rows, stars.mag[i], stars.variance[i], law)
        if by_colour(mask):
            _steps_by_colour(mask, star, law, table, stars.e_jks_rc[i], stars.tau[i], out[i])
        elif is_single(mask):
            out[i, 0] = _largest(STEPS_W, PER_SIGMA[0, 0] * along_w(star, 0.0))
        else:
            _steps_of_colours(mask, star, table, stars.e_jks_rc[i], stars.tau[i], out[i])
        if min(out[i, 0], out[i, 1], out[i, 2]) < 0:
            out[i, 0] = out[i, 1] = out[i, 2] = -1
            out[i, 3] = 0


@njit(**INNER)
def _steps_by_colour(mask, star, law, table, e_jks_rc, tau, out):
    """Fill the steps of a star with a synthetic band, alone or with one other."""
    # With another band: given Hw less that.
    width = 1.0 / np.sqrt(1.0 / star.v_ww + 1.0 / star.v_cc)
    out[0] = _largest(STEPS_W, PER_SIGMA[0, 0] * width)
    out[2] = STEPS_COLOUR.size - 1
    if linear_part(mask) != 0:
        out[1] = _largest(STEPS_C, COLOUR_PER_SIGMA * np.sqrt(star.v_cc))
        k = law.kappa
        change = 2.0 * abs(law.relation[1]) * (k[J] - k[H]) * e_jks_rc
        # Error of the synthetic band if the other band tells the reddening better than its scatter.
        k_synthetic = k[H] + TYPICAL_SLOPE * (k[J] - k[H])
        known = min(tau, np.sqrt(star.v_cc) / k[first_band(mask)])
        width = np.sqrt(star.v_ww + (k_synthetic * known) ** 2)
        limit = STEP_COLOUR_SIGMA * table.fineness * width / max(change, 1e-9)
        out[2] = _largest(STEPS_COLOUR, limit)


@njit(**INNER)
def _steps_of_colours(mask, star, table, e_jks_rc, tau_rc, out):
    """Fill the steps, and the tilt, of a star with two or three bands."""
    rows = table.coordinates
    fraction = PER_SIGMA[2] if rows[2, H] > 0.0 else PER_SIGMA[1]
    fraction = fraction * table.fineness * (LINEAR_SYNTHETIC if has_synthetic(mask) else 1.0)
    giant = rows[1, J] * GIANT_J + rows[1, H] * GIANT_H
    # The scatter of the reddening where a giant would have the star's colour.
    near = min(max((star.c - giant) / max(e_jks_rc, 1e-3), 0.0), 1.2)
    tau = tau_rc * near
    best = -star.v_wc / (star.v_cc + tau * tau)
    out[3] = np.argmin(np.abs(TILTS - best))
    star = tilted(star, TILTS[out[3]])
    out[0] = _largest(STEPS_W, fraction[0] * along_w(star, tau))
    out[1] = _largest(STEPS_C, fraction[1] * along_c(star, tau))
    if star.inv_q > 0.0:
        # Off the populations in Q only the tail of the Gaussian counts: a finer step.
        off = off_in_q(star)
        width = along_q(star, tau) / (1.0 + Q_TAIL * off)
        out[2] = _largest(STEPS_Q, fraction[2] * width)
        if off > Q_OUTLIER:
            out[2] = -1


@njit(**INNER)
def _largest(steps, limit):
    """Index of the largest step not above a limit, or -1."""
    found = -1
    for i in range(steps.size):
        if steps[i] <= limit:
            found = i
    return found
