"""A window of the sky in Galactic coordinates, cut into tiles of the coordinates of an archive.

A source belongs to exactly one tile: to that whose half-open box holds the coordinates that the
archive gives for it. Whether it belongs to the window is decided by its right ascension and
declination alone, so that the choice does not depend on how an archive rounds or on its frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic

_L_MAX: Final = 60.0
_B_MAX: Final = 30.0
_DIGITS: Final = 9
_N_EDGE: Final = 200
_N_GRID: Final = 24
_PAD_DEG: Final = 1e-5
SMALLEST_DEG: Final = 1e-4
"""A tile is not divided below this size."""


@dataclass(frozen=True)
class SurveyWindow:
    """A window |l| <= 60, |b| <= 30 deg, its edges included.

    Attributes
    ----------
    l, b : tuple of float
        Ranges of Galactic longitude and latitude [deg].
    """

    l: tuple[float, float]
    b: tuple[float, float]

    def __post_init__(self) -> None:
        for name, (low, high), limit in (("l", self.l, _L_MAX), ("b", self.b, _B_MAX)):
            if not (-limit <= low < high <= limit):
                raise InputError(
                    f"--{name} {low:g} {high:g}: must go up and lie within -{limit:g} and "
                    f"{limit:g} degrees; west of the Galactic centre l is negative"
                )

    def contains(self, ra: Floats, dec: Floats) -> NDArray[np.bool_]:
        """Return which ICRS positions [deg] (n,) lie in the window (n,)."""
        return _within(ra, dec, self.l, self.b)


def _within(
    ra: Floats, dec: Floats, l_range: tuple[float, float], b_range: tuple[float, float]
) -> NDArray[np.bool_]:
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    inside: NDArray[np.bool_] = (l_deg >= l_range[0]) & (l_deg <= l_range[1])
    return inside & (b_deg >= b_range[0]) & (b_deg <= b_range[1])


@dataclass(frozen=True)
class Tile:
    """A box in the coordinates of an archive.

    Attributes
    ----------
    root : str
        Name of the tile from which it comes.
    path : str
        Its place in it: a digit for each division into quarters.
    lon, lat : tuple of float
        Ranges [deg]; the lower edge belongs to the tile, the upper one to its neighbour.
    """

    root: str
    path: str
    lon: tuple[float, float]
    lat: tuple[float, float]

    @property
    def name(self) -> str:
        """Name of the tile."""
        return f"{self.root}-{self.path}" if self.path else self.root

    def holds(self, name: str) -> bool:
        """Whether a name is that of a part of this tile."""
        return name != self.name and name.startswith(f"{self.root}-{self.path}")

    def owns(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Return which positions (n,) belong to the tile (n,)."""
        inside: NDArray[np.bool_] = (
            (lon >= self.lon[0]) & (lon < self.lon[1]) & (lat >= self.lat[0]) & (lat < self.lat[1])
        )
        return inside

    @property
    def size_deg(self) -> float:
        """Length of the longer side."""
        return max(self.lon[1] - self.lon[0], self.lat[1] - self.lat[0])

    def parts(self) -> tuple[Tile, ...]:
        """Return the four quarters."""
        lon = (self.lon[0], _rounded(sum(self.lon) / 2), self.lon[1])
        lat = (self.lat[0], _rounded(sum(self.lat) / 2), self.lat[1])
        return tuple(
            Tile(self.root, f"{self.path}{2 * j + i}", (lon[i], lon[i + 1]), (lat[j], lat[j + 1]))
            for j in range(2)
            for i in range(2)
        )

    def circle(self, frame: str, pad_deg: float) -> tuple[float, float, float]:
        """Return ra, dec and radius [deg] of a circle that holds the tile and a margin."""
        ra, dec = _icrs(frame, *_outline(self.lon, self.lat))
        centre = _icrs(frame, *(np.array([sum(edge) / 2]) for edge in (self.lon, self.lat)))
        ra0, dec0 = (_rounded(float(x[0])) for x in centre)
        radius = float(np.max(separation_deg(ra, dec, ra0, dec0)))
        return ra0, dec0, _rounded(1.001 * radius + 2.0 * pad_deg)


def _rounded(value: float) -> float:
    """Round to the digits that a query shows, so that the archive and we use the same number."""
    return round(value, _DIGITS)


def separation_deg(ra: Floats, dec: Floats, ra0: float, dec0: float) -> Floats:
    """Return the angle between positions (n,) and a point, all in degrees (haversine formula)."""
    d_ra, d_dec = np.radians(ra - ra0), np.radians(dec - dec0)
    cosines = np.cos(np.radians(dec)) * np.cos(np.radians(dec0))
    h = np.sin(d_dec / 2) ** 2 + cosines * np.sin(d_ra / 2) ** 2
    result: Floats = np.degrees(2.0 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))
    return result


def _icrs(frame: str, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return galactic_to_icrs(lon, lat) if frame == "galactic" else (lon, lat)


def _outline(lon: tuple[float, float], lat: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return points along the edges of a box."""
    x, y = np.linspace(*lon, _N_EDGE), np.linspace(*lat, _N_EDGE)
    ones = np.ones(_N_EDGE)
    return (
        np.concatenate([x, x, lon[0] * ones, lon[1] * ones]),
        np.concatenate([lat[0] * ones, lat[1] * ones, y, y]),
    )


def _boxes(window: SurveyWindow, frame: str, pad: float) -> list[tuple[Any, Any]]:
    """Return boxes in the coordinates of an archive that together hold the window."""
    if frame == "galactic":
        low, high = window.l[0] - pad, window.l[1] + pad
        b_range = (window.b[0] - pad, window.b[1] + pad)
        # Archives count l from 0 to 360, and may round 359.9999 up to it.
        pieces = [(max(low, 0.0), high)] if high > 0 else []
        pieces += [(low + 360.0, min(high, pad) + 360.0)] if low < 0 else []
        return [(piece, b_range) for piece in pieces]
    ra, dec = galactic_to_icrs(*_outline(window.l, window.b))
    # Between two points an edge bulges by less than their distance.
    pitch = max(window.l[1] - window.l[0], window.b[1] - window.b[0]) / _N_EDGE
    pad += 2.0 * pitch
    return [((ra.min() - pad, ra.max() + pad), (dec.min() - pad, dec.max() + pad))]


def tiles(
    window: SurveyWindow, frame: str, rounding_deg: float, tile_deg: float, prefix: str = ""
) -> Iterator[Tile]:
    """Yield tiles that together hold the window, without those that lie outside of it.

    Parameters
    ----------
    window : SurveyWindow
    frame : str
        "icrs" or "galactic".
    rounding_deg : float
        How exact the coordinates of the archive are [deg].
    tile_deg : float
        Longest side of a tile [deg].
    prefix : str
        Beginning of the names.
    """
    number = 0
    for lon, lat in _boxes(window, frame, rounding_deg + _PAD_DEG):
        edges = [_edges(side, tile_deg) for side in (lon, lat)]
        for j in range(len(edges[1]) - 1):
            for i in range(len(edges[0]) - 1):
                name = f"{prefix}{number:04d}"
                tile = Tile(
                    name, "", (edges[0][i], edges[0][i + 1]), (edges[1][j], edges[1][j + 1])
                )
                number += 1
                if touches(tile, window, frame, rounding_deg + _PAD_DEG):
                    yield tile


def _edges(side: tuple[float, float], step: float) -> list[float]:
    """Return the edges of equal pieces of a side, none longer than a step."""
    n = max(1, int(np.ceil((side[1] - side[0]) / step - 1e-9)))
    return [_rounded(float(x)) for x in np.linspace(side[0], side[1], n + 1)]


def touches(tile: Tile, window: SurveyWindow, frame: str, pad_deg: float) -> bool:
    """Whether a tile and a window can have a point in common; true in doubtful cases."""
    lon, lat = np.meshgrid(np.linspace(*tile.lon, _N_GRID), np.linspace(*tile.lat, _N_GRID))
    ra, dec = _icrs(frame, lon.ravel(), lat.ravel())
    # Every point of the tile lies within a step of a point of the grid; l runs faster than the sky.
    step = tile.size_deg / (_N_GRID - 1) / np.cos(np.radians(_B_MAX)) + pad_deg
    l_range = (window.l[0] - step, window.l[1] + step)
    b_range = (window.b[0] - step, window.b[1] + step)
    return bool(_within(ra, dec, l_range, b_range).any())
