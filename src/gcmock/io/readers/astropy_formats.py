"""FITS, VOTable, ECSV, IPAC and CDS tables, read by astropy."""

from __future__ import annotations

import itertools
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Column, Table
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.columns import EPOCH
from gcmock.io.readers.choice import ANY, Candidate, Choice, choose
from gcmock.io.readers.dialect import open_bytes
from gcmock.io.readers.flat import flat_table
from gcmock.io.readers.sky_system import check_header, check_votable
from gcmock.io.readers.source import check_names, plain

_FORMATS: Final = {
    # "ecsv" would read faster, but fills up lines that were cut short.
    "ecsv": "ascii.ecsv",
    "ipac": "ascii.ipac",
    "cds": "ascii.cds",
    "mrt": "ascii.mrt",
}


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if str(path) in text else f"{path}: {text}") from error
    # astropy's readers raise almost anything on a damaged file.
    except MemoryError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(f"{path}: damaged or not readable: {reason}") from error


class FitsSource:
    """A table of a FITS file, memory-mapped: only the rows of a chunk are read."""

    def __init__(self, path: Path, choice: Choice = ANY) -> None:
        self.path = path
        with _as_input_error(path), self._open() as hdus:
            tables = [
                Candidate(i, hdu.name, hdu.columns.names, hdu.header["NAXIS2"])
                for i, hdu in enumerate(hdus)
                if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
            ]
            if not tables:
                raise InputError(f"{path}: the FITS file has no table")
            table, self.remarks = choose(path, tables, choice)
            self._hdu = table.number
            hdu = hdus[self._hdu]
            check_names(path, hdu.columns.names)
            check_header(path, {**hdus[0].header, **hdu.header})
            _check_width(path, hdu)
            self.n_rows: int | None = hdu.header["NAXIS2"]
            scalar = [c for c in hdu.columns if _is_scalar(c, hdu)]
            self.columns = tuple(column.name for column in scalar)
            self.unreadable = {
                c.name: "several numbers a row" for c in hdu.columns if not _is_scalar(c, hdu)
            }
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
        """See `gcmock.io.readers.source.TableSource`."""
        names = list(self.columns if columns is None else columns)
        with _as_input_error(self.path), self._open() as hdus:
            hdu = hdus[self._hdu]
            for start in range(0, self.n_rows or 0, size):
                rows = hdu.data[start : start + size]
                yield {name: _fits_column(rows, hdu.columns[name]) for name in names}


def _check_width(path: Path, hdu: Any) -> None:
    """Check that the rows are as wide as their columns: else every value is shifted."""
    if isinstance(hdu, fits.TableHDU):
        return
    width, given = hdu.columns.dtype.itemsize, hdu.header["NAXIS1"]
    if width != given:
        raise InputError(
            f"{path}: damaged or not readable: its rows have {given} bytes (NAXIS1), but the "
            f"columns {width}"
        )


def _is_scalar(column: fits.Column, hdu: Any) -> bool:
    if isinstance(hdu, fits.TableHDU):
        return True
    return column.format.format == "A" or (
        column.format.repeat == 1 and column.format.format not in "PQCMX"
    )


def _fits_column(rows: fits.FITS_rec, column: fits.Column) -> NDArray[Any]:
    """Copy one column out of the memory map; TNULL marks missing integers and ASCII fields."""
    values = np.array(rows.field(column.name))
    null = column.null
    stored = np.asarray(rows)[column.name]
    if stored.dtype.kind == "S" and values.dtype.kind != "U":
        # The fields of an ASCII table: astropy reads blank ones as zero.
        texts = np.char.strip(stored)
        empty = texts == b""
        return plain(values, empty if null in (None, "") else empty | (texts == _bytes(null)))
    if null is None or stored.dtype.kind not in "iu" or not isinstance(null, int):
        return plain(values)
    # TNULL is the stored number, before it is scaled and before an offset makes it unsigned.
    return plain(values, stored == null)


def _bytes(null: Any) -> bytes:
    return str(null).strip().encode("ascii", "replace")


class InMemorySource:
    """A VOTable, ECSV, IPAC or CDS table, read whole: these formats cannot be read in parts.

    Use Parquet, FITS or CSV for tables larger than the memory.
    """

    def __init__(
        self,
        path: Path,
        table_format: str,
        choice: Choice = ANY,
        readme: Path | None = None,
    ) -> None:
        self.path = path
        self.remarks: tuple[str, ...] = ()
        with _as_input_error(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if table_format == "votable":
                table = self._votable(choice)
            else:
                if table_format == "ecsv":
                    _check_ecsv_names(path)
                table = _read(path, table_format, readme)
            self._table, self.unreadable = flat_table(table)
        self.n_rows: int | None = len(table)
        self.columns = tuple(self._table.colnames)
        units = {name: getattr(self._table[name], "unit", None) for name in self.columns}
        self.units = {name: str(unit) for name, unit in units.items() if unit is not None}

    def _votable(self, choice: Choice) -> Table:
        from astropy.io.votable import parse

        file = parse(self.path)
        tables = [table for table in file.iter_tables() if len(table.fields)]
        if not tables:
            raise InputError(f"{self.path}: the VOTable has no table")
        names = [[str(f.name or f.ID) for f in table.fields] for table in tables]
        candidates = [
            Candidate(i, str(table.name or table.ID or ""), names[i], len(table.array))
            for i, table in enumerate(tables)
        ]
        best, self.remarks = choose(self.path, candidates, choice)
        check_names(self.path, best.columns)
        self._check_status(file)
        epoch = check_votable(self.path, file, tables[best.number])
        table = tables[best.number].to_table(use_names_over_ids=True)
        if epoch is not None and EPOCH not in {name.lower() for name in table.colnames}:
            table[EPOCH] = Column(np.full(len(table), epoch), unit="yr")
            self.remarks += (f"the positions are of the epoch {epoch:g}, as COOSYS says",)
        return table

    def _check_status(self, file: Any) -> None:
        """Look at what a service says of its answer: an error, or that it cut the table."""
        infos = [info for one in file.resources for info in [*one.infos, *_table_infos(one)]]
        for info in infos:
            if info.name == "QUERY_STATUS" and info.value == "ERROR":
                reason = str(info.content or "").strip().splitlines() or ["no reason is given"]
                raise InputError(f"{self.path}: holds the error of a service: {reason[0]}")
            if info.name == "QUERY_STATUS" and info.value == "OVERFLOW":
                self.remarks += (
                    f"the service cut {self.path.name} at its largest number of rows "
                    "(QUERY_STATUS OVERFLOW): stars are missing",
                )

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `gcmock.io.readers.source.TableSource`."""
        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows or 0, size):
            rows = slice(start, start + size)
            yield {name: plain(self._table[name][rows]) for name in names}


def _read(path: Path, table_format: str, readme: Path | None) -> Table:
    """Read an ECSV, IPAC or CDS table."""
    if readme is None:
        table = Table.read(path, format=_FORMATS[table_format])
        keywords = table.meta.get("keywords", {}) if table_format == "ipac" else {}
        check_header(path, {k.upper(): one.get("value") for k, one in keywords.items()})
        return table
    with TemporaryDirectory(prefix="gcmock-") as folder:
        # The description names the file as it was before it was compressed.
        plain_file = Path(folder) / path.name.removesuffix(".gz")
        with open_bytes(path) as packed, plain_file.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        return Table.read(plain_file, format=_FORMATS[table_format], readme=str(readme))


def _check_ecsv_names(path: Path) -> None:
    """Look for names that occur twice: astropy gives the second one another name."""
    from astropy.table.meta import get_header_from_yaml

    with open_bytes(path) as file:
        comments = itertools.takewhile(lambda line: line.startswith(b"#"), file)
        lines = [line.decode("utf-8").rstrip("\r\n")[2:] for line in comments]
    header = get_header_from_yaml(lines[1:])
    check_names(path, [str(column["name"]) for column in header.get("datatype", ())])


def _table_infos(resource: Any) -> list[Any]:
    return [info for table in resource.tables for info in table.infos]
