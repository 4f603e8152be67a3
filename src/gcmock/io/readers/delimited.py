"""Text tables with separators, streamed by pyarrow: CSV, TSV, blanks, semicolons, bars."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.arrow import array_of, as_input_error
from gcmock.io.readers.dialect import BLANK, Dialect, dialect_of, is_decoration, is_gzip, open_bytes

_TYPES: Final = (pa.int64(), pa.uint64(), pa.float64())
_TEXT: Final = len(_TYPES)
_NULLS: Final = [
    *("", "NaN", "nan", "NAN", "NA", "N/A", "#N/A", "null", "NULL", "None", "--", "-"),
    *("\\N", "---", "...", "INDEF"),
]
_BLOCK: Final = 16 * 2**20
_TAIL: Final = 1 << 16
_INTEGER: Final = r"^(?:0|-?[1-9][0-9]*)$"
# What pyarrow does not read as a number: blanks, a plus sign, exponents of Fortran.
_FORTRAN: Final = r"^\s*[+]?(-?[0-9.]+)[dD]([+-]?[0-9]+)\s*$"


class CsvSource:
    """A text table with a line of names.

    The file is scanned once when it is opened, to fix the type of every column: integer where all
    values are integers, else float, else text.
    """

    def __init__(self, path: Path) -> None:
        self._read_header(path)
        used = [name for name in self._dialect.names if name]
        ranks = dict.fromkeys(used, 0)
        self._uncommon: set[str] = set()
        self._inexact: set[str] = set()
        n_rows = 0
        with as_input_error(path), self._open(dict.fromkeys(used, pa.string()), used) as reader:
            for batch in reader:
                n_rows += batch.num_rows
                for name in used:
                    ranks[name] = self._wider(name, batch.column(name), ranks[name])
        self._check_end()
        self.n_rows: int | None = n_rows
        self._types = {
            name: _TYPES[rank] if rank < _TEXT else pa.string() for name, rank in ranks.items()
        }

    def _read_header(self, path: Path) -> None:
        self.path = path
        self._dialect: Dialect = dialect_of(path)
        self.columns = tuple(name for name in self._dialect.names if name)
        self.units: dict[str, str] = {
            name: unit for name, unit in self._dialect.units.items() if name
        }
        self._uncommon, self._inexact = set(), set()

    def read_as_text(self, name: str) -> None:
        """Keep a column as it is written: 007 and 2E1 are identifiers, and no numbers."""
        if name in self._inexact or pa.types.is_floating(self._types[name]):
            self._types[name] = pa.string()

    @contextmanager
    def _open(
        self, types: dict[str, pa.DataType], columns: Sequence[str] | None = None
    ) -> Iterator[pyarrow.csv.CSVStreamingReader]:
        dialect = self._dialect
        options = pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(self.columns if columns is None else columns),
            strings_can_be_null=True,
            null_values=_NULLS,
            # Text in a column that is not used may have any encoding.
            check_utf8=False,
        )
        names = [name or f"\0{i}" for i, name in enumerate(dialect.names)]
        blocks = pyarrow.csv.ReadOptions(block_size=_BLOCK, column_names=names)
        parsing = pyarrow.csv.ParseOptions(
            delimiter=dialect.separator, invalid_row_handler=_skip_comments
        )
        with open_bytes(self.path) as file:
            file.seek(dialect.start)
            rows: Any = _Squeezed(file) if dialect.separator == BLANK else file
            yield pyarrow.csv.open_csv(
                rows, read_options=blocks, parse_options=parsing, convert_options=options
            )

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two of pyarrow's blocks (16 MB)."""
        names = list(self.columns if columns is None else columns)
        types = {
            name: pa.string() if name in self._uncommon else self._types[name] for name in names
        }
        with as_input_error(self.path), self._open(types, names) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, size):
                    part = batch.slice(start, size)
                    yield {name: self._values(name, part.column(name)) for name in names}

    def _values(self, name: str, column: pa.Array) -> Any:
        kind = self._types[name]
        if name in self._uncommon and not pa.types.is_string(kind):
            column = pc.cast(_common(column), kind)
        elif pa.types.is_string(kind):
            column = self._text(column)
        try:
            return self._column(column)
        except (UnicodeDecodeError, pa.ArrowException) as error:
            raise InputError(
                f"{self.path}: column {name!r} holds text that is not UTF-8: convert the file"
            ) from error

    def _text(self, column: pa.Array) -> pa.Array:
        return _trimmed(column)

    def _column(self, column: pa.Array) -> Any:
        return array_of(column)

    def _wider(self, name: str, column: pa.Array, rank: int) -> int:
        """Return the first type, from `rank` on, to which the text of a column can be cast."""
        while rank < _TEXT:
            if rank < 2 and not _all_integers(column):
                self._inexact.add(name)
                rank = 2
            try:
                pc.cast(column, _TYPES[rank])
            except pa.ArrowInvalid:
                if self._cast_uncommon(name, column, rank):
                    break
                rank += 1
            else:
                break
        return rank

    def _cast_uncommon(self, name: str, column: pa.Array, rank: int) -> bool:
        """Whether a column becomes numbers when blanks and plus signs are taken off."""
        try:
            pc.cast(_common(column), _TYPES[rank])
        except pa.ArrowInvalid:
            return False
        self._uncommon.add(name)
        return True

    def _check_end(self) -> None:
        """Look at the last line: without an end of line it may have been cut in a number."""
        with as_input_error(self.path), self.path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
        if tail.endswith((b"\n", b"\r")) or is_gzip(self.path):
            return
        separator = self._dialect.separator.encode()
        lines = [line for line in tail.splitlines()[1:] if line.strip()]
        if len(lines) < 3:
            return
        split = (lambda x: x.split()) if separator == b" " else (lambda x: x.split(separator))
        lengths = [len(fields[-1]) for line in lines if (fields := split(line))]
        if lengths[-1] < min(lengths[:-1]):
            raise InputError(
                f"{self.path}: the last line has no end, and its last value is shorter than all "
                f"others: the file was cut ({lines[-1][-60:].decode('utf-8', 'replace')!r})"
            )


def _all_integers(column: pa.Array) -> bool:
    """Whether all texts are integers as a program writes them: no zeros in front, no exponents."""
    try:
        found = pc.match_substring_regex(pc.ascii_trim_whitespace(column), _INTEGER)
    except pa.ArrowInvalid:
        return False
    return pc.all(found).as_py() is not False


def _common(column: pa.Array) -> pa.Array:
    """Return numbers as pyarrow reads them, null where there is none."""
    text = _trimmed(column)
    text = pc.replace_substring_regex(text, r"^\+([0-9.])", r"\1")
    text = pc.replace_substring_regex(text, _FORTRAN, r"\1e\2")
    return text


def _trimmed(column: pa.Array) -> pa.Array:
    text = pc.ascii_trim_whitespace(column)
    return pc.if_else(pc.is_in(text, pa.array(_NULLS)), pa.scalar(None, pa.string()), text)


def _skip_comments(row: pyarrow.csv.InvalidRow) -> str:
    return "skip" if row.text.lstrip().startswith("#") or is_decoration(row.text) else "error"


class _Squeezed(io.RawIOBase):
    """A file in which one blank stands between fields, and none at the ends of lines."""

    _BLANKS: Final = re.compile(rb"[ \t\r]+")

    def __init__(self, file: Any) -> None:
        self._file = file
        self._rest = b""
        self._ready = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes; none at the end."""
        while not self._ready or size < 0:
            block = self._file.read(_BLOCK)
            if not block and not self._rest:
                break
            whole, end, self._rest = (
                (self._rest + block).rpartition(b"\n")
                if block
                else (
                    self._rest,
                    b"\n",
                    b"",
                )
            )
            self._ready += self._squeeze(whole + end)
        size = len(self._ready) if size < 0 else size
        part, self._ready = self._ready[:size], self._ready[size:]
        return part

    def _squeeze(self, block: bytes) -> bytes:
        block = self._BLANKS.sub(b" ", block)
        return block.replace(b" \n", b"\n").replace(b"\n ", b"\n").lstrip(b" ")
