"""Stars of one magnitude, parallax and motion, whose evidence is known in closed form."""

from __future__ import annotations

import numpy as np

from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.words.bands import BANDS, LINEAR_BANDS

MAG, PARALLAX, INTRINSIC = 13.0, 0.12, 0.02
PM_L, PM_B, DISPERSION = -6.2, -0.2, 0.4


def normal(x, mean, width):
    return -0.5 * ((x - mean) / width) ** 2 - np.log(np.sqrt(2.0 * np.pi) * width)


class Known:
    """Stars of one magnitude in every band, one parallax, and motions with a dispersion.

    The evidence is a product of normals. Dust moves all bands by the same.
    """

    edges_pc = np.array([1.0, 2.0])
    motion = MotionModel(floor_masyr=0.1)

    def log_evidence(self, data, workers=1, *, lattices="own"):
        width = np.sqrt(data.mag_error**2 + INTRINSIC**2 + data.tau[:, None] ** 2)
        given = np.isfinite(data.mag)
        total = np.where(given, normal(data.mag, MAG, np.where(given, width, 1.0)), 0.0).sum(axis=1)
        with_parallax = np.isfinite(data.parallax)
        error = np.where(with_parallax, data.parallax_error, 1.0)
        total += np.where(with_parallax, normal(data.parallax, PARALLAX, error), 0.0)
        if data.motion is not None:
            motion, moving = data.motion, data.motion.has_pm
            for value, mean, variance in (
                (motion.pm_l, PM_L, motion.pm_ll), (motion.pm_b, PM_B, motion.pm_bb)
            ):  # fmt: skip
                width = np.sqrt(np.where(moving, variance, 1.0) + DISPERSION**2)
                # In units of the ellipse of the errors, as in a posterior.
                error = np.sqrt(variance + self.motion.floor_masyr**2)
                total += np.where(moving, normal(value, mean, width) + np.log(error), 0.0)
        return total

    def variance(self, data):
        return data.mag_error**2


def stars(n, seed=1, scale=1.0, zero=0.0, parallax_scale=1.0, with_parallax=True):
    """Stars whose errors are `scale` times what they are said to be."""
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.03, 0.08, (n, len(BANDS)))
    mag = MAG + np.hypot(scale * error, INTRINSIC) * rng.normal(size=error.shape)
    mag[:, len(LINEAR_BANDS) :] = error[:, len(LINEAR_BANDS) :] = np.nan
    nan, zeros = np.full(n, np.nan), np.zeros(n)
    parallax, parallax_error = nan, nan
    if with_parallax:
        parallax_error = rng.uniform(0.02, 0.1, n)
        parallax = PARALLAX + zero + parallax_scale * parallax_error * rng.normal(size=n)
    return Observations(zeros, zeros, mag, error, parallax, parallax_error, zeros + 2.0, zeros)


def moving(data, seed=1, scale=1.0, offset=(0.0, 0.0)):
    """The same stars with proper motions in a frame with an offset, errors `scale` times stated."""
    rng = np.random.default_rng(seed)
    n = data.n_star
    error = rng.uniform(0.2, 0.8, n)
    means = PM_L + offset[0], PM_B + offset[1]
    pm_l, pm_b = (m + np.hypot(DISPERSION, scale * error) * rng.normal(size=n) for m in means)
    zero, nan = np.zeros(n), np.full(n, np.nan)
    return data._replace(
        motion=MeasuredMotion(pm_l, pm_b, error**2, zero, error**2, nan, nan),
    )
