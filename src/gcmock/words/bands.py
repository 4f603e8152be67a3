"""Photometric bands: one table, and all that is asked of sets of bands.

A linear band is one whose magnitudes the isochrones have, and which the extinction law moves
along a straight line. A synthetic band is a function of linear ones, such as Hw of J and H.

A set of bands is an integer, the sum of their bits ("mask").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Band:
    """A photometric band.

    Parameters
    ----------
    name : str
        As in the names of columns: ``phot_<name>_mag``.
    label : str
        As it is printed.
    kind : {"linear", "synthetic"}
        Whether isochrones and extinction law have it, or a relation makes it of others.
    system : str
        Photometric system of its magnitudes (all of them Vega).
    ucd : str
        Word of the IVOA's controlled vocabulary (UCD1+) for its part of the spectrum.
    colour : str
        Colour of the band in figures, as a hexadecimal code.
    """

    name: str
    label: str
    kind: Literal["linear", "synthetic"]
    system: str
    ucd: str
    colour: str

    @property
    def index(self) -> int:
        """Place of the band on every `n_band` axis."""
        return BANDS.index(self.name)

    @property
    def bit(self) -> int:
        """Bit of the band in a mask."""
        return 1 << self.index


BAND_TABLE: Final = (
    Band("j", "J", "linear", "2mass", "em.IR.J", "#0072b2"),
    Band("h", "H", "linear", "2mass", "em.IR.H", "#009e73"),
    Band("ks", "Ks", "linear", "2mass", "em.IR.K", "#d55e00"),
    Band("hw", "Hw", "synthetic", "jasmine", "em.IR", "#cc79a7"),
)
"""All bands, the linear ones first, in the order of every `n_band` axis."""

BANDS: Final = tuple(band.name for band in BAND_TABLE)
"""Names of the bands, in the order of every `n_band` axis."""

LINEAR_BANDS: Final = tuple(band.name for band in BAND_TABLE if band.kind == "linear")
"""Names of the bands that isochrones and extinction law have, in the order of their axes."""

SYNTHETIC_BANDS: Final = tuple(band.name for band in BAND_TABLE if band.kind == "synthetic")
"""Names of the bands that follow from others."""


def band(name: str) -> Band:
    """Return the band of a name.

    Raises
    ------
    KeyError
        If there is none.
    """
    try:
        return BAND_TABLE[BANDS.index(name)]
    except ValueError as error:
        raise KeyError(f"{name!r} is no band; known: {', '.join(BANDS)}") from error


def magnitude_name(band: str) -> str:
    """Name of the magnitude column of a band."""
    return f"phot_{band}_mag"


def magnitude_error_name(band: str) -> str:
    """Name of the column of the magnitude error of a band."""
    return f"phot_{band}_mag_error"


N_LINEAR: Final = len(LINEAR_BANDS)
"""Number of linear bands; their bits are the lowest of a mask."""

ALL_LINEAR: Final = (1 << N_LINEAR) - 1
"""Set of all linear bands."""

SYNTHETIC: Final = 1 << N_LINEAR
"""Bit of the synthetic band where a set may have one only, whichever it is: in the posterior."""

_SOURCES: Final = band("j").bit | band("h").bit

# What is asked of sets of bands: written for numbers, without calls, and compiled as it is.


def linear_part(mask: int) -> int:
    """Return the linear bands of a set."""
    return mask & ALL_LINEAR


def has_synthetic(mask: int) -> bool:
    """Return whether a set has a synthetic band."""
    return mask > ALL_LINEAR


def by_colour(mask: int) -> bool:
    """Return whether a set is a synthetic band alone, or with one linear band.

    Its extinction then depends on the colour of the star, which nothing else tells.
    """
    linear = mask & ALL_LINEAR
    return mask > ALL_LINEAR and linear & (linear - 1) == 0


def is_single(mask: int) -> bool:
    """Return whether a set is one linear band."""
    return 0 < mask <= ALL_LINEAR and mask & (mask - 1) == 0


def first_band(mask: int) -> int:
    """Return the index of the first linear band of a set; 0 if there is none."""
    for index in range(N_LINEAR):
        if mask >> index & 1:
            return index
    return 0


def equivalent(mask: int) -> int:
    """Return the set of bands that says what a set says.

    A synthetic band beside two or more linear ones is turned into those that it follows from.
    """
    linear = mask & ALL_LINEAR
    if mask > ALL_LINEAR and linear & (linear - 1) != 0:
        return linear | _SOURCES
    return mask
