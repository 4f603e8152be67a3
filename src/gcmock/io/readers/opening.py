"""Open a table of any supported format, by its suffix and its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os.path import exists
from pathlib import Path
from typing import Final

from gcmock.errors import InputError
from gcmock.io.readers.choice import Choice, split_choice
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

TEXT_SUFFIXES: Final = (".tsv", ".tab", ".dat", ".txt", ".asc", ".tbl", ".mrt", ".cds")
"""Suffixes of text tables, whose separator is found out."""

_NAMES = {"parquet": "Parquet", "fits": "FITS", "votable": "VOTable", "ecsv": "ECSV", "csv": "CSV"}
_COMPRESSED: Final = ".gz"
_N_HEAD = 4096


def open_table(path: str | Path, chosen: Mapping[str, str] | None = None) -> TableSource:
    """Open a table for reading in chunks.

    Parameters
    ----------
    path : str or Path
        A Parquet, FITS, VOTable, ECSV, CSV, IPAC or CDS file, a text table with any separator, one
        of them compressed by gzip, or a directory of Parquet files, such as the partitions that
        gcmock writes or a HATS catalogue. ``file.fits[2]`` is the second extension of a file.
    chosen : mapping of str to str, optional
        The section ``[columns]`` of the settings: of several tables in a file, the one with a
        position is read.

    Returns
    -------
    TableSource

    Raises
    ------
    InputError
        If the file is missing, empty, cut short, damaged, or of an unknown format.
    """
    path, which = split_choice(path)
    choice = Choice(which, dict(chosen or {}))
    if path.is_dir():
        from gcmock.io.readers.folder import open_folder

        source: TableSource = open_folder(path)
    else:
        file_format = input_format(path)
        head = _head(path)
        found = sniff(head)
        if found != file_format:
            # A text file that is really ECSV has units: read it as what it is.
            if file_format != "csv" or found != "ecsv":
                what = f"a {_NAMES[found]} file" if found else "something else, or damaged"
                raise InputError(
                    f"{path}: the suffix says {_NAMES[file_format]}, but the content is {what}"
                )
            file_format = "ecsv"
        if which and file_format not in ("fits", "votable"):
            raise InputError(f"{path}: holds one table only; leave out [{which}]")
        source = _OPENERS[file_format](path, choice)
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


def input_format(path: Path) -> str:
    """Return the format of a file that is read: more than are written.

    Raises
    ------
    InputError
        If the suffix is unknown, or nothing has this name.
    """
    inner = Path(path.stem) if path.suffix.lower() == _COMPRESSED else path
    suffix = inner.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return "csv"
    if suffix not in SUFFIXES:
        if not exists(path):
            raise InputError(f"{path}: no such file")
        known = ", ".join([*SUFFIXES, *TEXT_SUFFIXES, _COMPRESSED])
        raise InputError(f"{path}: unknown file type {suffix or '(no suffix)'!r}; known: {known}")
    return SUFFIXES[suffix]


def _head(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for somebody to write.
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is a pipe or a device; give a file")
        with path.open("rb") as file:
            head = file.read(_N_HEAD)
        if head.startswith(b"\x1f\x8b"):
            from gcmock.io.readers.dialect import text_head

            head = text_head(path)[:_N_HEAD]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not head.strip():
        raise InputError(f"{path}: the file is empty")
    return head


def sniff(head: bytes) -> str | None:
    """Return the format that the first bytes of a file show; None if unknown."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    if head.startswith(b"# %ECSV"):
        return "ecsv"
    # A mark of the byte order says that it is text in UTF-16.
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if b"<VOTABLE" in head.upper():
        return "votable"
    return "csv"


def _open_parquet(path: Path, choice: Choice) -> TableSource:
    from gcmock.io.readers.arrow import ParquetSource

    if path.suffix.lower() == _COMPRESSED:
        raise InputError(f"{path}: Parquet files are compressed inside; unpack it with gunzip")
    return ParquetSource(path, [path])


def _open_text(path: Path, choice: Choice) -> TableSource:
    from gcmock.io.readers.astropy_formats import InMemorySource
    from gcmock.io.readers.delimited import CsvSource
    from gcmock.io.readers.dialect import kind_of_text, text_head

    kind = kind_of_text(text_head(path))
    if kind != "csv":
        return InMemorySource(path, kind, choice)
    readme = path.with_name("ReadMe")
    inner = path.with_suffix("") if path.suffix.lower() == _COMPRESSED else path
    if inner.suffix.lower() == ".dat" and readme.is_file() and _is_described(inner, readme):
        return InMemorySource(path, "cds", choice, readme)
    return CsvSource(path)


def _is_described(path: Path, readme: Path) -> bool:
    """Whether a ReadMe of the CDS describes the bytes of a file."""
    text = readme.read_text(encoding="utf-8", errors="replace")
    heads = [line for line in text.splitlines() if "Byte-by-byte Description of file" in line]
    return any(path.name in line for line in heads)


def _open_fits(path: Path, choice: Choice) -> TableSource:
    from gcmock.io.readers.astropy_formats import FitsSource

    return FitsSource(path, choice)


def _open_votable(path: Path, choice: Choice) -> TableSource:
    from gcmock.io.readers.astropy_formats import InMemorySource

    return InMemorySource(path, "votable", choice)


def _open_ecsv(path: Path, choice: Choice) -> TableSource:
    from gcmock.io.readers.astropy_formats import InMemorySource

    return InMemorySource(path, "ecsv", choice)


_OPENERS: dict[str, Callable[[Path, Choice], TableSource]] = {
    "parquet": _open_parquet,
    "csv": _open_text,
    "fits": _open_fits,
    "votable": _open_votable,
    "ecsv": _open_ecsv,
}
