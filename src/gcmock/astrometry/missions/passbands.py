"""Magnitudes in bands of missions that a mock catalogue does not hold."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Table
from gcmock.data import read_toml
from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.settings.name_or_path import file_sha256
from gcmock.stars.isochrones import load_isochrones
from gcmock.words.bands import (
    BAND_TABLE,
    BANDS,
    KS,
    LINEAR_BANDS,
    ROMAN_BANDS,
    SURVEY_BANDS,
    magnitude_name,
)

NEEDED: Final = {
    "gaianir": (magnitude_name("j"), magnitude_name("h")),
    **dict.fromkeys(
        ROMAN_BANDS,
        (
            "l",
            "b",
            "distance_pc",
            "mass_init",
            "age_gyr",
            "metallicity",
            *map(magnitude_name, SURVEY_BANDS),
            "a_ks",
        ),
    ),
    **{band: (magnitude_name(band),) for band in BANDS},
}
"""Columns of a mock catalogue from which a band is predicted."""

_MASS_ROUNDING = 1.2e-7
"""Largest relative change of a mass that is stored in single precision, doubled."""

_AGE_TOLERANCE = 2e-3
"""Ages are stored in single precision, isochrones with four digits [Gyr]."""


def law_of(metadata: Mapping[str, str]) -> str:
    """Return the name of the extinction law of a mock catalogue, from the metadata of its file.

    Raises
    ------
    InputError
        If the metadata do not tell, its stars have isochrones without Roman bands, or the law is
        that of a file which has changed.
    """
    try:
        config = tomllib.loads(metadata["config"])
        law, populations = config["extinction"]["law"], config["populations"]["name"]
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            "the metadata of the mock catalogue do not tell its extinction law, which magnitudes "
            "in Roman bands need; give the file as gcmock build wrote it"
        ) from error
    if populations != "parsec":
        raise InputError(
            f"the stars of this mock catalogue have the isochrones of {populations!r}, which have "
            'no Roman bands; build it with [populations] name = "parsec"'
        )
    if file_sha256(law) != metadata.get("extinction_law_sha256", ""):
        raise InputError(
            f"{law}: the file of the extinction law is not the one that the mock catalogue was "
            "built with; put that one back, or build the catalogue again"
        )
    return str(law)


def gaianir_mag(j_mag: Floats, h_mag: Floats) -> Floats:
    """Approximate GaiaNIR magnitude: that of the mean of the J and H fluxes (Vega) [mag]."""
    weights = read_toml("passbands.toml")["gaianir"]
    flux = weights["weight_j"] * 10.0 ** (-0.4 * j_mag) + weights["weight_h"] * 10.0 ** (
        -0.4 * h_mag
    )
    return np.asarray(-2.5 * np.log10(flux))


def extinction_ratios(kappa: Floats) -> Floats:
    """Extinction in the Roman bands relative to that in Ks.

    Parameters
    ----------
    kappa : ndarray, shape (n_star, 3)
        A_J, A_H, A_Ks per mag of reddening.

    Returns
    -------
    ndarray, shape (n_star, 3)
        A / A_Ks in `ROMAN_BANDS`: the law as a power law between J, H and Ks, see passbands.toml.
    """
    table = read_toml("passbands.toml")
    knots = np.log([one.wavelength_um for one in BAND_TABLE if one.kind == "linear"])
    at = np.log([table[band]["wavelength_um"] for band in ROMAN_BANDS])
    log_a = np.log(kappa)
    piece = np.clip(np.searchsorted(knots, at) - 1, 0, 1)
    fraction = (at - knots[piece]) / (knots[piece + 1] - knots[piece])
    log_roman = log_a[:, piece] + fraction * (log_a[:, piece + 1] - log_a[:, piece])
    return np.asarray(np.exp(log_roman - log_a[:, KS, None]))


def photometric_system(bands: Sequence[str]) -> str:
    """Say in which system the magnitudes of a mission are, and what leads from Vega to AB.

    Parameters
    ----------
    bands : sequence of str
        Bands that the mission adds to those of the mock catalogue.
    """
    table = read_toml("passbands.toml")
    steps = [
        f"{band.upper()}: m_AB = m_Vega + {table[band]['ab_minus_vega']:.2f} "
        f"+- {table[band]['ab_minus_vega_error']:.2f}"
        for band in bands
        if "ab_minus_vega" in table[band]
    ]
    return "; ".join(["Vega", *steps])


def roman_mags(stars: Table, law_name: str) -> Floats:
    """Predict Roman F087, F146 and F213 of true stars, reddened, Vega.

    The isochrone of a star, found by its age and metallicity, gives the colour between a Roman band
    and its neighbour among J, H and Ks at the star's initial mass; the extinction law gives the
    difference of their extinctions at the star's A_Ks. Both are added to the true magnitude, with
    which the result is thus consistent.

    Parameters
    ----------
    stars : mapping of str to ndarray, shape (n_star,)
        Columns `NEEDED`.
    law_name : str
        Extinction law with which the stars were drawn.

    Returns
    -------
    ndarray, shape (n_star, 3)
        `ROMAN_BANDS` [mag].

    Raises
    ------
    InputError
        If a star has an age and a metallicity of no isochrone.
    """
    kappa = load_law(law_name).kappa(stars["l"], stars["b"])
    per_ks = kappa / kappa[:, KS, None]
    a_ks = stars["a_ks"][:, None]
    apparent = np.column_stack([stars[magnitude_name(band)] for band in SURVEY_BANDS])
    modulus = 5.0 * np.log10(stars["distance_pc"] / 10.0)
    absolute = apparent - modulus[:, None] - per_ks * a_ks
    color = roman_colors(stars["mass_init"], stars["age_gyr"], stars["metallicity"], absolute)
    anchors = _anchors()
    return apparent[:, anchors] + color + (extinction_ratios(kappa) - per_ks[:, anchors]) * a_ks


def roman_colors(
    mass_init: NDArray[Any], age_gyr: NDArray[Any], metallicity: NDArray[Any], absolute_mag: Floats
) -> Floats:
    """Intrinsic colours F087 - J, F146 - H, F213 - Ks of stars [mag].

    Linear in initial mass between the points of an isochrone, as the magnitudes of the mock stars.
    The mass is stored in single precision; in fast phases of evolution that is not enough, and the
    true J, H, Ks decide where between the neighbouring points a star lies.

    Parameters
    ----------
    mass_init : ndarray, shape (n_star,)
        [Msun]
    age_gyr, metallicity : ndarray, shape (n_star,)
        [Gyr], [M/H].
    absolute_mag : ndarray, shape (n_star, 3)
        M_J, M_H, M_Ks [mag].

    Returns
    -------
    ndarray, shape (n_star, 3)

    Raises
    ------
    InputError
        If a star has an age and a metallicity of no isochrone.
    """
    table = load_isochrones("parsec")
    first = np.unique(table.isochrone, return_index=True)[1]
    grid_age, grid_metallicity = table.age_gyr[first], table.metallicity[first]
    both = np.stack([age_gyr, metallicity], axis=1).astype(np.float64)
    kinds, kind_of = np.unique(both, axis=0, return_inverse=True)
    anchored = table.roman_mag - table.absolute_mag[:, _anchors()]
    color = np.empty((len(mass_init), len(ROMAN_BANDS)))
    for kind, (age, metal) in enumerate(kinds):
        fits = np.abs(grid_age - age) < _AGE_TOLERANCE
        fits &= np.abs(grid_metallicity - metal) < 1e-3
        if not fits.any():
            raise InputError(
                f"a star of {age:.4g} Gyr and [M/H] = {metal:.3g} belongs to no isochrone with "
                'Roman bands; build the mock catalogue with [populations] name = "parsec"'
            )
        points = table.isochrone == int(np.flatnonzero(fits)[0])
        rows = np.flatnonzero(kind_of.ravel() == kind)
        color[rows] = _nearest(
            mass_init[rows].astype(np.float64),
            absolute_mag[rows],
            table.mass_init[points],
            table.absolute_mag[points],
            anchored[points],
        )
    return color


def _nearest(
    mass: Floats, mag: Floats, knot_mass: Floats, knot_mag: Floats, knot_value: Floats
) -> Floats:
    """Values (n_star, 3) on the isochrone where it comes nearest to the magnitudes of a star.

    Only pieces that overlap the masses which round to `mass` are looked at.
    """
    slack = _MASS_ROUNDING * mass
    last = len(knot_mass) - 2
    low = np.clip(np.searchsorted(knot_mass, mass - slack) - 1, 0, last)
    high = np.clip(np.searchsorted(knot_mass, mass + slack) - 1, 0, last)
    best = np.full(len(mass), np.inf)
    value = np.empty((len(mass), knot_value.shape[1]))
    for step in range(int((high - low).max(initial=0)) + 1):
        rows = np.flatnonzero(low + step <= high)
        i = low[rows] + step
        width = knot_mass[i + 1] - knot_mass[i]
        along = knot_mag[i + 1] - knot_mag[i]
        length2 = np.maximum((along**2).sum(axis=1), 1e-12)
        fraction = ((mag[rows] - knot_mag[i]) * along).sum(axis=1) / length2
        # No further along the piece than the rounding of the mass allows.
        start = np.clip((mass[rows] - slack[rows] - knot_mass[i]) / width, 0.0, 1.0)
        end = np.clip((mass[rows] + slack[rows] - knot_mass[i]) / width, 0.0, 1.0)
        fraction = np.clip(fraction, start, end)[:, None]
        off = ((knot_mag[i] + fraction * along - mag[rows]) ** 2).sum(axis=1)
        nearer = off < best[rows]
        chosen = rows[nearer]
        best[chosen] = off[nearer]
        found = knot_value[i] + fraction * (knot_value[i + 1] - knot_value[i])
        value[chosen] = found[nearer]
    return value


def _anchors() -> list[int]:
    table = read_toml("passbands.toml")
    return [LINEAR_BANDS.index(table[band]["anchor"]) for band in ROMAN_BANDS]
