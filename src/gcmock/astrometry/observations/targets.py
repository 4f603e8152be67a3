"""The true stars that a mission observes, from a mock catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Columns, Floats, Integers
from gcmock.astrometry.directions.apparent import MovingStars
from gcmock.astrometry.directions.geometry import MAS, offset_direction
from gcmock.astrometry.directions.true_catalogue import TRUE_ASTROMETRY, integer_ids, open_catalogue
from gcmock.astrometry.missions.field import in_mission_window
from gcmock.astrometry.missions.mission import ObservableMission
from gcmock.errors import InputError
from gcmock.random import star_key, uniform
from gcmock.stars.gaia import gaia_g_mag

CATALOGUE_STREAM: Final = -4
"""Stands for the realisation in the keys of input positions."""

_READ_ROWS: Final = 500_000


class Targets(NamedTuple):
    """True stars that a mission observes, in the order of `source_id`.

    Attributes
    ----------
    source_id : ndarray of int64, shape (n_star,)
        Identifiers.
    stars : MovingStars
        Their astrometry.
    hw, g_mag : ndarray, shape (n_star,)
        Hw, and G as estimated from J and Ks [mag].
    colour : ndarray, shape (n_star,)
        J - Ks [mag].
    """

    source_id: Integers
    stars: MovingStars
    hw: Floats
    g_mag: Floats
    colour: Floats

    def take(self, rows: Integers) -> Targets:
        """Return some of them."""
        stars = MovingStars(*(values[rows] for values in self.stars))
        magnitudes = (self.hw[rows], self.g_mag[rows], self.colour[rows])
        return Targets(self.source_id[rows], stars, *magnitudes)


def read_targets(mock: Path, mission: ObservableMission, realisation: int) -> Targets:
    """Read the stars that a mission observes.

    Parameters
    ----------
    mock : Path
        A mock catalogue.
    mission : ObservableMission
        Its window and limits choose the stars.
    realisation : int
        The realisation that is taken for the truth.

    Returns
    -------
    Targets

    Raises
    ------
    InputError
        If columns are missing or no star is left.
    """
    names = ("source_id", *TRUE_ASTROMETRY, "phot_j_mag", "phot_ks_mag", "phot_hw_mag")
    catalogue = open_catalogue(
        mock, names, realisation=realisation, need="observations need the true astrometry"
    )
    limits = mission.magnitudes
    parts, n_star, n_inside = [], 0, 0
    for chunk in catalogue.chunks(_READ_ROWS):
        inside = in_mission_window(mission.window, chunk["ra"], chunk["dec"])
        hw = chunk["phot_hw_mag"]
        n_star += len(hw)
        n_inside += int(inside.sum())
        keep = inside & (hw >= limits.bright) & (hw <= limits.faint)
        parts.append({name: values[keep] for name, values in chunk.items()})
    table = {name: np.concatenate([part[name] for part in parts]) for name in names}
    if not len(table["ra"]):
        if n_star == 0:
            reason = f"it has no star of realisation {realisation}"
        elif n_inside == 0:
            reason = f"none of its {n_star:,} stars is in the window of {mission.name}"
        else:
            reason = (
                f"none of the {n_inside:,} stars in the window of {mission.name} has Hw between "
                f"{limits.bright:g} and {limits.faint:g}"
            )
        raise InputError(f"{mock}: nothing to observe: {reason}")
    ids = integer_ids(mock, table["source_id"])
    order = np.argsort(ids, kind="stable")
    if (np.diff(ids[order]) == 0).any():
        raise InputError(f"{mock}: a source_id occurs more than once in realisation {realisation}")
    stars = MovingStars(*(table[name][order] for name in TRUE_ASTROMETRY))
    j, ks = table["phot_j_mag"][order], table["phot_ks_mag"][order]
    return Targets(ids[order], stars, table["phot_hw_mag"][order], gaia_g_mag(j, ks), j - ks)


def source_table(
    mission: ObservableMission,
    source_id: NDArray[np.int64],
    stars: MovingStars,
    hw: Floats,
    seed: int,
) -> Columns:
    """Return the input catalogue: positions with errors, at the epoch of the mock catalogue."""
    error = mission.input_catalogue.position_error_mas
    shift = ndtri(uniform(star_key(seed, source_id, CATALOGUE_STREAM), 0, 2)) * error * MAS
    ra, dec = offset_direction(stars.ra, stars.dec, *shift.T)
    return {
        "source_id": source_id,
        "ra": ra,
        "dec": dec,
        "ra_error": np.full(len(ra), error),
        "dec_error": np.full(len(ra), error),
        "ref_epoch": stars.ref_epoch,
        "phot_hw_mag": hw,
        "primary": hw <= mission.magnitudes.primaries,
    }
