"""How a text table is written: separator, names, units, comments, compression, encoding."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path
from typing import IO, Final, NamedTuple

from gcmock.errors import InputError
from gcmock.io.readers.choice import has_position
from gcmock.io.readers.source import check_names
from gcmock.io.unit_names import is_unit, plain_text

BLANK: Final = " "
"""Separator of tables whose columns are separated by one or more blanks or tabs."""

_SEPARATORS: Final = (",", "\t", ";", "|")
_HEAD: Final = 1 << 18
_N_LINES: Final = 50
_GZIP: Final = b"\x1f\x8b"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NUMBER: Final = re.compile(r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?\s*$")
_DASHES: Final = re.compile(r"^[\s:=+-]*$")
_DECORATION: Final = re.compile(r"^\s*(?:\+[+=-]+\+|\(\d+ rows?\))\s*$")


class Dialect(NamedTuple):
    """How a text table is written.

    Parameters
    ----------
    separator : str
        `BLANK` for any number of blanks.
    names : tuple of str
        Without blanks round them.
    units : dict of str to str
        From a line of units below the names.
    start : int
        Bytes before the first row, after decompression.
    """

    separator: str
    names: tuple[str, ...]
    units: dict[str, str]
    start: int


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed by gzip."""
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed if it is a gzip file."""
    return gzip.open(path, "rb") if is_gzip(path) else path.open("rb")  # type: ignore[return-value]


def text_head(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed.

    Raises
    ------
    InputError
        If the file cannot be read, or is damaged.
    """
    try:
        with open_bytes(path) as file:
            return file.read(_HEAD)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except EOFError as error:
        raise InputError(f"{path}: damaged: the compressed file ends too early") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def kind_of_text(head: bytes) -> str:
    """Return "ecsv", "ipac", "cds", "mrt", or "csv" for a table with separators."""
    if head.startswith(b"# %ECSV"):
        return "ecsv"
    if b"Byte-by-byte Description" in head:
        return "mrt" if head.lstrip().startswith(b"Title:") else "cds"
    lines = [line for line in head.split(b"\n") if line.strip()]
    table = [line.rstrip() for line in lines if not line.startswith(b"\\")]
    barred = [line.startswith(b"|") and line.endswith(b"|") for line in table[:5]]
    # The rows of IPAC tables have blanks where the head has bars.
    return "ipac" if len(barred) > 1 and all(barred[:2]) and not all(barred[4:]) else "csv"


def dialect_of(path: Path) -> Dialect:
    """Find out how a text table is written.

    Raises
    ------
    InputError
        If it has no line with the names of the columns, or two of one name.
    """
    head = text_head(path)
    if head.startswith(_UTF16_MARKS):
        raise InputError(f"{path}: is UTF-16 text; save it as UTF-8")
    offset = len(_UTF8_MARK) if head.startswith(_UTF8_MARK) else 0
    lines: list[tuple[int, str]] = []
    comments: list[str] = []
    for raw in head[offset:].splitlines(keepends=True):
        offset += len(raw)
        text = _decoded(raw).rstrip("\r\n")
        if text.lstrip().startswith("#"):
            if not lines:
                comments.append(text.lstrip().lstrip("#"))
        elif text.strip() and not is_decoration(text):
            lines.append((offset, text))
        if len(lines) == _N_LINES:
            break
    if not lines:
        raise InputError(f"{path}: the table has no rows")
    separator = _separator([text for _, text in lines])
    fields = [_fields(text, separator) for _, text in lines]
    if _is_row(fields[0]):
        names, units = _in_comments(comments, separator, len(fields[0]))
        if not names:
            raise InputError(
                f"{path}: has no line with the names of the columns; the first line is "
                f"{lines[0][1][:80]!r}"
            )
        return _named(path, separator, names, units, _start_of(head, lines[0]))
    names, start = fields[0], lines[0][0]
    units = {}
    for (end, _), values in zip(lines[1:3], fields[1:3], strict=False):
        if all(_DASHES.match(value) for value in values) and any(v.strip() for v in values):
            start = end
        elif not units and _is_units(values, len(names)):
            units, start = _by_name(names, values), end
        else:
            break
    return _named(path, separator, names, units, start)


def is_decoration(line: str) -> bool:
    """Whether a line is the border of a table (``+---+---+``) or a database's ``(2 rows)``."""
    return _DECORATION.match(line) is not None


def _in_comments(
    comments: list[str], separator: str, n_column: int
) -> tuple[list[str], dict[str, str]]:
    """Return names, and units if a line of them follows, from the comments above the first row.

    Names are in the last comment with as many fields as the rows, in one with a position if there
    is any; there are none if no comment has them.
    """
    cut = [[_fields(c, separator), _fields(c, BLANK)] for c in comments]
    found = [next((f for f in both if len(f) == n_column and not _is_row(f)), []) for both in cut]
    possible = [i for i, fields in enumerate(found) if fields]
    placed = [i for i in possible if has_position([f.strip() for f in found[i]], {})]
    if not possible:
        return [], {}
    i = (placed or possible)[-1]
    below = found[i + 1] if i + 1 < len(found) else []
    return found[i], _by_name(found[i], below) if _is_units(below, n_column) else {}


def _by_name(names: list[str], units: list[str]) -> dict[str, str]:
    return dict(zip((name.strip() for name in names), units, strict=True))


def _named(
    path: Path, separator: str, names: list[str], units: dict[str, str], start: int
) -> Dialect:
    size = path.stat().st_size
    if start >= size and not is_gzip(path):
        raise InputError(f"{path}: the table has no rows")
    stripped = tuple(name.strip() for name in names)
    check_names(path, [name for name in stripped if name])
    kept = {name: unit.strip() for name, unit in units.items() if plain_text(unit)}
    return Dialect(separator, stripped, kept, start)


def _start_of(head: bytes, line: tuple[int, str]) -> int:
    """Byte at which a line starts, of which the end is known."""
    end = line[0]
    return head.rfind(b"\n", 0, end - 1) + 1


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _separator(lines: list[str]) -> str:
    """Return the separator that cuts all lines into as many fields, blanks if there is none."""
    for separator in _SEPARATORS:
        if separator not in lines[0]:
            continue
        counts = {len(_fields(line, separator)) for line in lines}
        if len(counts) == 1:
            return separator
    present = [separator for separator in _SEPARATORS if separator in lines[0]]
    # Lines of different lengths: the reader names the line that is wrong.
    return present[0] if present else BLANK


def _fields(line: str, separator: str) -> list[str]:
    if separator == BLANK:
        return next(csv.reader([" ".join(line.split())], delimiter=" "), [])
    return next(csv.reader([line], delimiter=separator), [])


def _is_row(fields: list[str]) -> bool:
    """Whether fields are those of a star, not names: at least two, or all, are numbers."""
    numbers = sum(bool(_NUMBER.match(field)) for field in fields)
    return numbers >= min(2, len(fields))


def _is_units(fields: list[str], n_column: int) -> bool:
    """Whether a line holds units: at least one, and nothing else."""
    texts = [text for field in fields if (text := plain_text(field))]
    if len(fields) != n_column or not texts or any(_NUMBER.match(text) for text in texts):
        return False
    known = [is_unit(text) for text in texts]
    return sum(known) >= 1 and (all(known) or known.count(False) <= len(known) // 2)
