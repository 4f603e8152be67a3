"""A sample of stars with their posteriors over the distance, small enough to travel in the page.

The sample are the stars with the smallest hashes of their identifiers: the same stars whatever the
order of the rows, found in one pass, in the catalogue and in the input alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats, Table
from gcmock.errors import InputError
from gcmock.io.observed import ObservedStars
from gcmock.mock.infer import prepare
from gcmock.model import Model
from gcmock.random import star_key
from gcmock.reporting.page.tally import GROUP_OF
from gcmock.settings.build import InferencePolicy
from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.components import GROUPS

Keys = NDArray[np.uint64]

VIEW_COLUMNS: Final = (
    "source_id",
    "l",
    "b",
    *(magnitude_name(band) for band in BANDS),
    "component",
    "distance_pc",
    "a_ks",
    "log_evidence",
    "n_bands",
    "flags",
)
"""Columns of the catalogue that the view of single stars shows beside the posterior."""

QUANTILE_COLUMNS: Final = tuple(f"distance_q{percent:02d}_pc" for percent in (5, 16, 50, 84, 95))

_SAME_PLACE_DEG: Final = 1e-5
"""Positions are kept bit by bit, but those of one system follow from the other."""

_SEED, _STREAM, _BATCH = 20_262, -3, 128
_ZONES: Final = ((-8.16, 0.25), (-1.16, 0.1), (-0.36, 0.02), (0.36, 0.1), (1.16, 0.25), (7.85, 0))
"""Where the bins of the page begin, from the Galactic centre, and how wide they are [kpc]."""


def sample_keys(source_id: NDArray[Any]) -> Keys:
    """Hashes by which stars are chosen, (n_row,)."""
    return star_key(_SEED, source_id, _STREAM)


@dataclass
class RowSample:
    """The `n` stars of a catalogue with the smallest hashes.

    Parameters
    ----------
    n : int
        Size of the sample.
    columns : tuple of str
        Columns that are kept.
    """

    n: int
    columns: tuple[str, ...]
    rows: Columns = field(default_factory=dict)
    keys: Keys = field(default_factory=lambda: np.empty(0, np.uint64))

    def add(self, chunk: Table) -> None:
        """Offer rows; further realisations of a star are passed over."""
        if self.n == 0:
            return
        keys = sample_keys(chunk["source_id"])
        wanted = chunk["realisation"] == 0 if "realisation" in chunk else np.ones(len(keys), bool)
        if self.keys.size == self.n:
            wanted = wanted & (keys < self.keys[-1])
        chosen = np.flatnonzero(wanted)
        if not chosen.size:
            return
        all_keys = np.concatenate((self.keys, keys[chosen]))
        order = np.argsort(all_keys, kind="stable")[: self.n]
        for name in self.columns:
            new = chunk[name][chosen]
            old = self.rows.get(name, new[:0])
            self.rows[name] = np.concatenate((old, new))[order]
        self.keys = all_keys[order]

    def __len__(self) -> int:
        return self.keys.size

    def place(self, source_id: NDArray[Any]) -> NDArray[np.int64]:
        """Row of the sample of every identifier (n_row,); -1 for stars that are not in it."""
        if not self.keys.size:
            return np.full(len(source_id), -1)
        keys = sample_keys(source_id)
        index = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
        return np.where(self.keys[index] == keys, index, -1)


def distance_edges(r0_pc: float, low_pc: float, high_pc: float) -> Floats:
    """Edges of the bins of the page [pc]: fine around the Galactic centre."""
    pieces = [
        np.arange(start, stop - 0.5 * step, step) for (start, step), (stop, _) in pairwise(_ZONES)
    ]
    edges = r0_pc + 1e3 * np.concatenate(pieces)
    inside = edges[(edges > low_pc) & (edges < high_pc)]
    return np.concatenate(([low_pc], inside, [high_pc]))


@dataclass
class Posteriors:
    """Posteriors over the distance of the stars of a sample.

    Attributes
    ----------
    edges_pc : ndarray, shape (n_bin + 1,)
    probability : ndarray, shape (n_star, n_group, n_bin)
        P(group, distance bin | data); zero for a star that was not found in the input.
    mag, mag_error : ndarray, shape (n_star, n_band)
        Observed magnitudes and errors [mag].
    known : ndarray of bool, shape (n_star,)
        Stars that were found.
    """

    edges_pc: Floats
    probability: Floats
    mag: Floats
    mag_error: Floats
    known: NDArray[np.bool_]


class PosteriorsOf:
    """Computes the posteriors of the stars of a sample while the input streams by.

    Parameters
    ----------
    sample : RowSample
    model : Model
        That of the catalogue.
    policy : InferencePolicy
        What the catalogue did with the stars.
    """

    def __init__(self, sample: RowSample, model: Model, policy: InferencePolicy) -> None:
        self._sample, self._model, self._policy = sample, model, policy
        grid = model.grid
        edges = distance_edges(model.galaxy.sun.r0_pc, grid.edges_pc[0], grid.edges_pc[-1])
        n = len(sample)
        self._found = np.zeros(n, bool)
        self.result = Posteriors(
            edges,
            np.zeros((n, len(GROUPS), edges.size - 1)),
            np.full((n, len(BANDS)), np.nan),
            np.full((n, len(BANDS)), np.nan),
            np.zeros(n, bool),
        )

    def add(self, stars: ObservedStars) -> None:
        """Compute those of the stars that are in the sample."""
        place = self._sample.place(stars.source_id)
        chosen = np.flatnonzero(place >= 0)
        if not chosen.size:
            return
        rows = self._sample.rows
        here = place[chosen]
        along_l = (stars.l[chosen] - rows["l"][here] + 180.0) % 360.0 - 180.0
        along_b = stars.b[chosen] - rows["b"][here]
        self._found[here[np.maximum(np.abs(along_l), np.abs(along_b)) < _SAME_PLACE_DEG]] = True
        inside = self._model.extinction_map.inside(stars.l[chosen], stars.b[chosen])
        chosen = chosen[inside]
        for start in range(0, chosen.size, _BATCH):
            part = chosen[start : start + _BATCH]
            self._compute(stars.take(part), place[part])

    def check(self, path: object) -> None:
        """Refuse an input that is not the one from which the catalogue was built.

        Parameters
        ----------
        path : str or Path
            The input, for the message.

        Raises
        ------
        InputError
            If it lacks stars of the catalogue, or has them at other places.
        """
        lost = ~self._found
        if lost.any():
            first = self._sample.rows["source_id"][lost][0]
            raise InputError(
                f"{path}: {int(lost.sum()):,} of {lost.size:,} stars of the catalogue that were "
                f"looked up are not in it, or at another place (first: source_id {first}): give "
                "the table from which the catalogue was built"
            )

    def _compute(self, stars: ObservedStars, place: NDArray[np.int64]) -> None:
        prepared = prepare(stars, self._model, self._policy)
        stars, place = stars.take(prepared.keep), place[prepared.keep]
        joint, _ = self._model.posterior.joint(prepared.data)
        fine = np.stack([joint[:, i == GROUP_OF].sum(axis=1) for i in range(len(GROUPS))], axis=1)
        result = self.result
        result.probability[place] = rebinned(fine, self._model.grid.edges_pc, result.edges_pc)
        result.mag[place], result.mag_error[place] = stars.mag, stars.mag_error
        result.known[place] = True


def rebinned(probability: Floats, edges: Floats, coarse: Floats) -> Floats:
    """Probability per coarse bin (..., n_coarse) of one per fine bin (..., n_fine).

    Inside a fine bin it is taken as uniform.
    """
    zero = np.zeros((*probability.shape[:-1], 1))
    total = np.concatenate((zero, np.cumsum(probability, axis=-1)), axis=-1)
    place = np.interp(coarse, edges, np.arange(edges.size))
    index = np.minimum(place.astype(int), edges.size - 2)
    fraction = place - index
    at_edge = total[..., index] * (1.0 - fraction) + total[..., index + 1] * fraction
    return np.asarray(np.diff(at_edge, axis=-1))
