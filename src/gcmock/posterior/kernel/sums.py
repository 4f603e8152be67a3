"""Sums over nodes and places at one distance: what a star reaches, and what that adds.

The arguments are arrays and numbers, not tuples of them: counting the references of arrays in
tuples would cost more than the sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.kernel.fastmath import HOT, HOT_FAST, LOG2_E
from gcmock.posterior.kernel.limits import H_KS_FROM, H_KS_STEP, passes_in_row
from gcmock.posterior.kernel.structures import N_LISTED
from gcmock.posterior.kernel.terms import synthetic_shift
from gcmock.posterior.kernel.vector import LANES, add_blocks, add_listed, list_blocks, weigh_blocks

HALF_LOG2_E = 0.5 * LOG2_E

LEAST_OFF, MOST_OFF = 0.02, 5.0
"""Where the reddening of a star is so near to its mean that the bend of Hw does not matter, and the
farthest from it that it is looked for [standard deviations]."""


@njit(inline="always")
def _range(low, high, bin_min, per_bin, n_bin):
    """Bins that overlap an interval, as first and last plus one."""
    first = min(max((low - bin_min) * per_bin, 0.0), n_bin + 0.0)
    last = min(max((high - bin_min) * per_bin + 1.0, 0.0), n_bin + 0.0)
    return int(first), int(last)


@njit(**HOT)
def _rows_of_star(w, q, gamma, v_w, r2, q_mean, q_half, row_min, row_step, row_extent, n_row):
    """Rows that the ellipse of a star reaches, as first and last plus one."""
    half = np.sqrt(r2 * v_w)
    low, high = w - half, w + half
    if gamma != 0.0:
        # The band in Q that most places are in moves the ellipse.
        i = min(max(int((w - row_min) / row_step), 0), n_row - 1)
        low -= gamma * (q - q_mean[i]) + abs(gamma) * q_half[i]
        high -= gamma * (q - q_mean[i]) - abs(gamma) * q_half[i]
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    first = min(max(np.ceil((middle - half - row_extent - row_min) / row_step), 0.0), n_row + 0.0)
    last = min(max(np.floor((middle + half - row_min) / row_step) + 1.0, 0.0), n_row + 0.0)
    return int(first), int(last)


@njit(**HOT_FAST)
def _bins_of_rows(start, w, c, q, gamma, delta, per_v_w, slope, v_rest, r2, row_min, row_step,
                  row_extent, bin_min, per_bin, n_bin, q_mean, q_half, span):  # fmt: skip
    """Fill `span` with the bins of sixteen rows that are inside the ellipse of a star.

    First and last plus one, not rounded. `per_v_w` is the inverse variance of W, `slope` the
    regression of c on W, and `v_rest` the variance of c that remains.
    """
    if n_bin == 1:
        for k in range(LANES):
            span[0, k], span[1, k] = 0.0, 1.0
        return
    for k in range(LANES):
        dq, wide = q - q_mean[start + k], q_half[start + k]
        z_high = w - gamma * dq - (row_min + (start + k) * row_step)
        z_low = z_high - row_extent
        margin = abs(gamma) * wide
        # W is inside the row if z = 0 lies between z_low and z_high.
        near = max(max(z_low, -z_high) - margin, 0.0)
        rest = r2 - near * near * per_v_w
        half = np.sqrt(max(rest, 0.0) * v_rest) + abs(delta) * wide + abs(slope) * margin
        centre = c - delta * dq - bin_min
        a, b = slope * z_low, slope * z_high
        low = (centre - max(a, b) - half) * per_bin
        high = (centre - min(a, b) + half) * per_bin + 1.0
        span[0, k] = min(max(low, 0.0), n_bin + 0.0)
        span[1, k] = min(max(high, 0.0), n_bin + 0.0) if rest > 0.0 else 0.0


@njit(**HOT)
def sum_rows(
    block, first, q_mean, q_half, row_min, row_step, row_extent, bin_min, bin_step,
    w, c, q, gamma, delta, inv_q, v_wc, v_c, v_w, r2, span, listed, total,
):  # fmt: skip
    """Add the places of all populations inside the ellipse of a star at one distance to `total`.

    `w` is less the distance modulus and the reddening of a single band, `c` less the reddening;
    `v_c` is the variance of c with the scatter of the reddening, `v_w` that of W, `r2` the
    square of the radius in standard deviations. `span` (2, 16) and `listed`
    (`N_LISTED`, int32) are work space.
    """
    f32 = np.float32
    n_row, n_bin = first.shape[1], first.shape[2] - 1
    beta = v_wc / v_c
    inv_w = f32(HALF_LOG2_E / (v_w - beta * v_wc))
    inv_c = f32(HALF_LOG2_E / v_c)
    per_v_w, per_bin = 1.0 / v_w, 1.0 / bin_step
    slope = v_wc * per_v_w
    v_rest = v_c - v_wc * slope
    n = 0
    a, z = _rows_of_star(w, q, gamma, v_w, r2, q_mean, q_half, row_min, row_step, row_extent, n_row)
    for start in range(a, z, LANES):
        _bins_of_rows(
            start, w, c, q, gamma, delta, per_v_w, slope, v_rest, r2, row_min, row_step, row_extent,
            bin_min, per_bin, n_bin, q_mean, q_half, span,
        )  # fmt: skip
        for row in range(start, min(start + LANES, z)):
            begin = first[0, row, int(span[0, row - start])]
            end = first[0, row, int(span[1, row - start])]
            if end <= begin:
                continue
            begin, end = begin // LANES, (end + LANES - 1) // LANES
            for some in range(begin, end, LANES):
                list_blocks(listed, n, some)
                n += min(end - some, LANES)
                if n > N_LISTED - LANES:
                    add_listed(
                        block, listed, n, total, f32(w), f32(c), f32(q), f32(gamma), f32(delta),
                        f32(inv_q), f32(beta), inv_w, inv_c,
                    )  # fmt: skip
                    n = 0
    add_listed(
        block, listed, n, total, f32(w), f32(c), f32(q), f32(gamma), f32(delta), f32(inv_q),
        f32(beta), inv_w, inv_c,
    )  # fmt: skip


@njit(**HOT)
def weigh_rows(
    block, first, population, q_mean, q_half, row_min, row_step, row_extent, bin_min, bin_step,
    w, c, q, gamma, delta, inv_q, v_wc, v_c, v_w, r2, span, out, source,
):  # fmt: skip
    """Write likelihood · weight of the nodes of one population inside the ellipse to `out`.

    Returns the number of blocks; `source` gets the block in the table of each.
    """
    f32 = np.float32
    n_row, n_bin = first.shape[1], first.shape[2] - 1
    beta = v_wc / v_c
    inv_w = f32(HALF_LOG2_E / (v_w - beta * v_wc))
    inv_c = f32(HALF_LOG2_E / v_c)
    per_v_w, per_bin = 1.0 / v_w, 1.0 / bin_step
    slope = v_wc * per_v_w
    v_rest = v_c - v_wc * slope
    a, z = _rows_of_star(w, q, gamma, v_w, r2, q_mean, q_half, row_min, row_step, row_extent, n_row)
    n = 0
    for start in range(a, z, LANES):
        _bins_of_rows(
            start, w, c, q, gamma, delta, per_v_w, slope, v_rest, r2, row_min, row_step, row_extent,
            bin_min, per_bin, n_bin, q_mean, q_half, span,
        )  # fmt: skip
        for row in range(start, min(start + LANES, z)):
            begin = first[population, row, int(span[0, row - start])]
            end = first[population, row, int(span[1, row - start])]
            if end > begin:
                begin, end = begin // LANES, (end + LANES - 1) // LANES
                weigh_blocks(
                    block, begin, end, out, n, f32(w), f32(c), f32(q), f32(gamma), f32(delta),
                    f32(inv_q), f32(beta), inv_w, inv_c,
                )  # fmt: skip
                for k in range(begin, end):
                    source[n] = k
                    n += 1
    return n


@njit(inline="always")
def _hw_moments(x, e, off, tau2, v_hw, v_other, k0, k1, k2, p1, p2, p3):
    """Shift of Hw by the reddening e for a star of colour x, and the variances that go with it.

    Hw is linear in the reddening about `off` more than e, where the star is. Returns the shift,
    what it adds to the colour Hw less the other band, the regression of Hw on that colour, the
    inverse variances of both, the variance of Hw alone, the ratio of the determinants without and
    with scatter of the reddening, and the regressions of the reddening on that colour and on what
    is then left of Hw.
    """
    reddened, slope, _ = synthetic_shift(x + (k0 - k1) * (e + off), p1, p2, p3)
    k3 = k1 + slope * (k0 - k1)
    shift = k1 * (e + off) + reddened - synthetic_shift(x, p1, p2, p3)[0] - k3 * off
    v_w = v_hw + tau2 * k3 * k3
    if v_other == np.inf:
        per_w = 1.0 / v_w
        return shift, 0.0, 0.0, per_w, 0.0, v_w, v_hw * per_w, 0.0, tau2 * k3 * per_w
    per_y = 1.0 / (v_hw + v_other + tau2 * (k3 - k2) ** 2)
    beta = (v_hw + tau2 * k3 * (k3 - k2)) * per_y
    per_z = 1.0 / (v_w - beta * beta / per_y)
    of_y = tau2 * (k3 - k2) * per_y
    of_z = tau2 * (k3 - beta * (k3 - k2)) * per_z
    ratio = v_hw * v_other * per_z * per_y
    return shift, shift - k2 * e, beta, per_z, per_y, v_w, ratio, of_y, of_z


@njit(**HOT)
def sum_colours(
    block, first, c_mean, c_half, row_min, row_step, bin_min, bin_step, w, c, v_hw, v_other,
    e, tau, k0, k1, k2, p1, p2, p3, r2, total, mu, k_ks, h_ks, limits, fraction,
):  # fmt: skip
    """Do the same as `sum_rows` for a star with Hw, alone or with one other band.

    Rows are colours J - H.

    `w` is Hw less the distance modulus, `c` Hw less the other band, `c_mean` and `c_half` where
    that is in every row; `v_other` and `k2` are that band's variance (infinite without one) and
    extinction. `limits` are what the star must have passed, `k_ks` and `h_ks` the extinction in Ks
    and H - Ks by colour (`gcmock.posterior.kernel.limits.neutral_colours`) that they may ask for;
    `fraction` multiplies all.
    """
    f32 = np.float32
    zero = f32(0.0)
    per_bin = 1.0 / bin_step
    tau2 = tau * tau
    n_row, n_bin = first.shape[1], first.shape[2] - 1
    for row in range(n_row):
        begin, end = first[0, row, 0], first[0, row, n_bin]
        if end == begin:
            continue
        x = row_min + (row + 0.5) * row_step
        shift, c_shift, beta, per_z, per_y, _, ratio, of_y, _ = _hw_moments(
            x, e, 0.0, tau2, v_hw, v_other, k0, k1, k2, p1, p2, p3
        )
        y = c - c_shift - c_mean[row]
        near = max(abs(y) - c_half[row], 0.0)
        if near * near * per_y > 2.0 * r2:
            continue
        # The colour of the row tells where the reddening is.
        off = of_y * y
        here = e + min(max(off, -MOST_OFF * tau), MOST_OFF * tau)
        if off * off * abs(p2) * per_y > LEAST_OFF:
            off = min(max(off, -MOST_OFF * tau), MOST_OFF * tau)
            shift, c_shift, beta, per_z, per_y, _, ratio, _, _ = _hw_moments(
                x, e, off, tau2, v_hw, v_other, k0, k1, k2, p1, p2, p3
            )
            y = c - c_shift - c_mean[row]
        scale = fraction * np.sqrt(ratio)
        if limits.n_limit[0] > 0:
            place = int((x - H_KS_FROM) / H_KS_STEP + 0.5)
            red = h_ks[min(max(place, 0), h_ks.size - 1)]
            known = 0.0 if v_other == np.inf else of_y * of_y / per_y
            known = tau2 - known
            scale *= passes_in_row(
                x, red, here, known, w + mu, v_hw, k0, k1, k_ks, p1, p2, p3, limits
            )
            if scale == 0.0:
                continue
        half = np.sqrt(r2 / per_z) + abs(beta) * c_half[row]
        centre = w - shift - beta * y
        i, j = _range(centre - half, centre + half, bin_min, per_bin, n_bin)
        begin, end = first[0, row, i], first[0, row, j]
        if end > begin:
            add_blocks(
                block, begin // LANES, (end + LANES - 1) // LANES, total, f32(scale),
                f32(w - shift), f32(c - c_shift), zero, zero, zero, zero, f32(beta),
                f32(HALF_LOG2_E * per_z), f32(HALF_LOG2_E * per_y),
            )  # fmt: skip


@njit(**HOT)
def weigh_colours(
    block, first, population, row_min, row_step, bin_min, bin_step, w, c, v_hw, v_other,
    e, tau, k0, k1, k2, p1, p2, p3, r2, out, source,
):  # fmt: skip
    """Do the same as `weigh_rows` for such a star, with the colour of each node."""
    n_row, n_bin = first.shape[1], first.shape[2] - 1
    tau2 = tau * tau
    n = 0
    for row in range(n_row):
        low, high = np.inf, -np.inf
        for edge in range(2):
            shift, _, _, _, _, v_w, _, _, _ = _hw_moments(
                row_min + (row + edge) * row_step, e, 0.0, tau2, v_hw, v_other, k0, k1, k2, p1, p2,
                p3,
            )  # fmt: skip
            half = np.sqrt(r2 * v_w)
            low, high = min(low, w - shift - half), max(high, w - shift + half)
        i, j = _range(low, high, bin_min, 1.0 / bin_step, n_bin)
        begin, end = first[population, row, i], first[population, row, j]
        if end <= begin:
            continue
        for k in range(begin // LANES, (end + LANES - 1) // LANES):
            for lane in range(LANES):
                off = 0.0
                for _ in range(1 if tau == 0.0 else 3):
                    shift, c_shift, beta, per_z, per_y, _, ratio, of_y, of_z = _hw_moments(
                        block[k, 2, lane], e, off, tau2, v_hw, v_other, k0, k1, k2, p1, p2, p3
                    )
                    y = c - c_shift - block[k, 1, lane]
                    z = w - shift - block[k, 0, lane] - beta * y
                    off = min(max(of_y * y + of_z * z, -MOST_OFF * tau), MOST_OFF * tau)
                like = np.exp(-0.5 * (z * z * per_z + y * y * per_y)) * np.sqrt(ratio)
                out[n * LANES + lane] = block[k, 3, lane] * like
            source[n] = k
            n += 1
    return n
