"""Observations in memory, sorted by star."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.astrometry.observations.folder import ObservationSet
from gcmock.astrometry.solver.problem import Floats
from gcmock.compilation import compiled
from gcmock.errors import InputError
from gcmock.progress import Progress


@dataclass(frozen=True)
class Store:
    """All observations sorted by star, primary stars first.

    Attributes
    ----------
    source_id : ndarray of int64, shape (n_source,)
    first : ndarray of int64, shape (n_source + 1,)
        Observations ``first[i]:first[i + 1]`` are those of star i.
    n_primary : int
    visit : ndarray of int32, shape (n_observation,)
    measured, root_weight : ndarray, shape (n_observation, 2)
        [mas], [1/mas].
    """

    source_id: NDArray[np.int64]
    first: NDArray[np.int64]
    n_primary: int
    visit: NDArray[np.int32]
    measured: Floats
    root_weight: Floats

    def kept(self, source: NDArray[np.bool_], visit: NDArray[np.bool_]) -> Store:
        """Return the store without some stars and visits; visits keep their numbers."""
        of = np.repeat(np.arange(len(self.source_id)), np.diff(self.first))
        rows = source[of] & visit[self.visit]
        counts = np.bincount(of[rows], minlength=len(source))[source]
        return Store(
            self.source_id[source],
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            int(source[: self.n_primary].sum()),
            self.visit[rows],
            self.measured[rows],
            self.root_weight[rows],
        )


def read_store(
    folder: ObservationSet,
    source_id: NDArray[np.int64],
    n_primary: int,
    n_visit: int,
    progress: Progress | None,
    *,
    known: NDArray[np.int64],
) -> Store:
    """Read the observations twice: to count them, and to put each at its place.

    Parameters
    ----------
    folder : ObservationSet
    source_id : ndarray of int64, shape (n_source,)
        Stars that are wanted, primary stars first.
    n_primary, n_visit : int
    progress : callable, optional
        Called with the numbers of rows read and in total.
    known : ndarray of int64, shape (n,)
        All stars that may have been observed.

    Raises
    ------
    InputError
        If observations have no visit, no star, a coordinate that is not finite, or an error that
        is not positive, or a star is observed twice in a visit.
    """
    by_id = np.argsort(source_id, kind="stable")
    sorted_id = source_id[by_id]
    counts = np.zeros(len(source_id), dtype=np.int64)
    done = 0

    def places(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.minimum(np.searchsorted(sorted_id, ids), len(sorted_id) - 1)
        return np.where(sorted_id[at] == ids, by_id[at], -1)

    for chunk in folder.observations():
        index = places(chunk["source_id"])
        check_chunk(folder, chunk, known, n_visit)
        counts += np.bincount(index[index >= 0], minlength=len(source_id))
        done += len(index)
        if progress:
            progress(done, 2 * folder.n_observation)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    n = int(first[-1])
    store = Store(
        source_id, first, n_primary, np.empty(n, np.int32), np.empty((n, 2)), np.empty((n, 2))
    )
    free = first[:-1].copy()
    for chunk in folder.observations():
        index = places(chunk["source_id"])
        measured = np.column_stack([chunk["x"], chunk["y"]])
        root = 1.0 / np.column_stack([chunk["x_error"], chunk["y_error"]])
        _fill(index, chunk["visit"].astype(np.int32), measured, root, free, store.visit,
              store.measured, store.root_weight)  # fmt: skip
        done += len(index)
        if progress:
            progress(done, 2 * folder.n_observation)
    twice = int(_observed_twice(store.first, store.visit, n_visit))
    if twice >= 0:
        raise InputError(
            f"{folder.path}: star {source_id[twice]} is observed more than once in one visit; "
            "every observation counts once"
        )
    return store


def primary_of(sources: Columns, limit: float | None) -> NDArray[np.bool_]:
    """Return which stars are primary: those up to a limit in Hw [mag], or as the table says."""
    if limit is not None:
        return np.asarray(sources["phot_hw_mag"] <= limit)
    return sources["primary"].astype(bool)


def check_chunk(
    folder: ObservationSet, chunk: Columns, known: NDArray[np.int64], n_visit: int
) -> None:
    """Check that observations can be used: of known stars and visits, finite, with an error.

    Parameters
    ----------
    folder : ObservationSet
    chunk : dict of str to ndarray
        Some observations of it.
    known : ndarray of int64
        Stars that may have been observed.
    n_visit : int

    Raises
    ------
    InputError
        If they cannot.
    """
    strange = ~np.isin(chunk["source_id"], known)
    if strange.any():
        raise InputError(
            f"{folder.path}: observations of {strange.sum():,} stars that sources.parquet "
            f"lacks (first: source_id {chunk['source_id'][strange][0]})"
        )
    if len(chunk["visit"]) and not (chunk["visit"].min() >= 0 and chunk["visit"].max() < n_visit):
        raise InputError(f"{folder.path}: observations of visits that visits.parquet lacks")
    for name in ("x", "y", "x_error", "y_error"):
        bad = ~np.isfinite(chunk[name])
        if name.endswith("error"):
            bad |= chunk[name] <= 0.0
        if bad.any():
            raise InputError(
                f"{folder.path}: {bad.sum():,} observations have a bad {name} (first: "
                f"source_id {chunk['source_id'][bad][0]}, visit {chunk['visit'][bad][0]}); "
                "errors must be positive, coordinates finite"
            )


@compiled(nogil=True)
def _observed_twice(first, visit, n_visit):  # pragma: no cover
    """Return a star with two observations in a visit; -1 if there is none."""
    last = np.full(n_visit, -1, np.int64)
    for i in range(len(first) - 1):
        for k in range(first[i], first[i + 1]):
            if last[visit[k]] == i:
                return i
            last[visit[k]] = i
    return -1


@compiled(nogil=True)
def _fill(
    index, visit, measured, root, free, out_visit, out_measured, out_root
):  # pragma: no cover
    for k in range(len(index)):
        i = index[k]
        if i < 0:
            continue
        at = free[i]
        free[i] += 1
        out_visit[at] = visit[k]
        for axis in range(2):
            out_measured[at, axis] = measured[k, axis]
            out_root[at, axis] = root[k, axis]
