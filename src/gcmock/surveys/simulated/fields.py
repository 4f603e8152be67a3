"""Fields of a survey: its footprint, the offsets that all stars of a field share, and overlaps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats, Integers
from gcmock.random import star_key, uniform
from gcmock.surveys.simulated.instrument import Instrument

FIELD_STREAM = -3000
"""With the number of the survey subtracted it stands for the realisation in keys."""

ORIGIN = 0.37
"""Borders of fields lie this much of a pitch before l = 0 and b = 0: an arbitrary number."""

N_COPIES = 4
"""Fields overlap along l and along b: a corner belongs to four."""


class SurveyFields(NamedTuple):
    """What is common to the sources of a field; each array has one row a source.

    Attributes
    ----------
    identity : ndarray of int64, shape (n,)
        The field.
    zero_point : ndarray, shape (n, 3)
        Added to its magnitudes [mag].
    depth : ndarray, shape (n,)
        Added to its limits [mag]: seeing and sky differ from field to field.
    east, north : ndarray, shape (n,)
        Added to its positions [mas].
    epoch : ndarray, shape (n,)
        [Julian year].
    along_l, along_b : ndarray, shape (n,)
        Place in the field [arcsec] from its lower corner.
    """

    identity: Integers
    zero_point: Floats
    depth: Floats
    east: Floats
    north: Floats
    epoch: Floats
    along_l: Floats
    along_b: Floats

    def take(self, rows: Integers) -> SurveyFields:
        """Return those of some sources."""
        parts: Any = (field[rows] for field in self)
        return SurveyFields(*parts)


def in_footprint(l_deg: Floats, b_deg: Floats, instrument: Instrument) -> NDArray[np.bool_]:
    """Return whether a survey has looked at positions [deg]."""
    if not instrument.boxes_deg:
        return np.ones(l_deg.shape, np.bool_)
    inside = np.zeros(l_deg.shape, np.bool_)
    for l0, l1, b0, b1 in instrument.boxes_deg:
        inside |= (l_deg >= l0) & (l_deg < l1) & (b_deg >= b0) & (b_deg < b1)
    return inside


def apparitions(l_deg: Floats, b_deg: Floats, instrument: Instrument) -> tuple[Integers, Integers]:
    """Return every source once for each field that it lies in.

    Returns
    -------
    row, copy : ndarray of int64, shape (n_apparition,)
        The source, and the number of the field among its fields: 0 is the one of its place, 1 the
        one before along l, 2 the one before along b, 3 both.
    """
    overlap = instrument.overlap_arcsec / 3600.0
    pitch_l, pitch_b = instrument.field_deg
    again_l = (l_deg + ORIGIN * pitch_l) % pitch_l < overlap
    again_b = (b_deg + ORIGIN * pitch_b) % pitch_b < overlap
    whether = (np.ones(l_deg.size, np.bool_), again_l, again_b, again_l & again_b)
    rows = [np.flatnonzero(one) for one in whether]
    copy = np.repeat(np.arange(N_COPIES), [one.size for one in rows])
    row = np.concatenate(rows)
    order = np.lexsort((copy, row))
    return row[order], copy[order]


def fields_of(
    l_deg: Floats, b_deg: Floats, copy: Integers, instrument: Instrument, seed: int
) -> SurveyFields:
    """Return the field of each apparition, and what it does to all its sources.

    Parameters
    ----------
    l_deg, b_deg : ndarray, shape (n,)
        True positions [deg].
    copy : ndarray of int64, shape (n,)
        From `apparitions`.
    instrument : Instrument
    seed : int
    """
    pitch_l, pitch_b = instrument.field_deg
    i = np.floor(l_deg / pitch_l + ORIGIN).astype(np.int64) - (copy & 1)
    j = np.floor(b_deg / pitch_b + ORIGIN).astype(np.int64) - (copy >> 1)
    identity, of = np.unique((i << 24) + (j + (1 << 23)), return_inverse=True)
    key = star_key(seed, identity, FIELD_STREAM - instrument.stream)
    chance = uniform(key, 0, 7)
    normal = ndtri(chance[:, [0, 1, 2, 3, 4, 6]])
    first, last = instrument.epoch
    epoch = first + (last - first) * chance[:, 5]
    offset = instrument.field_offset_mas * normal[:, 3:5]
    return SurveyFields(
        identity[of],
        (np.array(instrument.zero_point_mag) * normal[:, :3])[of],
        instrument.depth_scatter_mag * normal[of, 5],
        offset[of, 0],
        offset[of, 1],
        epoch[of],
        3600.0 * (l_deg - (i - ORIGIN) * pitch_l),
        3600.0 * (b_deg - (j - ORIGIN) * pitch_b),
    )
