"""Initial mass function: a continuous broken power law with analytic integrals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.errors import InputError


@dataclass(frozen=True)
class BrokenPowerLaw:
    """dN/dM ~ M^-slope in segments, continuous, normalised to one star in total.

    Attributes
    ----------
    edges_msun : tuple of float, (n_segment + 1,)
        Rising borders of the segments, Msun; no stars outside.
    slopes : tuple of float, (n_segment,)
        Positive numbers fall with mass.

    Raises
    ------
    InputError
        The borders do not rise, or the number of slopes does not fit.
    """

    edges_msun: tuple[float, ...]
    slopes: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the borders."""
        rising = all(low < high for low, high in zip(self.edges_msun, self.edges_msun[1:]))
        if len(self.edges_msun) != len(self.slopes) + 1 or not rising or self.edges_msun[0] <= 0:
            raise InputError(
                "an IMF needs rising positive edges_msun and one slope fewer than edges, "
                f"got edges {self.edges_msun} and slopes {self.slopes}"
            )

    @cached_property
    def _amplitudes(self) -> Floats:
        """Factor of M^-slope in each segment, for one star in total, (n_segment,)."""
        amplitude = np.ones(len(self.slopes))
        for i in range(1, len(self.slopes)):
            step = self.slopes[i] - self.slopes[i - 1]
            amplitude[i] = amplitude[i - 1] * self.edges_msun[i] ** step
        total = sum(
            a * float(_power_integral(-s, np.array(low), np.array(high)))
            for a, s, low, high in zip(amplitude, self.slopes, self.edges_msun, self.edges_msun[1:])
        )
        return amplitude / total

    def density(self, mass: ArrayLike) -> Floats:
        """Stars per Msun of initial mass at `mass` (n,), for one star in total."""
        m = np.asarray(mass, dtype=np.float64)
        edges = np.asarray(self.edges_msun)
        segment = np.clip(np.searchsorted(edges, m, side="right") - 1, 0, len(self.slopes) - 1)
        inside = (m >= edges[0]) & (m <= edges[-1])
        safe = np.where(inside, m, 1.0)
        value = self._amplitudes[segment] * safe ** -np.asarray(self.slopes)[segment]
        return np.where(inside, value, 0.0)

    def number(self, low: ArrayLike, high: ArrayLike) -> Floats:
        """Count stars in [low, high] Msun, as a fraction of all born ones; broadcasts."""
        return self._moment(0, low, high)

    def mass(self, low: ArrayLike, high: ArrayLike) -> Floats:
        """Sum the mass of the stars in [low, high] Msun, in Msun per born star; broadcasts."""
        return self._moment(1, low, high)

    @property
    def mean_mass(self) -> float:
        """Mean initial mass, Msun."""
        return float(self.mass(self.edges_msun[0], self.edges_msun[-1]))

    def quantile(self, fraction: ArrayLike) -> Floats:
        """Find the mass (n,) in Msun below which a `fraction` (n,) of the born stars lies."""
        u = np.asarray(fraction, dtype=np.float64)
        edges = np.asarray(self.edges_msun)
        below = self.number(edges[0], edges)
        segment = np.clip(np.searchsorted(below, u, side="right") - 1, 0, len(self.slopes) - 1)
        exponent = 1.0 - np.asarray(self.slopes)[segment]
        part = (u - below[segment]) / self._amplitudes[segment]
        low = edges[segment]
        flat = np.abs(exponent) < 1e-9  # M^-1: the integral is a logarithm
        safe = np.where(flat, 1.0, exponent)
        rising = np.maximum(low**safe + safe * part, 0.0) ** (1.0 / safe)
        return np.clip(np.where(flat, low * np.exp(part), rising), edges[0], edges[-1])

    def _moment(self, power: int, low: ArrayLike, high: ArrayLike) -> Floats:
        """Integral of M^power dN from `low` to `high`, broadcast."""
        a, b = np.broadcast_arrays(
            np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        )
        total = np.zeros(a.shape)
        for i, slope in enumerate(self.slopes):
            first, last = self.edges_msun[i], self.edges_msun[i + 1]
            part = _power_integral(power - slope, np.clip(a, first, last), np.clip(b, first, last))
            total += self._amplitudes[i] * part
        return total


def _power_integral(exponent: float, low: Floats, high: Floats) -> Floats:
    """Integral of M^exponent from `low` to `high`."""
    n = exponent + 1.0
    if abs(n) < 1e-9:
        return np.log(high / low)
    return (high**n - low**n) / n


def load_imf(variant: str = "E+E_X", *, source: str = "koshimoto2021") -> BrokenPowerLaw:
    """IMF of the package data (``imf.toml``).

    Parameters
    ----------
    variant : str
        For Koshimoto+2021 the form of the bar that the IMF was fitted with ("E", "G", "E+E_X",
        "G+G_X"); for Kroupa 2001 "default".
    source : {"koshimoto2021", "kroupa2001"}

    Raises
    ------
    InputError
        Unknown name.
    """
    table = read_toml("imf.toml")
    if source not in table:
        raise InputError(f"unknown IMF source {source!r}; valid: {', '.join(table)}")
    variants = {name: row for name, row in table[source].items() if isinstance(row, dict)}
    if variant not in variants:
        raise InputError(f"unknown IMF {variant!r} of {source}; valid: {', '.join(variants)}")
    row = variants[variant]
    return BrokenPowerLaw(tuple(row["edges_msun"]), tuple(row["slopes"]))
