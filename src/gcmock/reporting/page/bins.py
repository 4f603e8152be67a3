"""Regular bins, filled chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """Bins of equal width.

    Parameters
    ----------
    low : float
        Lower edge of the first bin.
    step : float
        Width of a bin.
    n : int
        Number of bins.
    """

    low: float
    step: float
    n: int

    @property
    def edges(self) -> Floats:
        """Edges, (n + 1,)."""
        return np.asarray(self.low + self.step * np.arange(self.n + 1), np.float64)

    @property
    def centres(self) -> Floats:
        """Centres, (n,)."""
        return np.asarray(self.low + self.step * (np.arange(self.n) + 0.5), np.float64)

    def place(self, values: ArrayLike) -> Places:
        """Bin of every value (n_row,); `n` for values outside and for NaN."""
        with np.errstate(invalid="ignore"):
            scaled = (np.asarray(values, np.float64) - self.low) / self.step
            inside = (scaled >= 0.0) & (scaled < self.n)
        return np.where(inside, scaled, self.n).astype(np.int64)

    def coarser(self, factor: int) -> Axis:
        """Bins that hold `factor` of these each; a rest at the end is left out."""
        return Axis(self.low, self.step * factor, self.n // factor)


def flat_place(axes: tuple[Axis, ...], values: tuple[Places, ...]) -> Places:
    """Flat bin of the places on several axes (n_row,); one past the last if outside any of them."""
    flat = values[0]
    outside = values[0] == axes[0].n
    for axis, index in zip(axes[1:], values[1:], strict=True):
        flat = flat * axis.n + index
        outside = outside | (index == axis.n)
    return np.where(outside, int(np.prod([axis.n for axis in axes])), flat)


def count(where: Places, shape: tuple[int, ...], weights: Floats | None = None) -> Floats:
    """Count per bin, or sum weights, in the shape of the bins; what is outside is left out."""
    n = int(np.prod(shape))
    return np.bincount(where, weights, minlength=n + 1)[:n].astype(np.float64).reshape(shape)


def merged(values: Floats, factor: int) -> Floats:
    """Sum (n_x // factor, n_y // factor) over blocks of an array (n_x, n_y)."""
    n_x, n_y = (n // factor for n in values.shape)
    blocks = values[: n_x * factor, : n_y * factor].reshape(n_x, factor, n_y, factor)
    return np.asarray(blocks.sum(axis=(1, 3)))


def occupied(values: Floats, tail: float = 0.0) -> slice:
    """Range of the bins of a histogram (n,) that holds all but a fraction `tail` at either end."""
    total = np.cumsum(values)
    if total.size == 0 or total[-1] <= 0.0:
        return slice(0, len(values))
    first = int(np.searchsorted(total, tail * total[-1], side="right"))
    last = int(np.searchsorted(total, (1.0 - tail) * total[-1], side="left"))
    return slice(min(first, last), last + 1)
