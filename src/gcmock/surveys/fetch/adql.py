"""The queries that are sent to archives: a small part of ADQL that all of them understand.

No DISTANCE, no uploads, no polygons: ESO knows CONTAINS, POINT, CIRCLE and comparisons only. The
box selects the rows; the circle around it says the same once more in the words for which archives
have an index of the sky.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gcmock.surveys.fetch.window import Tile

_REGULAR: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Selection:
    """What is selected from a table.

    Attributes
    ----------
    table : str
        As it is written in ADQL.
    columns : tuple of str
    longitude, latitude : str
        Columns by which the table is cut into tiles.
    ra, dec : str
        Columns of the ICRS position.
    frame : str
        Frame of longitude and latitude: "icrs" or "galactic".
    pad_deg : float
        A tile is selected with this margin, because an archive may compare other digits than it
        shows.
    identifier : str
        Column of identifiers; empty if the table has none.
    """

    table: str
    columns: tuple[str, ...]
    longitude: str
    latitude: str
    ra: str
    dec: str
    frame: str
    pad_deg: float
    identifier: str = ""


def identifier(name: str) -> str:
    """Return a column name as ADQL writes it: in quotes where it is not a regular identifier."""
    return name if _REGULAR.fullmatch(name) else f'"{name}"'


def first_row(table: str) -> str:
    """Return the query for one row with all columns: it shows what the table is like."""
    return f"SELECT TOP 1 * FROM {table}"


def rows(selection: Selection, tile: Tile) -> str:
    """Return the query for the rows of a tile."""
    columns = ", ".join(map(identifier, selection.columns))
    return f"SELECT {columns} FROM {selection.table} WHERE {_where(selection, tile)}"


def count_query(selection: Selection, tile: Tile) -> str:
    """Return the query for the number of rows of a tile."""
    return f"SELECT COUNT(*) AS n_rows FROM {selection.table} WHERE {_where(selection, tile)}"


def _where(selection: Selection, tile: Tile) -> str:
    pad = selection.pad_deg
    ra0, dec0, radius = tile.circle(selection.frame, pad)
    point = f"POINT('ICRS', {identifier(selection.ra)}, {identifier(selection.dec)})"
    circle = f"CIRCLE('ICRS', {_number(ra0)}, {_number(dec0)}, {_number(radius)})"
    return " AND ".join(
        (
            _between(selection.longitude, tile.lon, pad),
            _between(selection.latitude, tile.lat, pad),
            f"CONTAINS({point}, {circle}) = 1",
        )
    )


def _between(name: str, edges: Sequence[float], pad: float) -> str:
    low, high = (_number(edge) for edge in (edges[0] - pad, edges[1] + pad))
    return f"{identifier(name)} BETWEEN {low} AND {high}"


def _number(value: float) -> str:
    """Return a number without an exponent, which not every parser knows."""
    return f"{value:.9f}".rstrip("0").rstrip(".")
