"""Columns of an astropy table as plain columns: one value a row, or the reason why not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from astropy.table import Column, Table

from gcmock.errors import InputError

_RA: Final = ("RAh", "RAm", "RAs")
_DEC: Final = ("DEd", "DEm", "DEs")


def flat_table(table: Table) -> tuple[Table, dict[str, str]]:
    """Return a table of plain columns.

    Columns of one number in an array of length 1 lose that axis; a `SkyCoord` becomes ``ra`` and
    ``dec`` (and its motions and its time what belongs to them), a `Time` Julian years, and the
    parts of a position in the columns of the CDS (``RAh``, ``RAm``, ...) one position.

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
        If there are two positions.
    """
    flat, unreadable = Table(), {}
    for name in table.colnames:
        column = table[name]
        parts: dict[str, Any] = {}
        if type(column).__name__ == "SkyCoord":
            parts = _of_sky_coordinates(name, column)
        elif type(column).__name__ == "Time":
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


def _of_sky_coordinates(name: str, sky: Any) -> dict[str, Any]:
    icrs = sky.icrs
    found = {"ra": Column(icrs.ra.deg, unit="deg"), "dec": Column(icrs.dec.deg, unit="deg")}
    if "s" in icrs.data.differentials:
        rates = {"pmra": ("pm_ra_cosdec", "mas/yr"), "pmdec": ("pm_dec", "mas/yr")}
        rates["radial_velocity"] = ("radial_velocity", "km/s")
        for column, (attribute, unit) in rates.items():
            try:
                found[column] = Column(getattr(icrs, attribute).to_value(unit), unit=unit)
            # A coordinate has motions without velocities, or velocities without motions.
            except Exception:
                continue
    if sky.obstime is not None:
        years = np.broadcast_to(sky.obstime.jyear, sky.shape).astype(np.float64)
        found["ref_epoch"] = Column(years, unit="yr")
    return found


def _add_cds_position(table: Table) -> None:
    """Add ra and dec [deg] where the columns of the CDS give their parts."""
    names = set(table.colnames)
    if not {*_RA, *_DEC} <= names or {"ra", "dec"} & {name.lower() for name in names}:
        return
    ra, dec = (
        sum(_float(table[part]) / 60.0**i for i, part in enumerate(parts)) for parts in (_RA, _DEC)
    )
    if "DE-" in names:
        dec = np.where(np.asarray(table["DE-"]).astype(str) == "-", -dec, dec)
    table["ra"], table["dec"] = Column(15.0 * ra, unit="deg"), Column(dec, unit="deg")


def _float(column: Any) -> Any:
    values = np.ma.getdata(column).astype(np.float64)
    values[np.ma.getmaskarray(column)] = np.nan
    return values
