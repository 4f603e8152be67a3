"""From observed stars to true stars: what enters the posterior, and what is made of its draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.profile import signed_longitude
from gcmock.errors import OutsideModelError
from gcmock.frames import galactic_north_angle, icrs_to_galactic_proper_motion
from gcmock.io.observed import ObservedStars
from gcmock.mock.motion import with_measured_motion
from gcmock.model import Model
from gcmock.posterior.doubt import Doubt, doubted, log_expected
from gcmock.posterior.evidence import EvidenceTable
from gcmock.posterior.kernel.draw import VELOCITY
from gcmock.posterior.kinds import set_aside
from gcmock.posterior.mixture import Mixture, evidence_of, of_cases_in_use
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.posterior.unexplained import draw_unexplained
from gcmock.random import star_key, uniform
from gcmock.settings.build import InferencePolicy, InputConfig, MotionConfig, ParallaxConfig
from gcmock.words.bands import LINEAR_BANDS, H, J
from gcmock.words.flags import Flag

N_AXES: Final = 3

LEAST_P_VALUE: Final = 1e-4
"""A star is flagged as unexplained if fewer stars of the model have so low an evidence."""


class Prepared(NamedTuple):
    """Input of the posterior.

    Attributes
    ----------
    keep : ndarray of bool, shape (n_star,)
        Stars that are not left out.
    data : Observations
        Observations of the n_kept stars that are kept.
    flags : ndarray of int32, shape (n_kept,)
        What is known before the posterior is computed.
    """

    keep: NDArray[np.bool_]
    data: Observations
    flags: NDArray[np.int32]


class Inferred(NamedTuple):
    """Posterior summaries and true stars.

    Attributes
    ----------
    summary : PosteriorSummary
        Of each of the n_star stars.
    draws : Draws
        Arrays (n_star, n_realisation, ...).
    velocity : ndarray, shape (n_star, n_realisation, 3)
        Galactocentric vx, vy, vz [km/s].
    evidence_pvalue : ndarray, shape (n_star,)
        How often a star of the model has so low an evidence; NaN where that is not known.
    n_bands : ndarray of int16, shape (n_star,)
        Number of magnitudes used.
    flags : ndarray of int32, shape (n_star, n_realisation)
        `Flag.HW_EXTRAPOLATED` belongs to a draw, all others to the star.
    """

    summary: PosteriorSummary
    draws: Draws
    velocity: Floats
    evidence_pvalue: Floats
    n_bands: NDArray[np.int16]
    flags: NDArray[np.int32]


def kept(
    stars: ObservedStars, extinction_map: ExtinctionMap, choices: InputConfig
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which stars lie on the extinction map, and which are kept, each (n_star,).

    The choices are ``[input] outside_map`` and ``no_photometry``. A star without magnitudes that
    lies outside the map counts as outside.
    """
    inside = extinction_map.inside(stars.l, stars.b)
    keep = inside.copy()
    if choices.no_photometry == "skip":
        keep &= np.isfinite(stars.mag).any(axis=1)
    return inside, keep


def prepare(stars: ObservedStars, model: Model, policy: InferencePolicy) -> Prepared:
    """Decide what enters the posterior of every star.

    Parameters
    ----------
    stars : ObservedStars
    model : Model
    policy : InferencePolicy
        Which stars, magnitudes, parallaxes and motions are used.

    Returns
    -------
    Prepared

    Raises
    ------
    OutsideModelError
        If stars lie outside the extinction map and ``[input] outside_map`` is ``"error"``.
    """
    inside, keep = kept(stars, model.extinction_map, policy.input)
    if policy.input.outside_map == "error" and not inside.all():
        first = int(np.argmin(inside))
        raise outside_map_error(
            int((~inside).sum()), int(stars.row[first]), stars.l[first], stars.b[first]
        )
    stars = stars.take(keep)
    flags = stars.flags.copy()
    # Tables are looked up with l around zero; the output has the l that was given.
    l_deg = signed_longitude(stars.l)
    if model.map_value != "cell_mean":
        cell = model.extinction_map.cell_index(l_deg, stars.b)
        flags[~model.extinction_map.has_subcells(cell)] |= Flag.NO_SUBCELL
    e_jks_rc, tau = model.reddening(l_deg, stars.b)
    mag, mag_error = _photometry(stars, policy.use_hw, model.posterior.model_variance, flags)
    parallax, parallax_error = _parallax(stars, policy.parallax, flags)
    motion = measured_motion(stars, policy.motion, flags)
    if model.learned is not None:
        linear = mag_error[:, : len(LINEAR_BANDS)]
        linear[:] = np.hypot(linear * model.learned.error_scale, model.learned.error_floor_mag)
        parallax -= model.learned.zero_point_mas
        # The error of the zero point is shared by all stars; in each it is an error like others.
        parallax_error = np.hypot(
            parallax_error * model.learned.parallax_scale, model.learned.zero_point_error_mas
        )
        known = model.learned.knows(model.extinction_map, l_deg, stars.b)
        flags[~known] |= Flag.NOT_LEARNED
        if motion is not None:
            motion = motion.in_frame(
                model.learned.frame_masyr,
                model.learned.frame_error_masyr,
                model.learned.motion_scale,
            )
    return Prepared(
        keep,
        Observations(
            l_deg, stars.b, mag, mag_error, parallax, parallax_error, e_jks_rc, tau, motion
        ),
        flags,
    )


def outside_map_error(n_outside: int, row: int, l_deg: float, b_deg: float) -> OutsideModelError:
    """Return the error for stars outside the map: how many, and the first of them."""
    stars = "1 star lies" if n_outside == 1 else f"{n_outside} stars lie"
    return OutsideModelError(
        f"{stars} outside the extinction map (|l| < 9.5, |b| < 4.5 deg), the first in row {row} "
        f"(counted from 0) at l = {l_deg:.6g}, b = {b_deg:.6g} deg: remove them, or leave them out "
        'with [input] outside_map = "skip" in the config'
    )


def _photometry(
    stars: ObservedStars, use_hw: str, model_variance: Floats, flags: NDArray[np.int32]
) -> tuple[Floats, Floats]:
    """Magnitudes and errors that are used, (n_star, n_band); sets bits of `flags`."""
    mag, error = stars.mag.copy(), stars.mag_error.copy()
    synthetic = slice(len(LINEAR_BANDS), None)
    if use_hw == "when_needed":
        given = np.isfinite(mag)
        redundant = given[:, J] & given[:, H]
        flags[redundant & given[:, synthetic].any(axis=1)] |= Flag.HW_REDUNDANT
        mag[redundant, synthetic] = error[redundant, synthetic] = np.nan
    # Of two synthetic magnitudes the more precise one is used.
    aside = set_aside(mag, error**2 + model_variance)
    flags[aside.any(axis=1)] |= Flag.HW_REDUNDANT
    mag[aside] = error[aside] = np.nan
    flags[np.isfinite(mag[:, synthetic]).any(axis=1)] |= Flag.HW_USED
    return mag, error


def _parallax(
    stars: ObservedStars, settings: ParallaxConfig, flags: NDArray[np.int32]
) -> tuple[Floats, Floats]:
    """Parallax without its zero point and error [mas], NaN if not used; sets bits of `flags`."""
    given = np.isfinite(stars.parallax)
    # A missing ruwe is no reason to distrust a parallax: many catalogues have none.
    good = given & (stars.parallax_error > 0) & ~(stars.ruwe > settings.ruwe_max)
    if not settings.use:
        good[:] = False
    else:
        flags[given & ~good] |= Flag.PARALLAX_REJECTED
    flags[good] |= Flag.PARALLAX_USED
    parallax = np.where(good, stars.parallax - settings.zero_point_mas, np.nan)
    return parallax, np.where(good, stars.parallax_error, np.nan)


def measured_motion(
    stars: ObservedStars, settings: MotionConfig, flags: NDArray[np.int32]
) -> MeasuredMotion | None:
    """Measured motions in Galactic axes; sets `flags`.

    Parameters
    ----------
    stars : ObservedStars
    settings : MotionConfig
        Has the quality cut.
    flags : ndarray of int32, shape (n_star,)
        Gets `Flag.MOTION_USED` and `Flag.MOTION_REJECTED`.

    Returns
    -------
    MeasuredMotion or None
        None if no star has a motion that is used.
    """
    with_pm = np.isfinite(stars.pmra) & np.isfinite(stars.pmdec)
    with_rv = np.isfinite(stars.radial_velocity)
    if not settings.use or not (with_pm | with_rv).any():
        return None
    error = np.maximum(stars.pmra_error, stars.pmdec_error)
    # A comparison with a missing error is false; a missing ruwe is no reason for distrust.
    good_pm = with_pm & (error <= settings.error_max_masyr) & ~(stars.ruwe > settings.ruwe_max)
    good_rv = with_rv & (stars.radial_velocity_error > 0)
    flags[(with_pm & ~good_pm) | (with_rv & ~good_rv)] |= Flag.MOTION_REJECTED
    flags[good_pm | good_rv] |= Flag.MOTION_USED
    if not (good_pm | good_rv).any():
        return None
    pm_l, pm_b = icrs_to_galactic_proper_motion(stars.ra, stars.dec, stars.pmra, stars.pmdec)
    correlation = np.nan_to_num(stars.pmra_pmdec_corr)
    across = correlation * stars.pmra_error * stars.pmdec_error
    angle = np.radians(galactic_north_angle(stars.ra, stars.dec))
    cos, sin = np.cos(angle), np.sin(angle)
    aa, dd = stars.pmra_error**2, stars.pmdec_error**2
    proper = (
        pm_l,
        pm_b,
        aa * cos**2 + dd * sin**2 - 2.0 * across * sin * cos,
        (aa - dd) * sin * cos + across * (cos**2 - sin**2),
        aa * sin**2 + dd * cos**2 + 2.0 * across * sin * cos,
    )
    radial = stars.radial_velocity, stars.radial_velocity_error**2
    return MeasuredMotion(
        *(np.where(good_pm, x, np.nan) for x in proper),
        *(np.where(good_rv, x, np.nan) for x in radial),
    )


def star_keys(stars: ObservedStars, seed: int, realisations: int) -> NDArray[np.uint64]:
    """Return the keys of the random streams, (n_star, n_realisation)."""
    return np.stack(
        [star_key(seed, stars.source_id, number) for number in range(realisations)], axis=1
    )


def velocity_uniforms(
    keys: NDArray[np.uint64],
) -> Callable[[int, NDArray[np.int64]], Floats]:
    """Random numbers for `GalacticModel.sample_velocity`, from the stream of each star."""

    def uniforms(attempt: int, rows: NDArray[np.int64]) -> Floats:
        return uniform(keys[rows], VELOCITY + N_AXES * attempt, N_AXES)

    return uniforms


def infer(
    data: Observations,
    flags: NDArray[np.int32],
    keys: NDArray[np.uint64],
    model: Model,
    workers: int = 1,
    evidences: EvidenceTable | None = None,
) -> Inferred:
    """Posterior of every star, and true stars drawn from it.

    Parameters
    ----------
    data : Observations
    flags : ndarray of int32, shape (n_star,)
        See `Prepared`.
    keys : ndarray of uint64, shape (n_star, n_realisation)
        See `star_keys`.
    model : Model
    workers : int
        Threads; they do not change the result.
    evidences : EvidenceTable, optional
        Evidences of the model's own stars; without it no star has an `evidence_pvalue`.

    Returns
    -------
    Inferred
    """
    mixture = mixture_of(model)
    clean = model.posterior.infer_case(data, keys, workers)
    of_clean = evidence_of(clean.summary)
    summary, draws = model.posterior.mix(clean, data, keys, workers, mixture)
    draw_unexplained(data, keys, summary, draws, model.posterior, workers)
    x, y, z = model.galaxy.position(data.l_deg[:, None], data.b_deg[:, None], draws.distance_pc)
    velocity = model.galaxy.sample_velocity(
        draws.component.ravel(), x.ravel(), y.ravel(), z.ravel(), velocity_uniforms(keys.ravel())
    )
    if data.motion is not None:
        velocity = with_measured_motion(data, data.motion, draws, keys, velocity, model)
    p_value = np.full(data.n_star, np.nan)
    if evidences is not None:
        p_value = evidences.p_value(data, model.posterior.variance(data), of_clean)
    of_star = flags | np.where(summary.inflation > 0, Flag.ERRORS_INFLATED, 0)
    # Without a p-value: what no case explains.
    unexplained = np.where(np.isfinite(p_value), p_value < LEAST_P_VALUE, summary.inflation > 0)
    of_star |= np.where(unexplained, Flag.UNEXPLAINED, 0)
    # The true star has every synthetic band, whether or not it was observed.
    j, h = draws.mag[..., J], draws.mag[..., H]
    extrapolated = np.any([~r.is_valid(j, h) for r in model.relations.values()], axis=0)
    of_draw = np.where(extrapolated, Flag.HW_EXTRAPOLATED, 0)
    return Inferred(
        summary,
        draws,
        velocity.reshape(*keys.shape, N_AXES),
        p_value,
        np.isfinite(data.mag).sum(axis=1).astype(np.int16),
        (of_star[:, None] | of_draw).astype(np.int32),
    )


def mixture_of(model: Model) -> Mixture | None:
    """Return the mixture of cases that was learned; None if nothing was learned."""
    learned = model.learned
    if learned is None:
        return None
    doubt = Doubt(learned.doubt_class, learned.doubt_limit)

    def doubtful(data: Observations, summary: PosteriorSummary) -> NDArray[np.bool_]:
        expected = log_expected(data, summary.log_evidence, model.posterior.variance(data))
        return (summary.inflation > 0) | doubted(doubt, data, expected)

    in_use = of_cases_in_use(learned.case_fraction, model.config.learn.cases)
    return Mixture(in_use, doubtful)
