"""FITS, VOTable and ECSV tables, read by astropy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.source import plain


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    # astropy's readers raise almost anything on a damaged file.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(f"{path}: damaged or not readable: {reason}") from error


class FitsSource:
    """The first table of a FITS file, memory-mapped: only the rows of a chunk are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _as_input_error(path), self._open() as hdus:
            tables = [
                i for i, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
            ]
            if not tables:
                raise InputError(f"{path}: the FITS file has no table")
            self._hdu = tables[0]
            hdu = hdus[self._hdu]
            self.n_rows: int | None = hdu.header["NAXIS2"]
            scalar = [c for c in hdu.columns if _is_scalar(c, hdu)]
            self.columns = tuple(column.name for column in scalar)
            self.units = {column.name: column.unit for column in scalar if column.unit}

    @contextmanager
    def _open(self) -> Iterator[fits.HDUList]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            # astropy only warns about a file that ends too early.
            warnings.filterwarnings("error", message=".*truncated.*")
            # astropy does not close a file that it fails to open.
            with (
                self.path.open("rb") as file,
                fits.open(file, memmap=True, lazy_load_hdus=False) as hdus,
            ):
                yield hdus

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`."""
        names = list(self.columns if columns is None else columns)
        with _as_input_error(self.path), self._open() as hdus:
            hdu = hdus[self._hdu]
            for start in range(0, self.n_rows or 0, size):
                rows = hdu.data[start : start + size]
                yield {name: _fits_column(rows, hdu.columns[name]) for name in names}


def _is_scalar(column: fits.Column, hdu: Any) -> bool:
    if isinstance(hdu, fits.TableHDU):
        return True
    return column.format.format == "A" or (
        column.format.repeat == 1 and column.format.format not in "PQCMX"
    )


def _fits_column(rows: fits.FITS_rec, column: fits.Column) -> NDArray[Any]:
    """Copy one column out of the memory map; TNULL marks missing integers."""
    values = np.array(rows.field(column.name))
    null = column.null
    if null is None or values.dtype.kind not in "iu" or not isinstance(null, int):
        return plain(values)
    # TNULL is the stored number; an unsigned column is stored with an offset.
    return plain(values, values == values.dtype.type(null + int(column.bzero or 0)))


class InMemorySource:
    """A VOTable or an ECSV file, read whole: these formats cannot be read in parts.

    Use Parquet, FITS or CSV for tables larger than the memory.
    """

    def __init__(self, path: Path, table_format: str) -> None:
        self.path = path
        with _as_input_error(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if table_format == "votable":
                from astropy.io.votable import parse

                first = parse(path).get_first_table()
                self._table = first.to_table(use_names_over_ids=True)
            else:
                # "ecsv" would read faster, but fills up lines that were cut short.
                self._table = Table.read(path, format="ascii.ecsv")
        self.n_rows: int | None = len(self._table)
        scalar = [name for name in self._table.colnames if self._table[name].ndim == 1]
        self.columns = tuple(scalar)
        units = {name: getattr(self._table[name], "unit", None) for name in scalar}
        self.units = {name: str(unit) for name, unit in units.items() if unit is not None}

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`."""
        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows or 0, size):
            rows = slice(start, start + size)
            yield {name: plain(self._table[name][rows]) for name in names}
