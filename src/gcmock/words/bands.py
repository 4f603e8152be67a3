"""Photometric bands: one table, and every list of bands and colours that follows from it.

A linear band is one whose magnitudes the isochrones have, and which the extinction law moves
along a straight line. A synthetic band is a function of J and H, such as Hw, by a relation of
`gcmock.stars.bands`.

A set of bands is an integer, the sum of their bits ("mask").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
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
    wavelength_um : float
        Of a linear band: effective wavelength for the reddened giants of the bulge [um].
    relation : str
        Of a synthetic band: name of the relation that makes it of J and H, unless another is
        chosen, in ``data/<name>_relations.toml``. Empty for a linear band.
    """

    name: str
    label: str
    kind: Literal["linear", "synthetic"]
    system: str
    ucd: str
    colour: str
    wavelength_um: float = float("nan")
    relation: str = ""

    @property
    def index(self) -> int:
        """Place of the band on every `n_band` axis."""
        return BANDS.index(self.name)

    @property
    def bit(self) -> int:
        """Bit of the band in a mask."""
        return 1 << self.index


BAND_TABLE: Final = (
    Band("j", "J", "linear", "2mass", "em.IR.J", "#0072b2", wavelength_um=1.240),
    Band("h", "H", "linear", "2mass", "em.IR.H", "#009e73", wavelength_um=1.664),
    Band("ks", "Ks", "linear", "2mass", "em.IR.K", "#d55e00", wavelength_um=2.164),
    Band("hw", "Hw", "synthetic", "jasmine", "em.IR", "#cc79a7", relation="yano2021_2mass"),
)
"""All bands in the order of every `n_band` axis: the linear ones first, those of surveys in front.

Thus the place of a band is the same on an axis of all bands, of the linear bands and of the bands
of surveys.
"""

BANDS: Final = tuple(band.name for band in BAND_TABLE)
"""Names of the bands, in the order of every `n_band` axis."""

LINEAR_BANDS: Final = tuple(band.name for band in BAND_TABLE if band.kind == "linear")
"""Names of the bands that isochrones and extinction law have, in the order of their axes."""

SYNTHETIC_BANDS: Final = tuple(band.name for band in BAND_TABLE if band.kind == "synthetic")
"""Names of the bands that follow from others."""


SURVEY_BANDS: Final = tuple(band.name for band in BAND_TABLE if band.system == "2mass")
"""Names of the bands that near-infrared surveys measure, in the order of their axes."""

COLOUR_INDICES: Final = tuple(combinations(SURVEY_BANDS, 2))[::-1]
"""Pairs of bands whose differences are colours, blue band first: H-Ks, J-Ks, J-H.

The colour that dust hides least comes first.
"""

NEIGHBOUR_COLOURS: Final = tuple(pairwise(SURVEY_BANDS))[::-1]
"""The colours of neighbouring bands: H-Ks, J-H."""

GAIA_BANDS: Final = ("g", "bp", "rp")
"""Names of the bands of Gaia, in the order of their axes; they take no part in posteriors."""

G, BP, RP = range(len(GAIA_BANDS))
"""Places of G, BP and RP on axes of the bands of Gaia."""

ROMAN_BANDS: Final = ("f087", "f146", "f213")
"""Names of the bands of Roman that isochrones have, in the order of their axes."""

PREDICTED_BANDS: Final = (*ROMAN_BANDS, "gaianir")
"""Names of the bands that are predicted for the catalogue of a mission, but not kept in others."""


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


J: Final = band("j").index
"""Place of J on axes of bands."""

H: Final = band("h").index
"""Place of H on axes of bands."""

KS: Final = band("ks").index
"""Place of Ks on axes of bands."""

HW: Final = band("hw").index
"""Place of Hw on the axis of all bands."""


def mask_of(*names: str) -> int:
    """Return the set of bands of some names: the sum of their bits."""
    return sum({band(name).bit for name in names})


def band_label(name: str) -> str:
    """Return a band as it is printed."""
    return band(name).label


def colour_label(blue: str, red: str) -> str:
    """Return a colour index as it is printed, such as H − Ks."""
    return f"{band_label(blue)} − {band_label(red)}"


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
