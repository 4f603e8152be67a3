"""What the merge assumes of every survey beyond its definition: order, resolution, floors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACKBONE: Final = ("virac2", "gaia", "gnc", "sirius", "vvv", "2mass")
"""Order in which surveys are linked: from the best positions to the coarsest images."""

ID_COLUMN: Final = {
    "virac2": "virac2_source_id",
    "gaia": "gaia_source_id",
    "gnc": "gnc_source_id",
    "sirius": "sirius_source_id",
    "vvv": "vvv_source_id",
    "2mass": "tmass_source_id",
}
"""Column of the merged catalogue that holds a survey's identifier."""


@dataclass(frozen=True)
class Traits:
    """Properties of a survey that decide how its sources are matched.

    Parameters
    ----------
    fwhm_arcsec : float
        Width of a point source on its images.
    position_floor_mas : float
        Error of a position that no catalogue lists, added in quadrature per axis.
    magnitude_floor_mag : float
        The same for magnitudes.
    source : str
        Where the numbers come from.
    """

    fwhm_arcsec: float
    position_floor_mas: float
    magnitude_floor_mag: float
    source: str


TRAITS: Final = {
    "virac2": Traits(
        0.75, 4.0, 0.01, "VVV seeing: Minniti et al. 2010, New Astronomy 15, 433; floors: choice"
    ),
    "vvv": Traits(0.75, 25.0, 0.02, "seeing as VIRAC2; 24 mas off Gaia in the Galactic centre"),
    "gaia": Traits(0.2, 0.5, 0.005, "Gaia Collaboration 2016, A&A 595, A1; floors: choice"),
    "gnc": Traits(
        0.25,
        10.0,
        0.02,
        "holographic images: Nogueras-Lara et al. 2019, A&A 631, A20; floors: choice",
    ),
    "sirius": Traits(
        1.2, 30.0, 0.02, "seeing: Nishiyama et al. 2006, ApJ 638, 839; floors: choice"
    ),
    "2mass": Traits(2.7, 40.0, 0.02, "Skrutskie et al. 2006, AJ 131, 1163; floors: choice"),
}
"""By survey."""
