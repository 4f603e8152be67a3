"""What every table reader offers, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError


class TableSource(Protocol):
    """A table on disk, read in chunks of rows.

    Attributes
    ----------
    path : Path
    n_rows : int or None
        Number of rows; None where it is not known before reading.
    columns : tuple of str
        Names in the file, as spelt there.
    units : dict of str to str
        Units by column, for the columns whose unit the file records.
    """

    path: Path
    n_rows: int | None
    columns: tuple[str, ...]
    units: dict[str, str]

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """Yield the rows in their order, at most `size` at a time.

        Parameters
        ----------
        size : int
        columns : sequence of str, optional
            Columns to read; all of them by default.

        Yields
        ------
        chunk : dict of str to ndarray, shape (n_row,)
            Missing values are NaN in float columns and empty in text columns. An integer column
            with missing values is a masked array, because NaN would cost its precision.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        ...


def check_names(path: object, names: Sequence[str]) -> None:
    """Raise an `InputError` if two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{path}: column {name!r} occurs more than once")
        seen.add(name)


def remarks_of(source: TableSource) -> tuple[str, ...]:
    """Return what a user should know of a table that was opened: other tables of its file."""
    return tuple(getattr(source, "remarks", ()))


def unreadable_of(source: TableSource) -> Mapping[str, str]:
    """Return columns that are not read, and what they hold: vectors, structures, objects."""
    return dict(getattr(source, "unreadable", {}))


def units_by_part(source: TableSource) -> Mapping[Path, Mapping[str, str]]:
    """Return the units in the files of a folder, where they are not the same in all of them."""
    return dict(getattr(source, "part_units", {}))


def plain(values: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> NDArray[Any]:
    """Return values in native byte order, with missing ones marked as `TableSource` promises.

    Parameters
    ----------
    values : ndarray of float, shape (n_row,), booleans, text or bytes; may be masked
    mask : ndarray of bool, shape (n_row,), optional
        True where a value is missing, in addition to the mask of `values`.
    """
    missing = np.ma.getmaskarray(values)
    if mask is not None:
        missing = missing | mask
    data = np.asarray(np.ma.getdata(values))
    kind = data.dtype.kind
    if kind == "O":
        data = np.array(["" if x is None else _text(x) for x in data.tolist()], dtype=np.str_)
    elif kind == "S":
        data = np.char.decode(data, "utf-8", "replace")
    elif not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    if not missing.any():
        return data
    if data.dtype.kind == "f":
        return np.where(missing, np.nan, data).astype(data.dtype)
    if data.dtype.kind == "U":
        return np.where(missing, "", data)
    return np.ma.MaskedArray(data, mask=missing)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
