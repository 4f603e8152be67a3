"""A check without any truth: does the drawn reddening scatter about the map as it should.

For a draw with reddening e at distance D the pull is z = (e - E s(D)) / τ(D). If map, scatter,
law and isochrones are right, draws from the posterior of stars of the model have z with mean 0 and
standard deviation 1, whatever the stars tell of their reddening; a map that is 5 % off shows as a
mean of 0.1, a scatter that is too small as a standard deviation above 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.profile import dust_profile, scatter_at
from gcmock.learned import CELLS_PER_FIELD, FIELDS_IN_B, field_number
from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws
from gcmock.posterior.sightline import cell_of

UNIT: Final = 2.0**-20
"""Pulls are added up in integers of this size: sums of floats depend on their order."""

LARGEST: Final = 5.0
"""Larger pulls count as this: a star with dust of its own is no fault of the map."""

LEAST_STARS: Final = 50
"""Fewer stars of a field are not looked at by themselves."""

Sums = tuple[int, int, int, int]
"""Stars, draws, and sums of z and of z², in units of `UNIT`."""


class Pull(NamedTuple):
    """Pulls of some stars.

    Attributes
    ----------
    n_star : int
    mean, error, sd : float
        Mean, its standard error, and standard deviation.
    """

    n_star: int
    mean: float
    error: float
    sd: float

    @property
    def significance(self) -> float:
        """Deviation of the mean from 0 over its error."""
        return self.mean / self.error if self.error > 0.0 else 0.0

    def __str__(self) -> str:
        """Return mean with error, and standard deviation."""
        return f"{self.mean:+.3f} +- {self.error:.3f}, sd {self.sd:.2f}"


def pulls_of(data: Observations, draws: Draws, model: Model) -> dict[int, Sums]:
    """Add up the pulls of stars by field.

    Parameters
    ----------
    data : Observations
    draws : Draws
    model : Model

    Returns
    -------
    dict of int to Sums
        By the number of the field (`gcmock.learned.field_number`); empty for a list that was cut,
        whose stars are chosen by their reddening as well.
    """
    if model.limits:
        return {}
    sun = model.galaxy.sun
    cell = cell_of(data.l_deg, data.b_deg, (sun.sgr_a_l_deg, sun.sgr_a_b_deg))
    height = model.config.extinction.dust_scale_height_pc
    dust = dust_profile(cell.l_deg[:, None], cell.b_deg[:, None], height, model.profile_scatter)
    shape = dust.value(draws.distance_pc)
    known = np.isfinite(data.mag).any(axis=1) & (data.tau > 0.0)
    e_jks_rc = data.e_jks_rc[:, None]
    scatter = scatter_at(dust, e_jks_rc, np.where(known, data.tau, 1.0)[:, None], shape)
    z = (draws.e_jks - e_jks_rc * shape) / scatter
    z = np.clip(np.where(np.isfinite(z), z, 0.0), -LARGEST, LARGEST)
    first, second = (np.rint(x / UNIT).astype(np.int64).sum(axis=1) for x in (z, z**2))
    number = field_number(
        model.extinction_map, model.extinction_map.cell_index(data.l_deg, data.b_deg)
    )
    found = {}
    for one in np.unique(number[known]):
        rows = known & (number == one)
        n = int(rows.sum())
        found[int(one)] = n, n * z.shape[1], int(first[rows].sum()), int(second[rows].sum())
    return found


def added(one: Mapping[int, Sums], other: Mapping[int, Sums]) -> dict[int, Sums]:
    """Return the sums of both."""
    none = (0, 0, 0, 0)
    return {
        key: (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])
        for key in sorted({*one, *other})
        for a, b in [(one.get(key, none), other.get(key, none))]
    }


def pull_of(sums: Sums) -> Pull:
    """Return the pull of sums; draws of a star are one measurement."""
    n_star, n_draw, first, second = sums
    if not n_draw:
        return Pull(0, 0.0, 0.0, 0.0)
    mean = first * UNIT / n_draw
    sd = float(np.sqrt(max(second * UNIT / n_draw - mean**2, 0.0)))
    return Pull(n_star, mean, sd / float(np.sqrt(n_star)), sd)


def pulls_in_words(sums: Mapping[int, Sums]) -> str:
    """Say in a line how the drawn reddening scatters about the map; empty for few stars.

    Parameters
    ----------
    sums : mapping of int to Sums
        By field of the packaged map.
    """
    whole = (0, 0, 0, 0)
    for value in sums.values():
        whole = added({0: whole}, {0: value})[0]
    if whole[0] < LEAST_STARS:
        return ""
    words = f"drawn reddening about the map, (e - E s) / tau: mean {pull_of(whole)}"
    large = {key: pull_of(value) for key, value in sums.items() if value[0] >= LEAST_STARS}
    if len(large) > 1:
        key = max(large, key=lambda one: abs(large[one].significance))
        sky = ExtinctionMap.load()
        il, ib = divmod(key, FIELDS_IN_B)
        side = CELLS_PER_FIELD * sky.step_deg
        l_deg, b_deg = sky.l_min_deg + (il + 0.5) * side, sky.b_min_deg + (ib + 0.5) * side
        at = f"l {l_deg:.1f}, b {b_deg:.1f}"
        words += f"; furthest off in the field at {at}: {large[key]}"
    return words
