"""Batches of observed stars through all rooms, each in one thread, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gcmock.arrays import Columns
from gcmock.io.observed import ObservedCatalogue, RawRows
from gcmock.mock.account import Account, account_of
from gcmock.mock.infer import infer, prepare, star_keys
from gcmock.mock.product import assemble
from gcmock.mock.pulls import pulls_of
from gcmock.model import Model
from gcmock.posterior.evidence import EvidenceTable
from gcmock.settings.build import InferencePolicy

LARGEST_BATCH: Final = 16_384
SMALLEST_BATCH: Final = 512
"""Draws that a thread works on at a time; the results do not depend on it."""

_BATCHES_PER_WORKER: Final = 8


class StarBatch(NamedTuple):
    """Finished stars.

    Attributes
    ----------
    n_read : int
        Rows of the input that they come from.
    columns : dict of str to ndarray, shape (n_row,)
        `gcmock.words.columns.OUTPUT_COLUMNS`; empty if all of them are left out.
    account : Account
        Of these rows.
    """

    n_read: int
    columns: Columns
    account: Account


def true_stars(
    raw: RawRows,
    catalogue: ObservedCatalogue,
    model: Model,
    policy: InferencePolicy,
    evidences: EvidenceTable,
) -> StarBatch:
    """Interpret rows of the input, infer their stars and assemble the columns of the output.

    Everything that happens to a star between the file that is read and the file that is written;
    a function of the rows, and of what the whole list says of evidences
    (`gcmock.mock.reference_stars`), whatever else is computed before or beside it.
    """
    stars = catalogue.stars(raw)
    prepared = prepare(stars, model, policy)
    stars = stars.take(prepared.keep)
    if not stars.n_star:
        return StarBatch(len(raw.row), {}, Account())
    keys = star_keys(stars, policy.seed, policy.realisations)
    inferred = infer(prepared.data, prepared.flags, keys, model, evidences=evidences)
    account = account_of(inferred, pulls_of(prepared.data, inferred.draws, model))
    return StarBatch(len(raw.row), assemble(stars, inferred, model), account)


def batch_size(n_star: int, n_realisation: int, workers: int) -> int:
    """Return the number of stars per batch: small enough that no worker runs out of work."""
    fraction = -(-n_star // (workers * _BATCHES_PER_WORKER))
    draws = min(max(fraction * n_realisation, SMALLEST_BATCH), LARGEST_BATCH)
    return max(1, draws // n_realisation)


def cut(raws: Iterable[RawRows], size: int, partition: int) -> Iterator[tuple[int, RawRows]]:
    """Cut rows into batches that do not cross the borders of partitions.

    Parameters
    ----------
    raws : iterable of RawRows
    size : int
        Largest number of rows of a batch.
    partition : int
        Rows of a partition.

    Yields
    ------
    int
        Partition of the rows.
    RawRows
    """
    place = 0
    for raw in raws:
        start = 0
        while start < len(raw.row):
            left = partition - (place + start) % partition
            stop = min(start + size, start + left, len(raw.row))
            yield (place + start) // partition, raw.part(start, stop)
            start = stop
        place += len(raw.row)
