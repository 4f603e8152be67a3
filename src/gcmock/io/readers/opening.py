"""Open a table of any supported format, by its suffix and its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gcmock.errors import InputError
from gcmock.io.manifest import check_complete
from gcmock.io.readers.source import TableSource

SUFFIXES: dict[str, str] = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".ecsv": "ecsv",
    ".csv": "csv",
}
"""Formats by the suffix of the file name."""

_NAMES = {"parquet": "Parquet", "fits": "FITS", "votable": "VOTable", "ecsv": "ECSV", "csv": "CSV"}
_N_HEAD = 4096


def open_table(path: str | Path) -> TableSource:
    """Open a table for reading in chunks.

    Parameters
    ----------
    path : str or Path
        A Parquet, FITS, VOTable, ECSV or CSV file, or a directory of Parquet files, such as the
        partitions that gcmock writes or a HATS catalogue.

    Returns
    -------
    TableSource

    Raises
    ------
    InputError
        If the file is missing, empty, cut short, damaged, or of an unknown format.
    """
    path = Path(path)
    if path.is_dir():
        return _open_directory(path)
    file_format = format_of(path)
    head = _head(path)
    found = _sniff(head)
    if found != file_format:
        # A CSV file that is really ECSV has units: read it as what it is.
        if (file_format, found) == ("csv", "ecsv"):
            file_format = "ecsv"
        else:
            what = f"a {_NAMES[found]} file" if found else "something else, or damaged"
            raise InputError(
                f"{path}: the suffix says {_NAMES[file_format]}, but the content is {what}"
            )
    source = _OPENERS[file_format](path)
    if source.n_rows == 0:
        raise InputError(f"{path}: the table has no rows")
    return source


def format_of(path: Path) -> str:
    """Return the format that the suffix of a file name stands for.

    Raises
    ------
    InputError
        If the suffix is unknown.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(f"{path}: unknown file type {suffix or '(no suffix)'!r}; known: {known}")
    return SUFFIXES[suffix]


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_N_HEAD)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not head.strip():
        raise InputError(f"{path}: the file is empty")
    return head


def _sniff(head: bytes) -> str | None:
    """Return the format that the first bytes of a file show; None if unknown."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    if head.startswith(b"# %ECSV"):
        return "ecsv"
    if b"\0" in head:
        return None
    if b"<VOTABLE" in head.upper():
        return "votable"
    return "csv"


def _open_parquet(path: Path) -> TableSource:
    from gcmock.io.readers.arrow import ParquetSource

    return ParquetSource(path, [path])


def _open_csv(path: Path) -> TableSource:
    from gcmock.io.readers.arrow import CsvSource

    return CsvSource(path)


def _open_fits(path: Path) -> TableSource:
    from gcmock.io.readers.astropy_formats import FitsSource

    return FitsSource(path)


def _open_in_memory(path: Path) -> TableSource:
    from gcmock.io.readers.astropy_formats import InMemorySource

    return InMemorySource(path, "ecsv" if _sniff(_head(path)) == "ecsv" else "votable")


_OPENERS: dict[str, Callable[[Path], TableSource]] = {
    "parquet": _open_parquet,
    "csv": _open_csv,
    "fits": _open_fits,
    "votable": _open_in_memory,
    "ecsv": _open_in_memory,
}


def is_hats(path: Path) -> bool:
    """Whether a folder is a HATS catalogue: Parquet files in HEALPix pixels."""
    return any((path / name).is_file() for name in ("hats.properties", "properties"))


def _open_directory(path: Path) -> TableSource:
    from gcmock.io.readers.arrow import ParquetSource

    check_complete(path)
    # A HATS catalogue also holds samples of its rows.
    pattern = "Npix=*" if is_hats(path) else "*"
    parts = sorted(
        part
        for part in path.rglob(pattern)
        if SUFFIXES.get(part.suffix.lower()) == "parquet" and not part.name.startswith(("_", "."))
    )
    if not parts:
        raise InputError(f"{path}: the directory holds no Parquet files")
    for part in parts:
        if _sniff(_head(part)) != "parquet":
            raise InputError(f"{part}: not a Parquet file, or damaged")
    source = ParquetSource(path, parts)
    if source.n_rows == 0:
        raise InputError(f"{path}: the table has no rows")
    return source
