"""How much more probable two sources are as one star than as two unrelated ones (compiled).

For a star i of the merged list and a source j of a survey the log-odds are

    ln [ c_i / (1 - c_i) ] - ln nu_j + ln f(dx, dm | same star) - ln rho(m_j)

with c_i the probability that the survey detects such a star, nu_j the fraction of its sources that
no star of the list accounts for, and rho the density of the survey's sources at this place and with
these magnitudes [arcsec^-2 mag^-n]: the likelihood ratio of Sutherland & Saunders 1992 (MNRAS 259,
413) with the terms of Budavari & Szalay 2008 (ApJ 679, 301) for errors, proper motion and
photometry. f is a mixture: a clean measurement; one whose light the known neighbours share; and one
that is disturbed, with wider errors of position and magnitude.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gcmock.arrays import Booleans, Floats
from gcmock.catalogue.link.neighbours import separation
from gcmock.compilation import compiled
from gcmock.words.bands import KS, SURVEY_BANDS, J

N_PATTERNS = 1 << len(SURVEY_BANDS)
"""Sets of common bands: bit 0 is J, bit 1 is H, bit 2 is Ks."""

BRIGHTEST = 20.0
"""Power of the fraction with which a star that is not the brightest in a blend is disfavoured."""

_LN_2PI = float(np.log(2.0 * np.pi))
_NEVER = -1e9


class SharedLight(NamedTuple):
    """What the neighbours of stars add to their light in the images of a survey.

    Attributes
    ----------
    shared : ndarray of bool, shape (n_star,)
        Whether neighbours of the list lie in the resolution of the survey.
    mag : ndarray, shape (n_star, 3)
        Magnitudes of a star together with these neighbours [mag].
    shift : ndarray, shape (n_star, 2)
        How far the neighbours draw the position, east and north [arcsec].
    fraction : ndarray, shape (n_star,)
        Fraction of the star itself in that light.
    wide : ndarray, shape (n_star,)
        Extra error of the position of disturbed measurements [arcsec].
    """

    shared: Booleans
    mag: Floats
    shift: Floats
    fraction: Floats
    wide: Floats


class SourceAstrometry(NamedTuple):
    """What enters the log-odds of one list of sources; NaN where it is not measured.

    Attributes
    ----------
    ra, dec : ndarray, shape (n,)
        [deg] at `epoch`.
    epoch : ndarray, shape (n,)
        [Julian year].
    error : ndarray, shape (n, 2)
        Errors of the position, east and north [arcsec].
    motion, motion_error : ndarray, shape (n, 2)
        Proper motion and its error, east and north [arcsec/yr].
    mag, mag_error : ndarray, shape (n, 3)
        J, H, Ks in the 2MASS system [mag].
    g_mag : ndarray, shape (n,)
        Gaia G [mag].
    """

    ra: Floats
    dec: Floats
    epoch: Floats
    error: Floats
    motion: Floats
    motion_error: Floats
    mag: Floats
    mag_error: Floats
    g_mag: Floats


class FieldStatistics(NamedTuple):
    """What the stars of the field are like.

    Attributes
    ----------
    motion, motion_sigma : ndarray, shape (2,)
        Mean proper motion of the stars and its dispersion per axis [arcsec/yr].
    scatter : ndarray, shape (3,)
        Scatter of the magnitudes of one star between surveys, beyond their errors [mag].
    tail : ndarray, shape (3,)
        Fraction of disturbed measurements; mean [mag] and standard deviation [mag] of their extra
        difference of magnitude.
    g_colour, g_sigma : ndarray, shape (3,)
        G - J, G - H, G - Ks of stars that Gaia and the near infrared share, and their scatter.
    g_relation : ndarray, shape (3,)
        a, b and scatter of G - J = a + b (J - Ks) of the stars of this field; NaN if not known.
    """

    motion: Floats
    motion_sigma: Floats
    scatter: Floats
    tail: Floats
    g_colour: Floats
    g_sigma: Floats
    g_relation: Floats


@compiled(nogil=True, error_model="numpy")
def _normal(x, variance):
    """Logarithm of the normal density."""
    return -0.5 * (x * x / variance + np.log(variance) + _LN_2PI)


@compiled(nogil=True, error_model="numpy")
def _add(a, b):
    """ln(exp a + exp b)."""
    high, low = (a, b) if a > b else (b, a)
    return high + np.log1p(np.exp(low - high))


@compiled(nogil=True, error_model="numpy")
def _motion(axis, first, first_error, i, second, second_error, j, mean, sigma):
    """Proper motion of the common star on one axis and its variance: both lists and the field."""
    weight = 1.0 / (sigma[axis] * sigma[axis])
    total = mean[axis] * weight
    if np.isfinite(first[i, axis]):
        w = 1.0 / (first_error[i, axis] * first_error[i, axis])
        total += first[i, axis] * w
        weight += w
    if np.isfinite(second[j, axis]):
        w = 1.0 / (second_error[j, axis] * second_error[j, axis])
        total += second[j, axis] * w
        weight += w
    return total / weight, 1.0 / weight


@compiled(nogil=True, error_model="numpy")
def _same_motion(first, first_error, i, second, second_error, j, mean, sigma):
    """Log of the ratio of two proper motions if they are one star's, and if they are not."""
    if not (np.isfinite(first[i, 0]) and np.isfinite(second[j, 0])):
        return 0.0
    ratio = 0.0
    for axis in range(2):
        own = second_error[j, axis] * second_error[j, axis]
        both = own + first_error[i, axis] * first_error[i, axis]
        ratio += _normal(second[j, axis] - first[i, axis], both)
        ratio -= _normal(second[j, axis] - mean[axis], own + sigma[axis] * sigma[axis])
    # A tenth of the proper motions are worse than they say.
    return _add(np.log(0.9) + ratio, np.log(0.1))


@compiled(nogil=True, error_model="numpy")
def _g_term(mag, k, g, field, reverse, log_density):
    """Log of the density of one magnitude given G (or of G given one) against the field's."""
    for band in range(mag.shape[1]):
        if np.isfinite(mag[k, band]):
            sigma = field.g_sigma[band]
            expected = _normal(g - mag[k, band] - field.g_colour[band], sigma * sigma)
            offset, slope, scatter = field.g_relation
            if band == J and np.isfinite(mag[k, KS]) and np.isfinite(scatter):
                # Dust and temperature redden both colours; neighbours enter many J; some are odd.
                colour = offset + slope * (mag[k, J] - mag[k, KS])
                away = g - mag[k, J] - colour
                expected = _add(np.log(0.25) + _normal(away, 1.0), np.log(0.05) + expected)
                expected = _add(np.log(0.7) + _normal(away, scatter * scatter), expected)
            if reverse:
                return expected - log_density[1 << band]
            return expected - log_density[0]
    return -log_density[0]


@compiled(nogil=True, error_model="numpy")
def _offset(stars, a, sources, b, field):
    """Offset of a source from a star at the same epoch, east and north, and its variances."""
    east, north = separation(stars.ra[a], stars.dec[a], sources.ra[b], sources.dec[b])
    years = sources.epoch[b] - stars.epoch[a]
    move_e, var_e = _motion(
        0, stars.motion, stars.motion_error, a, sources.motion, sources.motion_error, b,
        field.motion, field.motion_sigma,
    )  # fmt: skip
    move_n, var_n = _motion(
        1, stars.motion, stars.motion_error, a, sources.motion, sources.motion_error, b,
        field.motion, field.motion_sigma,
    )  # fmt: skip
    east -= move_e * years
    north -= move_n * years
    var_e = var_e * years * years + stars.error[a, 0] ** 2 + sources.error[b, 0] ** 2
    var_n = var_n * years * years + stars.error[a, 1] ** 2 + sources.error[b, 1] ** 2
    return east, north, var_e, var_n


@compiled(nogil=True, error_model="numpy")
def log_odds(i, j, stars, sources, field, light, log_density, detected, new):
    """Return the log-odds of candidate links.

    Parameters
    ----------
    i, j : ndarray of int64, shape (n_pair,)
        Stars of the merged list and sources of the survey.
    stars, sources : SourceAstrometry
    field : FieldStatistics
    light : SharedLight
        What the neighbours of the stars add to their light.
    log_density : ndarray, shape (n_source, 8)
        Log of the density of the survey's sources like this one, by the set of common bands
        (`N_PATTERNS`) [arcsec^-2 mag^-n]. For Gaia, the first is that of G.
    detected : ndarray, shape (n_star,)
        ln [c / (1 - c)].
    new : ndarray, shape (n_source,)
        ln nu.

    Returns
    -------
    ndarray, shape (n_pair,)
    """
    result = np.empty(len(i))
    shared, shared_mag, shift, fraction_of, wide = light
    fraction, mean_tail, sigma_tail = field.tail
    ln_clean, ln_tail = np.log(1.0 - fraction), np.log(fraction)
    for k in range(len(i)):
        a, b = i[k], j[k]
        east, north, var_e, var_n = _offset(stars, a, sources, b, field)
        clean = _normal(east, var_e) + _normal(north, var_n)
        joint = _normal(east - shift[a, 0], var_e) + _normal(north - shift[a, 1], var_n)
        extra = wide[a] * wide[a]
        tail = _normal(east, var_e + extra) + _normal(north, var_n + extra)
        pattern, loose = 0, 0.0
        for band in range(stars.mag.shape[1]):
            if np.isfinite(stars.mag[a, band]) and np.isfinite(sources.mag[b, band]):
                pattern |= 1 << band
                variance = (
                    stars.mag_error[a, band] ** 2
                    + sources.mag_error[b, band] ** 2
                    + field.scatter[band] ** 2
                )
                difference = sources.mag[b, band] - stars.mag[a, band]
                clean += _normal(difference, variance)
                together = sources.mag[b, band] - shared_mag[a, band]
                joint += _normal(together, variance)
                variance += sigma_tail * sigma_tail
                tail += _normal(difference - mean_tail, variance)
                loose += _normal(together, variance)
        if shared[a]:
            wider = var_e + extra, var_n + extra
            disturbed = _normal(east - shift[a, 0], wider[0]) + _normal(
                north - shift[a, 1], wider[1]
            )
            disturbed += loose
            # A source is the star that gives most of its light: of stars that together explain it,
            # the brightest one.
            second = BRIGHTEST * np.log(2.0 * fraction_of[a]) if fraction_of[a] < 0.5 else 0.0
            joint += second
            tail = _add(tail, disturbed + second) - np.log(2.0)
            clean = _add(clean, joint) - np.log(2.0)
        value = _add(ln_clean + clean, ln_tail + tail)
        density = log_density[b]
        if pattern == 0 and np.isfinite(sources.g_mag[b]):
            value += _g_term(stars.mag, a, sources.g_mag[b], field, False, density)
        elif pattern == 0 and np.isfinite(stars.g_mag[a]):
            value += _g_term(sources.mag, b, stars.g_mag[a], field, True, density)
        else:
            value -= density[pattern]
        value += _same_motion(
            stars.motion, stars.motion_error, a, sources.motion, sources.motion_error, b,
            field.motion, field.motion_sigma,
        )  # fmt: skip
        value += detected[a] - new[b]
        result[k] = value if np.isfinite(value) else _NEVER
    return result


@compiled(nogil=True, error_model="numpy")
def shared_light(start, found, ra, dec, mag, beam):
    """Add up the light of close stars, as a survey of lower resolution sees them.

    Parameters
    ----------
    start, found : ndarray of int64
        Neighbours of star i, itself included: ``found[start[i]:start[i + 1]]``.
    ra, dec : ndarray, shape (n_star,)
        [deg].
    mag : ndarray, shape (n_star, 3)
        [mag].
    beam : float
        Standard deviation of the survey's point spread function [arcsec].

    Returns
    -------
    shared : ndarray of bool, shape (n_star,)
        Whether the neighbours add at least 3 % in a band.
    shared_mag : ndarray, shape (n_star, 3)
        [mag].
    shift : ndarray, shape (n_star, 2)
        Light-weighted shift of the position in the reddest band that there is [arcsec].
    fraction_of : ndarray, shape (n_star,)
        Fraction of the star itself in the light of that band.
    """
    n = len(ra)
    shared = np.zeros(n, np.bool_)
    shared_mag = mag.copy()
    shift = np.zeros((n, 2))
    fraction_of = np.ones(n)
    for i in range(n):
        if start[i + 1] - start[i] < 2:
            continue
        reddest = -1
        for band in range(mag.shape[1]):
            if np.isfinite(mag[i, band]):
                reddest = band
        if reddest < 0:
            continue
        # The source lies at the centre of the light, which depends on the light that it collects.
        x, y = 0.0, 0.0
        for _ in range(2):
            x, y, total = _centre(i, start, found, ra, dec, mag, reddest, beam, x, y)
        for band in range(mag.shape[1]):
            if np.isfinite(mag[i, band]):
                _, _, total = _centre(i, start, found, ra, dec, mag, band, beam, x, y)
                shared[i] |= total > 1.03
                shared_mag[i, band] = mag[i, band] - 2.5 * np.log10(total)
                fraction_of[i] = 1.0 / total
        shift[i, 0], shift[i, 1] = x, y
    return shared, shared_mag, shift, fraction_of


@compiled(nogil=True, error_model="numpy")
def _centre(i, start, found, ra, dec, mag, band, beam, x, y):
    """Centre [arcsec from star i] and light [of star i] that a profile at a place collects."""
    total, east_sum, north_sum, own = 0.0, 0.0, 0.0, 1.0
    for k in range(start[i], start[i + 1]):
        other = found[k]
        if not np.isfinite(mag[other, band]):
            continue
        east, north = separation(ra[i], dec[i], ra[other], dec[other])
        # What a fitted profile collects of a star: the overlap of two profiles.
        away = ((east - x) ** 2 + (north - y) ** 2) / (beam * beam)
        light = np.exp(-0.25 * away) * 10.0 ** (-0.4 * (mag[other, band] - mag[i, band]))
        total += light
        east_sum += light * east
        north_sum += light * north
        if other == i:
            own = light
    # Alone, the profile would lie on the star and collect all of it.
    return east_sum / total, north_sum / total, max(total, own, 1.0)
