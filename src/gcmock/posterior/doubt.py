"""Which stars are worth a look at the cases that a measurement may be besides a clean one.

A star in the thick of the model's own stars is clean with a probability that no other case changes
by more than its fraction. The others are those whose expected number, given how bright they are, is
among the lowest of the list's own stars.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.posterior.observations import Observations
from gcmock.words.bands import BANDS, KS, N_LINEAR, H, J

FRACTION: Final = 0.15
"""Stars that are doubted."""

LEAST_STARS: Final = 40
"""Fewer stars of a class, and all of it are doubted."""

MAG_STEP, MAG_RANGE = 0.5, (4.0, 20.0)
"""Bins of the magnitude in which stars are compared [mag]."""

CENTRES: Final = np.arange(MAG_RANGE[0] + 0.5 * MAG_STEP, MAG_RANGE[1], MAG_STEP)
"""Centres of the bins [mag], shape (n_bin,)."""

BRIGHTEST_FIRST: Final = (KS, H, J, *range(N_LINEAR, len(BANDS)))
"""Bands in the order in which one of them is the brightness of a star."""


class Doubt(NamedTuple):
    """Limits of the expected number, for every class of stars.

    Attributes
    ----------
    code : ndarray of int64, shape (n_class,)
        Which measurements the stars have; see `class_of`.
    limit : ndarray, shape (n_class, n_bin)
        ln of the expected number [per square degree] below which stars are doubted.
    """

    code: Integers
    limit: Floats


def no_doubt() -> Doubt:
    """Return limits of no class: every star is doubted."""
    return Doubt(np.zeros(0, np.int64), np.zeros((0, CENTRES.size)))


def log_expected(data: Observations, log_evidence: Floats, variance: Floats) -> Floats:
    """Return ln of the number of such stars that the model expects per deg2, (n_star,).

    The evidence is a number density per magnitude (and mas); multiplied by the volume
    sqrt(2 pi) sigma of every measurement used it is the number of stars within the errors. It is
    small for a colour that no reddened star has, and for a star brighter than any that is
    expected; it does not depend on units, and hardly on the number of bands.

    Parameters
    ----------
    data : Observations
    log_evidence : ndarray, shape (n_star,)
    variance : ndarray, shape (n_star, n_band)
        Variances of the magnitudes, the model's own included [mag²].
    """
    volume = np.where(np.isfinite(data.mag), 0.5 * np.log(2.0 * np.pi * variance), 0.0).sum(axis=1)
    with_parallax = np.isfinite(data.parallax)
    error = np.where(with_parallax, data.parallax_error, 1.0)
    volume += np.where(with_parallax, np.log(np.sqrt(2.0 * np.pi) * error), 0.0)
    return np.asarray(log_evidence + volume)


def class_of(data: Observations) -> Integers:
    """Return a number for the set of measurements of every star, shape (n_star,)."""
    given = np.isfinite(data.mag)
    code = given @ (1 << np.arange(len(BANDS)))
    code = 2 * code + np.isfinite(data.parallax)
    moving = np.zeros(data.n_star, np.bool_) if data.motion is None else data.motion.has_pm
    return np.asarray(2 * code + moving, np.int64)


def brightness(data: Observations) -> Floats:
    """Return the magnitude that stars are compared at: Ks, or the reddest there is, (n_star,)."""
    out = np.full(data.n_star, np.nan)
    for band in BRIGHTEST_FIRST:
        out = np.where(np.isnan(out), data.mag[:, band], out)
    return out


def learn_doubt(data: Observations, expected: Floats) -> Doubt:
    """Find the limits from stars of a list.

    Parameters
    ----------
    data : Observations
    expected : ndarray, shape (n_star,)
        `log_expected` of the clean case; -inf for what nothing explains.

    Returns
    -------
    Doubt
    """
    code, mag = class_of(data), brightness(data)
    codes, limits = [], []
    for value in np.unique(code):
        members = np.flatnonzero((code == value) & np.isfinite(mag))
        if members.size < LEAST_STARS:
            continue
        limit = np.full(CENTRES.size, np.nan)
        for i, centre in enumerate(CENTRES):
            # Of the stars of similar brightness, at least so many.
            near = np.argsort(np.abs(mag[members] - centre), kind="stable")[: LEAST_STARS // 2]
            inside = np.abs(mag[members] - centre) < MAG_STEP
            chosen = members[inside] if inside.sum() >= LEAST_STARS // 2 else members[near]
            limit[i] = np.quantile(np.maximum(expected[chosen], -700.0), FRACTION)
        codes.append(int(value))
        limits.append(limit)
    if not codes:
        return no_doubt()
    return Doubt(np.array(codes, np.int64), np.stack(limits))


def doubted(doubt: Doubt, data: Observations, expected: Floats) -> NDArray[np.bool_]:
    """Return which stars are doubted, shape (n_star,); arguments as those of `learn_doubt`."""
    out = np.ones(data.n_star, np.bool_)
    if not doubt.code.size:
        return out
    code, mag = class_of(data), np.nan_to_num(brightness(data), nan=CENTRES[0])
    place = np.minimum(np.searchsorted(doubt.code, code), doubt.code.size - 1)
    for i, value in enumerate(doubt.code):
        members = (place == i) & (code == value)
        out[members] = expected[members] < np.interp(mag[members], CENTRES, doubt.limit[i])
    return out
