"""VOTable and ECSV output."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from gcmock.arrays import Columns
from gcmock.io.writers.describe import METADATA_KEY, empty_table, pack, packed_dtype, votable_parts
from gcmock.words.columns import Column

_NULL_MASK = "_null_mask"


class VotableEncoder:
    """Append rows to the BINARY2 stream of a VOTable."""

    def __init__(self, path: Path, columns: Sequence[Column], metadata: dict[str, str]) -> None:
        head, self._tail = votable_parts(columns, json.dumps(metadata))
        self._dtype = packed_dtype(columns, {_NULL_MASK: f"V{(len(columns) + 7) // 8}"})
        self._left = b""
        self._file = path.open("wb")
        self._file.write(head.encode("utf-8"))

    def write(self, chunk: Columns) -> None:
        """Append rows."""
        data = self._left + pack(chunk, self._dtype).tobytes()
        # Three bytes make four characters of base64: keep the rest for the next chunk.
        whole = len(data) - len(data) % 3
        self._left = data[whole:]
        self._file.write(base64.b64encode(data[:whole]))

    def finish(self) -> None:
        """Write the rest, and close."""
        self._file.write(base64.b64encode(self._left))
        self._file.write(self._tail.encode("utf-8"))
        self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class EcsvEncoder:
    """Append rows as lines of comma-separated text; floats are written so that no bit is lost."""

    def __init__(self, path: Path, columns: Sequence[Column], metadata: dict[str, str]) -> None:
        table = empty_table(columns)
        table.meta[METADATA_KEY] = metadata
        head = io.StringIO()
        table.write(head, format="ascii.ecsv", delimiter=",")
        self._names = [column.name for column in columns]
        self._options = pyarrow.csv.WriteOptions(include_header=False)
        self._file = path.open("wb")
        self._file.write(head.getvalue().encode("utf-8"))

    def write(self, chunk: Columns) -> None:
        """Append rows."""
        arrays = [pa.array(chunk[name]) for name in self._names]
        table = pa.Table.from_arrays(arrays, names=self._names)
        pyarrow.csv.write_csv(table, self._file, self._options)

    def finish(self) -> None:
        """Close: nothing is left to write."""
        self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
