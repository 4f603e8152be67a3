"""What the posterior is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats


class MeasuredMotion(NamedTuple):
    """Measured motions, without the floors; NaN where there is no such measurement.

    Of one star (numbers) or of many (arrays of shape (n_star,)).

    Attributes
    ----------
    pm_l, pm_b : float or ndarray
        Proper motion in Galactic axes, pm_l cos b and pm_b [mas/yr].
    pm_ll, pm_lb, pm_bb : float or ndarray
        Covariances of the proper motion [mas²/yr²].
    radial_velocity, rv_variance : float or ndarray
        Radial velocity [km/s] and its variance [km²/s²].
    """

    pm_l: Any
    pm_b: Any
    pm_ll: Any
    pm_lb: Any
    pm_bb: Any
    radial_velocity: Any
    rv_variance: Any

    @classmethod
    def missing(cls, n_star: int) -> MeasuredMotion:
        """Return the motions of stars without any."""
        return cls(*(np.full(n_star, np.nan) for _ in cls._fields))

    def take(self, part: NDArray[Any] | slice | int) -> MeasuredMotion:
        """Return some of the motions, or that of one star."""
        return MeasuredMotion(*(x[part] for x in self))

    def with_errors(self, factor: float) -> MeasuredMotion:
        """Return the motions with so many times the errors of the proper motions."""
        return self._replace(
            pm_ll=self.pm_ll * factor**2, pm_lb=self.pm_lb * factor**2, pm_bb=self.pm_bb * factor**2
        )

    def in_frame(self, offset: Floats, offset_error: Floats, scale: float) -> MeasuredMotion:
        """Return the motions without the offset of their frame, and with scaled errors.

        Parameters
        ----------
        offset, offset_error : ndarray, shape (2,)
            In pm_l cos b and pm_b [mas/yr]; the error is shared by all stars, and in each of them
            an error like others.
        scale : float
            Factor on the errors of the proper motions.
        """
        scaled = self.with_errors(scale)
        return scaled._replace(
            pm_l=self.pm_l - offset[0],
            pm_b=self.pm_b - offset[1],
            pm_ll=scaled.pm_ll + offset_error[0] ** 2,
            pm_bb=scaled.pm_bb + offset_error[1] ** 2,
        )

    @property
    def has_pm(self) -> NDArray[np.bool_]:
        """Whether there is a proper motion."""
        return np.isfinite(self.pm_l)

    @property
    def has_rv(self) -> NDArray[np.bool_]:
        """Whether there is a radial velocity."""
        return np.isfinite(self.radial_velocity)

    @property
    def vector(self) -> Floats:
        """Components pm_l cos b, pm_b, v_r, shape (..., 3) [mas/yr, mas/yr, km/s]."""
        return np.stack([self.pm_l, self.pm_b, self.radial_velocity], axis=-1)

    @property
    def covariance(self) -> Floats:
        """Covariance of `vector`, shape (..., 3, 3)."""
        zero = np.zeros_like(self.pm_l)
        rows = (
            (self.pm_ll, self.pm_lb, zero),
            (self.pm_lb, self.pm_bb, zero),
            (zero, zero, self.rv_variance),
        )
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


class Observations(NamedTuple):
    """What the posterior is computed from; NaN where a star has no such measurement.

    Attributes
    ----------
    l_deg, b_deg : ndarray, shape (n_star,)
        Position [deg].
    mag, mag_error : ndarray, shape (n_star, n_band)
        Magnitudes in the bands of `gcmock.words.bands.BANDS` and their standard errors [mag],
        without the error floor. A NaN magnitude is not used.
    parallax, parallax_error : ndarray, shape (n_star,)
        Parallax corrected for its zero point, and error [mas].
    e_jks_rc, tau : ndarray, shape (n_star,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    motion : MeasuredMotion, optional
        Measured motions. None: no star has any.
    """

    l_deg: Floats
    b_deg: Floats
    mag: Floats
    mag_error: Floats
    parallax: Floats
    parallax_error: Floats
    e_jks_rc: Floats
    tau: Floats
    motion: MeasuredMotion | None = None

    def take(self, part: NDArray[Any] | slice) -> Observations:
        """Return some of the stars."""
        taken = {name: getattr(self, name)[part] for name in _COLUMNS}
        motion = None if self.motion is None else self.motion.take(part)
        return Observations(**taken, motion=motion)

    @property
    def n_star(self) -> int:
        """Number of stars."""
        return int(self.l_deg.size)

    @property
    def with_motion(self) -> bool:
        """Whether any star has a measured motion."""
        return self.motion is not None and bool((self.motion.has_pm | self.motion.has_rv).any())


_COLUMNS = tuple(name for name in Observations._fields if name != "motion")


def joined(parts: Sequence[Observations]) -> Observations:
    """Concatenate observations; those without any motion have none to show."""
    motion = None
    if any(part.motion is not None for part in parts):
        motions = [part.motion or MeasuredMotion.missing(part.n_star) for part in parts]
        motion = MeasuredMotion(*(np.concatenate(x) for x in zip(*motions, strict=True)))
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return Observations(**columns, motion=motion)
