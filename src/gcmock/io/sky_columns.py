"""A column of SkyCoords as the plain columns that gcmock reads."""

from __future__ import annotations

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, Table

from gcmock.errors import InputError


def plain_sky(table: Table) -> Table:
    """Return a table whose SkyCoord, if it has one, is also there as plain columns.

    Parameters
    ----------
    table : astropy.table.Table
        Any table.

    Returns
    -------
    astropy.table.Table
        With ``l`` and ``b`` of a Galactic SkyCoord, else ``ra`` and ``dec`` [deg], and with
        ``pmra``, ``pmdec`` [mas/yr], ``radial_velocity`` [km/s], ``distance`` [pc] and
        ``ref_epoch`` [Julian year] where it has them; columns of these names stay as they are.

    Raises
    ------
    InputError
        If several columns are SkyCoords.
    """
    names = [name for name in table.colnames if isinstance(table[name], SkyCoord)]
    if not names:
        return table
    if len(names) > 1:
        raise InputError(f"columns {', '.join(names)} are SkyCoords: keep the one of the stars")
    sky = table[names[0]]
    if sky.frame.name == "galactic":
        found = {"l": sky.l.to("deg"), "b": sky.b.to("deg")}
    else:
        # A change of frame rounds, even from ICRS to ICRS.
        there = sky if sky.frame.name == "icrs" else sky.icrs
        found = {"ra": there.ra.to("deg"), "dec": there.dec.to("deg")}
    motion = sky.data.differentials.get("s")
    if motion is not None:
        moving = sky if sky.frame.name == "icrs" else sky.icrs
        if hasattr(motion, "d_lat") or hasattr(motion, "d_x"):
            found["pmra"] = moving.pm_ra_cosdec.to("mas/yr")
            found["pmdec"] = moving.pm_dec.to("mas/yr")
        if hasattr(motion, "d_distance") or hasattr(motion, "d_x"):
            found["radial_velocity"] = moving.radial_velocity.to("km/s")
    distance = getattr(sky, "distance", None)
    if distance is not None and distance.unit.is_equivalent("pc"):
        found["distance"] = distance.to("pc")
    # In FK4 and along the ecliptic it defines the axes, and is there also if nobody gave it.
    if sky.obstime is not None and "obstime" not in sky.frame.frame_attributes:
        years = np.broadcast_to(sky.obstime.jyear, sky.shape).astype(np.float64)
        found["ref_epoch"] = Column(years, unit="yr")
    rest = Table(table, copy=False)
    rest.remove_column(names[0])
    for name, values in found.items():
        if name not in rest.colnames:
            rest[name] = values
    return rest
