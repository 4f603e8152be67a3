"""What a worker does with one HEALPix pixel: look at its stars, and write the true ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.disk import sha256_of
from gcmock.io.manifest import Entry, entry_of
from gcmock.io.observed import ObservedCatalogue, ObservedStars
from gcmock.io.read_summary import ReadSummary
from gcmock.io.readers.opening import open_table
from gcmock.io.writers.writer import open_writer
from gcmock.mock.account import Account
from gcmock.mock.census import InputCensus
from gcmock.mock.pipeline import LARGEST_BATCH, true_stars
from gcmock.mock.product import output_columns
from gcmock.model import Model, load_model
from gcmock.posterior.evidence import EvidenceTable
from gcmock.random import id_bits
from gcmock.settings.build import Config
from gcmock.words.columns import Column

HEALPIX: Final = Column(
    "_healpix_29", "int64", "", "pos.healpix", "Nested HEALPix index of order 29 of ra, dec"
)
"""The column by which lsdb finds rows inside a partition."""

ORDER: Final = 29
"""Order of this index."""

_MODEL_LOCK = Lock()


class PixelCount(NamedTuple):
    """What a partition of the input holds.

    Attributes
    ----------
    read : ReadSummary
    skipped : Counter of str
        Stars that will be left out, by reason.
    identifiers : ndarray of uint64, shape (n_row,)
        Bits of `source_id`.
    dtype : str
        Type of `source_id` here.
    remarks : list of str
        See `ObservedCatalogue`.
    sha256 : str
    bytes : int
    """

    read: ReadSummary
    skipped: Counter[str]
    identifiers: NDArray[np.uint64]
    dtype: str
    remarks: list[str]
    sha256: str
    bytes: int


class PixelWork(NamedTuple):
    """A partition of the output.

    Attributes
    ----------
    input : str
        File of the partition of the input.
    folder, name : str
        The catalogue that is written, and the path of the partition in it.
    source_id : Column
        With the type of the whole catalogue.
    metadata : dict of str to str
    evidences : EvidenceTable
        Of the whole list.
    """

    input: str
    folder: str
    name: str
    source_id: Column
    metadata: dict[str, str]
    evidences: EvidenceTable


@lru_cache(maxsize=2)
def _model(settings: str) -> Model:
    return load_model(config=config_of(settings))


def model_of(settings: str) -> Model:
    """Return the model of settings (JSON), loaded once per process and shared by its threads."""
    with _MODEL_LOCK:
        return _model(settings)


@lru_cache(maxsize=2)
def config_of(settings: str) -> Config:
    """Return settings from JSON."""
    return Config.model_validate_json(settings)


def count_pixel(path: str, order: int, pixel: int, settings: str) -> PixelCount:
    """Check and count the stars of a partition of the input.

    Parameters
    ----------
    path : str
    order, pixel : int
        HEALPix order and nested index, in which all stars must lie.
    settings : str
        `Config` as JSON.

    Raises
    ------
    InputError
        If the partition cannot be used, or holds stars of another pixel.
    """
    config = config_of(settings)
    census = InputCensus(model_of(settings).extinction_map, config.input)
    identifiers: list[NDArray[np.uint64]] = []

    def visit(stars: ObservedStars) -> None:
        census.visit(stars)
        apart = healpix_index(stars.ra, stars.dec) >> (2 * (ORDER - order)) != pixel
        if apart.any():
            raise InputError(
                f"{path}: {int(apart.sum())} stars do not lie in the pixel of their partition, "
                f"such as source_id {stars.source_id[np.argmax(apart)]}: these are not the "
                "positions by which the catalogue was partitioned"
            )
        identifiers.append(id_bits(stars.source_id))

    catalogue = ObservedCatalogue(open_table(path, config.columns), config, visit)
    census.finish(path)
    if "source_id" not in catalogue.matches:
        raise InputError(
            f"{path}: no column source_id. The random numbers of a star follow from it; a row "
            "number would depend on the partitions. Name the column of identifiers in [columns]"
        )
    return PixelCount(
        catalogue.summary,
        census.skipped,
        np.concatenate(identifiers),
        catalogue.source_id_column.dtype,
        catalogue.remarks,
        sha256_of(path),
        Path(path).stat().st_size,
    )


def build_pixel(work: PixelWork, settings: str) -> Entry:
    """Write the true stars of a partition; the file appears when it is complete.

    Doing it twice, even at the same time, gives the same file: a worker may die at any moment.

    Parameters
    ----------
    work : PixelWork
    settings : str
        `Config` as JSON.

    Returns
    -------
    Entry
        For the manifest.

    Raises
    ------
    InputError
        If the partition cannot be used.
    """
    config, model = config_of(settings), model_of(settings)
    catalogue = ObservedCatalogue(open_table(work.input, config.columns), config)
    catalogue.store_identifiers_as(work.source_id)
    columns = (HEALPIX, *output_columns(work.source_id))
    path = Path(work.folder) / work.name
    path.parent.mkdir(parents=True, exist_ok=True)
    account = Account()
    # A scheduler may have two processes write the same partition, with the same bytes.
    with open_writer(path, columns, work.metadata, overwrite=True, alone=False) as writer:
        for rows, part in _products(catalogue, model, work.evidences):
            writer.write({HEALPIX.name: healpix_index(rows["ra"], rows["dec"]), **rows})
            account.add(part)
    return entry_of(Path(work.folder), work.name, writer.n_rows, account.to_dict())


def _products(
    catalogue: ObservedCatalogue, model: Model, evidences: EvidenceTable
) -> Iterator[tuple[Columns, Account]]:
    """Yield true stars, batch by batch; the worker has one thread per partition."""
    policy = catalogue.config.policy
    size = max(1, LARGEST_BATCH // policy.realisations)
    for raw in catalogue.rows(size):
        batch = true_stars(raw, catalogue, model, policy, evidences)
        if batch.columns:
            yield batch.columns, batch.account


def healpix_index(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nested HEALPix index of order 29 of ICRS positions [deg], (n_star,)."""
    from hats.pixel_math import compute_spatial_index

    return np.asarray(compute_spatial_index(ra, dec), dtype=np.int64)
