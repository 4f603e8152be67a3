"""One star of a block as all kernels see it: its prior, its variances, its terms.

Whatever enters the likelihood of a star besides the sums over nodes stands here, once: the kernel
of posteriors and that of evidence curves both begin with `prepare`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.kernel.draw import parallax_likelihood
from gcmock.posterior.kernel.fastmath import INNER
from gcmock.posterior.kernel.likelihood import with_parallax
from gcmock.posterior.kernel.limits import limits_of_star
from gcmock.posterior.kernel.motion import moving_prior
from gcmock.posterior.kernel.structures import Reddening
from gcmock.posterior.kernel.terms import dust_of, prepare_star, tilted
from gcmock.posterior.observations import MeasuredMotion

INFLATION_MAG = np.array([0.0, 0.1, 0.3, 1.0, 3.0])
"""Added in quadrature to the errors, one after the other, until the model can explain the star."""

INFLATION_PARALLAX = np.array([1.0, 3.0, 10.0, 100.0, 1000.0])
"""Factors on the parallax error that go with `INFLATION_MAG`."""


@njit(**INNER)
def prepare(stars, i, mask, inflation, tilt, shared, work):
    """Prior, terms and variances of star i.

    `inflation` is the number of times that its errors were inflated, `tilt` that of the lattice on
    which it is summed. The prior of its line of sight comes with the likelihoods of motion and
    parallax.
    """
    bins, sightlines = shared.bins, shared.sightlines
    prior = _prior_of(stars, i, INFLATION_PARALLAX[inflation], bins, sightlines, work)
    variance = np.empty(stars.variance.shape[1])
    for b in range(variance.size):
        variance[b] = stars.variance[i, b] + INFLATION_MAG[inflation] ** 2
    limits_of_star(mask, stars.mag[i], variance, shared.limits, work.limits)
    star = prepare_star(mask, shared.table.coordinates, stars.mag[i], variance, shared.law)
    return prior, tilted(star, tilt), variance


@njit(**INNER)
def reddening_of(stars, i, sightlines):
    """Reddening along the line of sight of star i."""
    dust = dust_of(sightlines.dust, stars.sightline[i])
    return Reddening(stars.e_jks_rc[i], stars.tau[i], dust)


@njit(**INNER)
def motion_of(stars, i):
    """Measured motion of star i."""
    m = stars.motion
    return MeasuredMotion(
        m.pm_l[i], m.pm_b[i], m.pm_ll[i], m.pm_lb[i], m.pm_bb[i], m.radial_velocity[i],
        m.rv_variance[i],
    )  # fmt: skip


@njit(**INNER)
def has_own_prior(stars, i):
    """Whether star i has a prior of its own: that of its line of sight with motion or parallax."""
    motion = stars.motion
    return (
        np.isfinite(stars.parallax[i])
        or np.isfinite(motion.pm_l[i])
        or np.isfinite(motion.radial_velocity[i])
    )


@njit(**INNER)
def _prior_of(stars, i, parallax_factor, bins, sightlines, work):
    """Prior of a star's line of sight, times the likelihoods of its motion and its parallax.

    `parallax_factor` multiplies the error of the parallax.
    """
    s = stars.sightline[i]
    prior = sightlines.prior[s]
    motion = motion_of(stars, i)
    with_pm, with_rv = np.isfinite(motion.pm_l), np.isfinite(motion.radial_velocity)
    if sightlines.moments.shape[1] > 0 and (with_pm or with_rv):
        moving_prior(
            prior, sightlines.moments[s], bins.motion_before, bins.motion_fraction, motion,
            with_pm, with_rv, bins.motion_model, work.motion, work.prior,
        )  # fmt: skip
        prior = work.prior
    if np.isfinite(stars.parallax[i]):
        error = stars.parallax_error[i] * parallax_factor
        parallax_likelihood(bins, stars.parallax[i], error, work.parallax)
        with_parallax(prior, work.parallax, work.prior)
        prior = work.prior
    return prior
