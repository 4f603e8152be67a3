"""Kinds of stars: those that a kernel can take together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.posterior.kernel.lattice import Steps
from gcmock.posterior.kernel.limits import Limits
from gcmock.words.bands import (
    N_LINEAR,
    band,
    by_colour,
    equivalent,
    has_synthetic,
    linear_part,
)

KS_BIT = band("ks").bit

WELL_KNOWN = 0.3
"""Largest error of a synthetic magnitude over the width of a limit in a magnitude, for a star on a
lattice."""

FEW_STARS = 100
"""Kinds with fewer stars share a finer lattice: to make one takes as long as the curves of about so
many stars."""

BOX = 2
"""Steps along every coordinate within which such kinds are joined."""

NARROW_COLOUR = 1
"""Widest step in J - H of a lattice for stars with limits, by its place in `STEPS_COLOUR`."""


class StarKind(NamedTuple):
    """What the stars of a block have in common.

    Attributes
    ----------
    mask, row : int
        Band mask, row of the extinction law.
    steps : Steps
        Steps of the lattice; -1 for a sum over nodes.
    synthetic : int
        Which of the synthetic bands the mask means; 0 if it has none.
    """

    mask: int
    row: int
    steps: Steps
    synthetic: int = 0

    @property
    def on_lattice(self) -> bool:
        """Whether the stars are summed over a lattice."""
        return self.mask > 0 and self.steps.w >= 0

    @property
    def bands(self) -> int:
        """Band mask of the tables: those that say the same; any one without photometry."""
        return equivalent(self.mask) or KS_BIT

    @property
    def tables(self) -> tuple[int, int, int]:
        """What the tables depend on besides the steps: bands, row of the law, synthetic band."""
        return self.bands, self.row, self.synthetic if has_synthetic(self.bands) else 0


Lattices: TypeAlias = Literal["own", "few", "one"]
"""Whose lattices stars are summed over: what they need themselves, so that no star depends on
others; few, which stars of a sample that need nearly the same share; one for all with the same
bands, the finest that any of them needs, which saves time where the law changes with every call."""

Kinds: TypeAlias = list[tuple[StarKind, NDArray[np.int64]]]
"""Kinds, and the indices of their stars."""


def synthetic_of(mag: Floats, variance: Floats) -> NDArray[np.int64]:
    """Which synthetic band of every star enters its posterior: the most precise, 0 without any.

    Parameters
    ----------
    mag, variance : ndarray, shape (n_star, n_band)
        Magnitudes [mag] and their variances with the model's own [mag²].
    """
    used = np.where(np.isfinite(mag), variance, np.inf)[:, N_LINEAR:]
    return np.asarray(np.argmin(np.where(np.isnan(used), np.inf, used), axis=1), np.int64)


def set_aside(mag: Floats, variance: Floats) -> NDArray[np.bool_]:
    """Magnitudes that a posterior leaves out: of two synthetic ones the less precise.

    Parameters
    ----------
    mag, variance : ndarray, shape (n_star, n_band)
        Magnitudes [mag] and their variances with the model's own [mag²].

    Returns
    -------
    ndarray of bool, shape (n_star, n_band)
        Which are given but not used.
    """
    aside = np.isfinite(mag)
    aside[:, :N_LINEAR] = False
    aside[np.arange(len(mag)), N_LINEAR + synthetic_of(mag, variance)] = False
    return aside


def different_rows(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different rows of small integers in their order, and which of them each row is.

    `numpy.unique` along an axis does the same, several times slower.
    """
    if not len(codes):
        return codes, np.zeros(0, np.int64)
    low = codes.min(axis=0)
    number = np.ravel_multi_index(tuple((codes - low).T), tuple(np.ptp(codes, axis=0) + 1))
    _, first, of_row = np.unique(number, return_index=True, return_inverse=True)
    return codes[first], of_row


def group_by_kind(
    codes: NDArray[np.int64], l_deg: NDArray[np.float64], b_deg: NDArray[np.float64]
) -> Kinds:
    """Return the kinds of stars and the indices of their stars, neighbours in the sky together.

    Parameters
    ----------
    codes : ndarray of int64, shape (n_star, 7)
        Mask, row, synthetic band and steps of every star.
    l_deg, b_deg : ndarray, shape (n_star,)
        Position [deg].
    """
    kinds, of_star = different_rows(codes)
    groups = []
    for i, kind in enumerate(kinds):
        members = np.flatnonzero(of_star == i)
        # Neighbours share cached priors.
        members = members[np.lexsort((b_deg[members], l_deg[members]))]
        mask, row, synthetic, *steps = (int(x) for x in kind)
        groups.append((StarKind(mask, row, Steps(*steps), synthetic), members))
    return groups


def sharing(kinds: Kinds, lattices: Lattices) -> Kinds:
    """Return kinds with the lattices that they share."""
    if lattices == "one":
        return one_lattice_each(kinds)
    return few_lattices(kinds) if lattices == "few" else kinds


def one_lattice_each(kinds: Kinds) -> Kinds:
    """Merge kinds that differ in their lattices alone."""
    return _joined(kinds, lambda kind: (kind.mask, kind.row, kind.synthetic, kind.on_lattice))


def few_lattices(kinds: Kinds) -> Kinds:
    """Merge kinds with few stars that differ a little in the steps of their lattices.

    The lattices that they share are finer than what most of their stars need. Which stars share one
    depends on which there are: for calculations that take all stars of a sample at once.
    """
    few = [pair for pair in kinds if pair[1].size < FEW_STARS]
    many = [pair for pair in kinds if pair[1].size >= FEW_STARS]
    return many + _joined(few, _box_of)


def _box_of(kind: StarKind) -> tuple[object, ...]:
    steps = kind.steps
    ranges = (steps.w // BOX, steps.c // BOX, steps.q // BOX, steps.tilt)
    return kind.mask, kind.row, kind.synthetic, kind.on_lattice, ranges


def _joined(kinds: Kinds, key: Callable[[StarKind], tuple[object, ...]]) -> Kinds:
    """Join kinds with the same key; the finest of their steps holds for all."""
    merged: dict[tuple[object, ...], Kinds] = {}
    for kind, members in kinds:
        merged.setdefault(key(kind), []).append((kind, members))
    out = []
    for group in merged.values():
        steps = np.array([kind.steps for kind, _ in group])
        tilt = max(group, key=lambda pair: pair[1].size)[0].steps.tilt
        finest = Steps(*(int(x) for x in (*steps[:, :3].min(axis=0), tilt)))
        out.append((group[0][0]._replace(steps=finest), np.concatenate([m for _, m in group])))
    return out


def for_limits(mask: int, limits: Limits, variance: Floats, steps: NDArray[np.int64]) -> None:
    """Change the steps of stars of whom limits say something, in place.

    Rows of colour know the reddening well, if they are narrow, and the magnitudes that were not
    observed as well as the synthetic one was. Where that is not well enough for a limit in a
    magnitude, the star is summed over nodes, as it is with other bands: places of other lattices do
    not know the bands that are limited.

    Parameters
    ----------
    mask : int
        Band mask.
    limits : Limits
    variance : ndarray, shape (n_star,)
        Of the synthetic magnitude [mag²].
    steps : ndarray of int64, shape (n_star, 4)
    """
    seen = np.array([bool(mask >> b & 1) for b in range(N_LINEAR + 1)])
    level = np.abs(np.where(seen, 0.0, limits.coefficient).sum(axis=1))
    # Beside another band it is not the synthetic one alone that tells a magnitude.
    error = np.inf if linear_part(mask) else np.sqrt(variance)[:, None]
    wide = np.where(level > 0.0, error, 0.0) > WELL_KNOWN * limits.width
    by_nodes = np.broadcast_to(wide, (len(steps), level.size)).any(axis=1) | (not by_colour(mask))
    steps[by_nodes] = (-1, -1, -1, 0)
    known = steps[:, 2] >= 0
    steps[known, 2] = np.minimum(steps[known, 2], NARROW_COLOUR)
