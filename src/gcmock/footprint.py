"""The area of the sky that a list of stars covers: a cone, a polygon, a MOC, or guessed from stars.

Expected numbers of stars are densities times an area. Whatever needs the area of a list, and which
positions lie in it, asks a `Footprint`; it is a multi-order coverage map (MOC, IVOA), and the
geometry is that of the library MOCPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from gcmock.arrays import Floats
from gcmock.errors import GcmockError, InputError
from gcmock.frames import full_circle, galactic_to_icrs
from gcmock.settings.footprint import FootprintConfig

EDGE: Final = 1.0 / 600.0
"""Size of the HEALPix cells at the edges over that of the area: a map has all that are touched."""

WHOLE_SKY_DEG2: Final = 360.0**2 / np.pi

FEWEST: Final = 20
"""Stars from which a footprint can be guessed."""

_STARS_PER_CELL: Final = 12.0
_FILLED: Final = 0.93
_COARSEST, _FINEST = 5, 13


@dataclass(frozen=True)
class Footprint:
    """An area of the sky.

    Attributes
    ----------
    moc : mocpy.MOC
        In ICRS.
    what : str
        How it is given, in words.
    area_deg2 : float
        Solid angle [deg2].
    """

    moc: Any
    what: str
    area_deg2: float

    def contains(self, l_deg: Floats, b_deg: Floats) -> NDArray[np.bool_]:
        """Whether Galactic positions [deg] lie in it, shape (n,)."""
        from astropy import units as u

        ra, dec = galactic_to_icrs(l_deg, b_deg)
        return np.asarray(self.moc.contains_lonlat(ra * u.deg, dec * u.deg), dtype=bool)

    def covered(self, l_deg: Floats, b_deg: Floats, size_deg: float, n_side: int = 12) -> Floats:
        """Return which fraction of squares along l and b lies in it.

        Parameters
        ----------
        l_deg, b_deg : ndarray, shape (n,)
            Centres [deg].
        size_deg : float
            Width in b, and in l on the map (not on the sphere) [deg].
        n_side : int
            The fraction is that of n_side^2 points of the square.

        Returns
        -------
        ndarray, shape (n,)
        """
        offset = ((np.arange(n_side) + 0.5) / n_side - 0.5) * size_deg
        dl, db = (a.ravel() for a in np.meshgrid(offset, offset))
        inside = self.contains((l_deg[:, None] + dl).ravel(), (b_deg[:, None] + db).ravel())
        return np.asarray(inside.reshape(len(l_deg), -1).mean(axis=1))


def footprint_of(settings: FootprintConfig) -> Footprint | None:
    """Return the footprint that the settings give; None if they give none.

    Parameters
    ----------
    settings : FootprintConfig
        ``[footprint]``. What is to be guessed from the stars is not given here.

    Raises
    ------
    InputError
        If the file of a MOC cannot be read, or the shape is none.
    """
    if settings.cone is not None:
        return cone(*settings.cone)
    if settings.polygon is not None:
        return polygon(settings.polygon)
    if settings.moc:
        return from_file(Path(settings.moc))
    return None


def footprint_of_list(settings: FootprintConfig, l_deg: Floats, b_deg: Floats) -> Footprint | None:
    """Return the footprint of a list of stars, guessed from them if the settings say so.

    Parameters
    ----------
    settings : FootprintConfig
        ``[footprint]``.
    l_deg, b_deg : ndarray, shape (n_star,)
        Galactic positions of the list [deg].

    Returns
    -------
    Footprint or None
        None if the settings give none.
    """
    return from_stars(l_deg, b_deg) if settings.from_stars else footprint_of(settings)


def cone(ra: float, dec: float, radius: float) -> Footprint:
    """Return a circle on the sky; all in degrees, ICRS."""
    from astropy import units as u
    from astropy.coordinates import Latitude, Longitude

    lon, lat = Longitude(ra * u.deg), Latitude(dec * u.deg)
    moc = _mocpy().from_cone(lon, lat, radius=radius * u.deg, max_depth=_order_of(radius))
    area = 0.5 * WHOLE_SKY_DEG2 * (1.0 - np.cos(np.radians(radius)))
    return Footprint(moc, f"cone of {radius:g} deg around ra, dec = {ra:g}, {dec:g}", float(area))


def polygon(vertices: Sequence[tuple[float, float]]) -> Footprint:
    """Return a polygon whose sides are great circles: ra and dec of its vertices [deg], ICRS."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    ra, dec = np.array(vertices, dtype=np.float64).T
    place = SkyCoord(ra * u.deg, dec * u.deg)
    order = _order_of(float(place.separation(place[0]).deg.max()))
    moc = _mocpy().from_polygon_skycoord(place, max_depth=order)
    return Footprint(moc, f"polygon of {len(vertices)} vertices", _area(moc))


def from_file(path: Path) -> Footprint:
    """Return the footprint of a MOC file: FITS, JSON or text.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    form = {".fits": "fits", ".fit": "fits", ".json": "json"}.get(path.suffix.lower(), "ascii")
    if not path.is_file():
        raise InputError(f"{path}: no such file; [footprint] moc expects a MOC (FITS, JSON, text)")
    try:
        moc = _mocpy().load(str(path), format=form)
    # The library raises almost anything on files that are no MOC.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: is no MOC as {form}: {reason}") from error
    if moc.empty():
        raise InputError(f"{path}: the MOC is empty")
    return Footprint(moc, f"MOC {path.name}", _area(moc))


def from_stars(l_deg: Floats, b_deg: Floats) -> Footprint:
    """Guess the area that stars cover.

    It is their convex hull where that is filled by them, which cones, boxes and most polygons are.
    Its area is too small by the fraction of the stars that lie on it (Efron 1965, Biometrika 52,
    331). Where it is not, it is all HEALPix cells with stars, of a size at which a dozen are
    expected in each: its edges are then as coarse as these cells.

    Parameters
    ----------
    l_deg, b_deg : ndarray, shape (n_star,)
        Galactic positions [deg].

    Raises
    ------
    InputError
        If there are too few stars for a guess.
    """
    n = len(l_deg)
    if n < FEWEST:
        raise InputError(
            f"a footprint cannot be guessed from {n} stars: give a cone, a polygon or a MOC in "
            "[footprint]"
        )
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    hull, corners, ratio = _hull(ra, dec)
    if hull is not None:
        order, cells = _cells(ra, dec, _area(hull))
        # Cells whose centre is far enough inside should have stars.
        filled = cells.intersection(hull).sky_fraction / hull.sky_fraction
        if filled > _FILLED:
            what = f"convex hull of {n:,} stars, {corners} of them on it"
            return Footprint(hull, what, _area(hull) * ratio)
    else:
        order, cells = _cells(ra, dec, _spread(ra, dec))
    size = np.sqrt(WHOLE_SKY_DEG2 / 12.0 / 4**order) * 60.0
    return Footprint(cells, f"cells of {size:.2g} arcmin with any of {n:,} stars", _area(cells))


def _hull(ra: Floats, dec: Floats) -> tuple[Any, int, float]:
    """Return the convex hull as a MOC (None if there is none), its corners, and area over hull."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    l_0 = _middle(ra)
    x = (full_circle(ra - l_0 + 180.0) - 180.0) * np.cos(np.radians(np.median(dec)))
    try:
        corners = ConvexHull(np.column_stack((x, dec))).vertices
    except QhullError:
        return None, 0, 1.0
    place = SkyCoord(ra[corners] * u.deg, dec[corners] * u.deg)
    order = _order_of(float(place.separation(place[0]).deg.max()))
    moc = _mocpy().from_polygon_skycoord(place, max_depth=order)
    n = len(ra)
    return (None, 0, 1.0) if moc.empty() else (moc, len(corners), n / (n - len(corners)))


def _cells(ra: Floats, dec: Floats, area_deg2: float) -> tuple[int, Any]:
    """Return the order of HEALPix cells with a dozen stars in each, and those that have any."""
    from astropy import units as u

    wanted = max(area_deg2, 1e-9) * _STARS_PER_CELL / len(ra)
    order = int(np.floor(0.5 * np.log2(WHOLE_SKY_DEG2 / 12.0 / wanted)))
    order = min(max(order, _COARSEST), _FINEST)
    return order, _mocpy().from_lonlat(ra * u.deg, dec * u.deg, max_norder=order)


def _spread(ra: Floats, dec: Floats) -> float:
    """Return the area of the box that holds all stars [deg2]."""
    x = full_circle(ra - _middle(ra) + 180.0) - 180.0
    return float(np.ptp(x) * np.cos(np.radians(np.median(dec))) * np.ptp(dec))


def _middle(ra: Floats) -> float:
    """Return the right ascension in the middle of stars [deg]."""
    angle = np.radians(ra)
    return float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())))


def _order_of(size_deg: float) -> int:
    """Return the HEALPix order of the edges of something of a size [deg]."""
    cell = max(size_deg, 1e-4) * EDGE
    return min(max(int(np.ceil(0.5 * np.log2(WHOLE_SKY_DEG2 / 12.0 / cell**2))), 8), 22)


def _area(moc: Any) -> float:
    return float(moc.sky_fraction * WHOLE_SKY_DEG2)


def has_mocpy() -> bool:
    """Whether the package ``mocpy`` is installed."""
    return find_spec("mocpy") is not None


def _mocpy() -> Any:
    try:
        from mocpy import MOC
    except ImportError as error:
        raise GcmockError(
            "[footprint] needs the package mocpy: pip install 'gcmock[footprint]'"
        ) from error
    return MOC
