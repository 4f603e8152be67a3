"""Identifiers of all tiles of a window: a source is in one of them only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.errors import GcmockError
from gcmock.io.readers.arrow import array_of, as_input_error
from gcmock.random import id_bits
from gcmock.surveys.fetch.adql import Selection

_NAMESAKE_DEG: Final = 2.0 / 3600.0
"""Identifiers made of a position may be those of two neighbours."""


class Repeats:
    """Collects the identifiers of tiles; memory: 24 bytes a row."""

    def __init__(self) -> None:
        self._bits: list[NDArray[np.uint64]] = []
        self._place: list[NDArray[Any]] = []

    def add_file(self, path: Path, selection: Selection) -> None:
        """Add the rows of a tile that is in place.

        Parameters
        ----------
        path : Path
        selection : Selection
            Columns of the identifier and of the position; sources of different tables are
            different ones.
        """
        name = selection.identifier
        if not name:
            return
        columns = [name, selection.ra, selection.dec]
        with as_input_error(path):
            table = pq.read_table(path, columns=list(dict.fromkeys(columns)), partitioning=None)
        if not table.num_rows or pa.types.is_null(table[name].type):
            return
        ids, ra, dec = (array_of(table[c].combine_chunks()) for c in columns)
        known = ~np.ma.getmaskarray(ids)
        if ids.dtype.kind == "U":
            known &= np.ma.getdata(ids) != ""
        values = np.ma.getdata(ids)[known]
        if values.dtype.kind not in "iuU":
            return
        salt = id_bits(np.array([selection.table]))
        self._bits.append(id_bits(values) ^ salt)
        self._place.append(np.column_stack([np.ma.getdata(ra)[known], np.ma.getdata(dec)[known]]))

    def check(self, url: str) -> None:
        """Refuse identifiers that occur at two places.

        Raises
        ------
        GcmockError
            If there are any: the service sends the same rows for different questions.
        """
        if not self._bits:
            return
        bits, place = np.concatenate(self._bits), np.concatenate(self._place)
        order = np.argsort(bits, kind="stable")
        bits, place = bits[order], place[order]
        same = bits[1:] == bits[:-1]
        step = place[1:] - place[:-1]
        ra = step[:, 0] * np.cos(np.radians(place[1:, 1]))
        exact = (step == 0.0).all(axis=1)
        bad = same & (exact | (np.hypot(ra, step[:, 1]) > _NAMESAKE_DEG))
        if bad.any():
            at = place[1:][bad][0]
            raise GcmockError(
                f"{url}: sends {int(bad.sum()):,} sources more than once (first: at ra = "
                f"{at[0]:.5f}, dec = {at[1]:.5f}), though every one lies in one tile: what it "
                "sends cannot be trusted; start afresh with --overwrite and another --archive or "
                "--service"
            )
