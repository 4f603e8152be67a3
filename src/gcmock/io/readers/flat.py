"""Columns of an astropy table as plain columns: one value a row, or the reason why not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from astropy.table import Column, Table

from gcmock.errors import InputError
from gcmock.io.sky_columns import plain_sky

_RA: Final = ("RAh", "RAm", "RAs")
_DEC: Final = ("DEd", "DEm", "DEs")


def flat_table(table: Table) -> tuple[Table, dict[str, str]]:
    """Return a table of plain columns.

    Columns of one number in an array of length 1 lose that axis; a `SkyCoord` becomes a
    position, its motions and its epoch (see `plain_sky`), a `Time` Julian years, and the parts of a
    position in the columns of the CDS (``RAh``, ``RAm``, ...) one position.

    Parameters
    ----------
    table : astropy.table.Table

    Returns
    -------
    flat : astropy.table.Table
        Its columns share the memory of `table`.
    unreadable : dict of str to str
        Columns that are left out, and what they hold.

    Raises
    ------
    InputError
        If there are two positions, or two columns of one name.
    """
    flat, unreadable = Table(), {}
    table = plain_sky(table)
    for name in table.colnames:
        column = table[name]
        parts: dict[str, Any] = {}
        if type(column).__name__ == "Time":
            parts = {name: Column(np.asarray(column.jyear, dtype=np.float64), unit="yr")}
        elif not hasattr(column, "dtype"):
            unreadable[name] = f"objects ({type(column).__name__})"
        elif column.ndim > 1 and column.size == len(column):
            parts = {name: column.reshape(len(column))}
            parts[name].info.unit = column.info.unit
        elif column.ndim > 1:
            unreadable[name] = "several numbers a row"
        elif column.dtype.kind == "V":
            unreadable[name] = "several values a row"
        else:
            parts = {name: column}
        for part, values in parts.items():
            if part in flat.colnames:
                raise InputError(f"column {part!r} occurs more than once (once in {name!r})")
            flat.add_column(values, name=part, copy=False)
    _add_cds_position(flat)
    return flat, unreadable


def _add_cds_position(table: Table) -> None:
    """Add ra and dec [deg] where the columns of the CDS give their parts."""
    names = set(table.colnames)
    if not {*_RA, *_DEC} <= names or {"ra", "dec"} & {name.lower() for name in names}:
        return
    ra = sum(_float(table[part]) / 60.0**i for i, part in enumerate(_RA))
    # The sign is that of the whole: in a column of its own, or that of the degrees.
    dec = sum(np.abs(_float(table[part])) / 60.0**i for i, part in enumerate(_DEC))
    negative = np.signbit(_float(table["DEd"]))
    if "DE-" in names:
        signs = np.char.strip(np.ma.filled(table["DE-"], "").astype(str))
        negative |= np.isin(signs, ("-", "\N{MINUS SIGN}"))
    dec = np.where(negative, -dec, dec)
    table["ra"], table["dec"] = Column(15.0 * ra, unit="deg"), Column(dec, unit="deg")


def _float(column: Any) -> Any:
    values = np.ma.getdata(column).astype(np.float64)
    values[np.ma.getmaskarray(column)] = np.nan
    return values
