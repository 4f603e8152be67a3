"""CSV tables of surveys: the definition says what is text and what is a number.

`gcmock.io` scans a CSV file once to find that out. Here no scan is needed, and a flag such as 022
or an identifier of 19 digits keeps every character.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gcmock.errors import InputError
from gcmock.io.arrow_sources import CsvSource, array_of
from gcmock.io.source import Chunk

_HEAD: Final = 4096
_OTHERS: Final = (b"PAR1", b"SIMPLE  =", b"# %ECSV", b"<?xml", b"<VOTABLE")


def is_plain_csv(path: Path) -> bool:
    """Whether a file is text with a header line and at least one more, not another format."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    whole = len(head) < _HEAD
    has_rows = not whole or len(head.split(b"\n", 1)[-1].strip()) > 0
    return b"\n" in head and has_rows and b"\0" not in head and not head.startswith(_OTHERS)


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged or not readable: {reason}") from error


def _column(column: pa.Array) -> Any:
    if pa.types.is_string(column.type):
        return pc.fill_null(column, "")
    return array_of(column)


class NativeCsvSource(CsvSource):
    """A CSV file with a header line, whose types are given before it is read."""

    def __init__(self, path: Path) -> None:
        # The scan of CsvSource is what is to be saved: its attributes are set here.
        self.path = path
        self.n_rows: int | None = None
        self.units: dict[str, str] = {}
        with _as_input_error(path), pyarrow.csv.open_csv(path) as reader:
            names = reader.schema.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"{path}: column {twice!r} occurs more than once")
        self.columns = tuple(names)
        self._types: dict[str, pa.DataType] = {}

    def read_as(self, text: Mapping[str, bool]) -> None:
        """Set which columns are text; the others are numbers.

        Parameters
        ----------
        text : mapping of str to bool
            By the name in the file.
        """
        self._types = {name: pa.string() if t else pa.float64() for name, t in text.items()}

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        """See `TableSource.chunks`; text columns stay Arrow arrays, which are quicker to handle."""
        names = list(self.columns if columns is None else columns)
        with _as_input_error(self.path), self._open(self._types, names) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, size):
                    part = batch.slice(start, size)
                    yield {name: _column(part.column(name)) for name in names}

    def count_rows(self) -> int:
        """Return the number of rows; the file is read for it."""
        name = self.columns[0]
        as_text = NativeCsvSource(self.path)
        as_text.read_as({name: True})
        return sum(len(chunk[name]) for chunk in as_text.chunks(2**20, [name]))
