"""What a survey publishes of its sources: values by role, flags as its pipeline would set them.

A survey publishes in one of a few forms (`FORMS`), which its definition names. Roles are those of
`gcmock.surveys.roles`, units those of gcmock, NaN is "none". Flags are set
with the imperfect efficiency of real pipelines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gcmock.arrays import Columns, Floats
from gcmock.frames import full_circle, icrs_to_galactic
from gcmock.mock.survey import SurveyModel
from gcmock.surveys.definition import SurveyDefinition
from gcmock.surveys.simulated.artefacts import ArtefactKind
from gcmock.surveys.simulated.astrometry import BLENDED, gaia_astrometry, virac2_astrometry
from gcmock.surveys.simulated.instrument import Instrument
from gcmock.surveys.simulated.observe import N_CHANCES, MeasuredSources, instrument_of
from gcmock.words.bands import GAIA_BANDS, KS, SURVEY_BANDS, G

SIRIUS_PIXEL_ARCSEC: Final = 0.45
"""Pixels of SIRIUS: Nagayama et al. 2003, SPIE 4841, 459."""

MARKED_BLEND_FRACTION: Final = 0.5
"""Fraction of the sources of several stars that a survey marks as blended; an assumption."""

NEAR_SATURATION_MAG: Final = 0.5
"""VISTA marks stars this much below saturation as close to it; an assumption."""

UNMARKED_DUPLICATE_FRACTION: Final = 0.1
"""Fraction of the duplicates that VIRAC2 does not mark; an assumption."""

SINGLE_EPOCH_MAG: Final = 1.2
"""A single epoch of VIRAC2 is so much less deep than all of them; an assumption."""

_FLAG, _BLEND_FLAG, _SCATTER, _SCATTER_2, _SCATTER_3, _RV = range(N_CHANCES - 6, N_CHANCES)
_OBLIQUITY_DEG = 23.4392911
_DEBLENDED, _BAD_PIXELS, _NEAR_SATURATION = 1 << 4, 1 << 6, 1 << 16


def magnitude_roles(sources: MeasuredSources, bands: tuple[str, ...] = SURVEY_BANDS) -> Columns:
    """Return magnitudes and errors [mag] by role.

    Parameters
    ----------
    sources : MeasuredSources
    bands : tuple of 3 str
        Names of the bands in the roles.
    """
    roles: Columns = {}
    for k, band in enumerate(bands):
        roles[f"phot_{band}_mag"] = sources.mag[:, k]
        roles[f"phot_{band}_mag_error"] = sources.error[:, k]
    return roles


def galactic(sources: MeasuredSources) -> Columns:
    """Return the Galactic coordinates of the measured positions by role."""
    l_deg, b_deg = icrs_to_galactic(sources.ra, sources.dec)
    return {"l": full_circle(l_deg), "b": b_deg}


def marked_bands(sources: MeasuredSources, instrument: Instrument) -> NDArray[np.bool_]:
    """Return in which bands the survey marks a source as possibly contaminated, bool (n, n_band).

    An artefact in all of them, a star in one: surveys mark what lies where artefacts are expected,
    and cannot tell the two apart.

    Parameters
    ----------
    sources : MeasuredSources
    instrument : Instrument
        Its `marked` is the fraction of artefacts, `marked_stars` that of stars.
    """
    is_star = sources.kind == ArtefactKind.STAR
    chance, n_band = sources.chance[:, _FLAG], len(instrument.bands)
    marked = chance < np.where(is_star, instrument.marked_stars, instrument.marked)
    # The same number, stretched, tells which of the bands of a star.
    stretched = chance / max(instrument.marked_stars, 1e-9) * n_band
    band = np.floor(stretched).clip(0, n_band - 1)
    one = band[:, None] == np.arange(n_band)
    return marked[:, None] & (one | ~is_star[:, None])


def is_marked_blend(sources: MeasuredSources) -> NDArray[np.bool_]:
    """Return whether the survey notices that a source is several stars, bool (n,)."""
    return (sources.fraction < BLENDED) & (sources.chance[:, _BLEND_FLAG] < MARKED_BLEND_FRACTION)


def plain_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return what any infrared survey can publish: names, positions, epoch, magnitudes, errors.

    For parameters see `native_roles`.
    """
    return magnitude_roles(sources) | {
        "source_id": number_names(sources),
        "ra": sources.ra,
        "dec": sources.dec,
        "ra_error": sources.position_error,
        "dec_error": sources.position_error,
        "ref_epoch": sources.fields.epoch,
        **galactic(sources),
    }


def twomass_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return the columns of the 2MASS point source catalogue.

    A band without detection has an upper limit in place of its magnitude, quality U. Quality is A
    from S/N = 10 on, B from 7, C from 5, D below (Explanatory Supplement, section II.2.a). For
    parameters see `native_roles`.
    """
    seen = np.isfinite(sources.mag)
    error = np.where(seen, sources.error, np.inf)
    quality = np.select(
        [~seen, error < 0.109, error < 0.155, error < 0.217], ["U", "A", "B", "C"], "D"
    )
    read = np.where(seen, np.where(sources.saturated, "3", "2"), "0")
    blends = np.where(seen, np.where(is_marked_blend(sources)[:, None], "2", "1"), "0")
    chance = sources.chance[:, _BLEND_FLAG]
    letter = np.select([chance < 0.5, chance < 0.8], ["d", "s"], "p")
    confusion = np.where(marked_bands(sources, instrument) & seen, letter[:, None], "0")
    roles = magnitude_roles(sources._replace(mag=np.where(seen, sources.mag, sources.limit_mag)))
    n = sources.key.size
    return roles | {
        "source_id": designations(sources.ra, sources.dec),
        "ra": sources.ra,
        "dec": sources.dec,
        "error_major": sources.position_error,
        "error_minor": sources.position_error,
        "error_angle": np.floor(180.0 * sources.chance[:, _SCATTER]),
        "photometric_quality": joined_texts(quality),
        "read_flag": joined_texts(read),
        "blend_flag": joined_texts(blends),
        "confusion_flag": joined_texts(confusion),
        "galaxy_flag": np.zeros(n),
        "minor_planet_flag": np.zeros(n),
        **galactic(sources),
        "ref_epoch": sources.fields.epoch,
    }


def joined_texts(letters: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return words of three letters (n,) from letters (n, 3)."""
    block = np.ascontiguousarray(letters.astype("U1"))
    return block.view(f"U{block.shape[1]}").ravel()


def designations(ra: Floats, dec: Floats) -> NDArray[np.str_]:
    """Return names hhmmssss+ddmmsss: cut off, not rounded, as 2MASS does.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        [deg].
    """
    hours = np.floor(ra / 15.0 * 360000.0 + 1e-6).astype(np.int64)
    arcs = np.floor(np.abs(dec) * 36000.0 + 1e-6).astype(np.int64)
    parts = zip(
        (hours // 360000).tolist(),
        (hours // 6000 % 60).tolist(),
        (hours % 6000).tolist(),
        np.where(dec < 0, "-", "+").tolist(),
        (arcs // 36000).tolist(),
        (arcs // 600 % 60).tolist(),
        (arcs % 600).tolist(),
        strict=True,
    )
    names = ["{:02d}{:02d}{:04d}{}{:02d}{:02d}{:03d}".format(*part) for part in parts]
    return np.array(names, dtype="U16")


def number_names(sources: MeasuredSources) -> NDArray[np.int64]:
    """Return identifiers that are numbers: positive, one for each apparition of a source."""
    return (sources.key >> np.uint64(1)).view(np.int64)


def virac2_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return the columns of VIRAC2: means of many epochs, scatter, astrometry.

    The chance that one epoch sees a star falls with its magnitude, and so the number of epochs. The
    error that follows from the scatter knows only the noise, not that of the zero point. A peak of
    noise is in one epoch, of which there is no scatter. For parameters see `native_roles`.
    """
    noise = sources.kind == ArtefactKind.NOISE
    seen = np.isfinite(sources.mag)
    roles: Columns = {}
    n_epochs = np.zeros(seen.shape)
    for k, band in enumerate(SURVEY_BANDS):
        limit = sources.limit_mag[:, k] - SINGLE_EPOCH_MAG
        depth = np.nan_to_num(limit - sources.true_mag[:, k], neginf=-9.0)
        often = instrument.n_epochs[k] * ndtr(depth / 0.6 + 1.0)
        chance = sources.chance[:, _SCATTER + k]
        n = np.maximum(np.round(often + np.sqrt(often) * 0.5 * ndtri(chance)), 1.0)
        n_epochs[:, k] = np.where(seen[:, k], np.where(noise, 1.0, n), 0.0)
        statistical = np.sqrt(
            np.maximum(sources.error[:, k] ** 2 - instrument.floor_mag[k] ** 2, 1e-8)
        )
        scatter = np.hypot(statistical, 0.003) * np.sqrt(n_epochs[:, k])
        roles[f"phot_{band}_mag"] = sources.mag[:, k]
        roles[f"phot_{band}_scatter"] = np.where(
            n_epochs[:, k] > 1, scatter, np.where(seen[:, k], 0.0, np.nan)
        )
        roles[f"phot_{band}_n_epochs"] = n_epochs[:, k]
    unmarked = sources.chance[:, _FLAG] < UNMARKED_DUPLICATE_FRACTION
    return (
        roles
        | virac2_astrometry(sources, n_epochs[:, KS])
        | {
            "source_id": number_names(sources),
            "ref_epoch": sources.fields.epoch,
            "duplicate": ((sources.copy > 0) & ~unmarked).astype(np.float64),
        }
    )


def vvv_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return plain columns with the error bits of VISTA or WFCAM; see `native_roles`."""
    seen = np.isfinite(sources.mag)
    bits = np.where(is_marked_blend(sources), _DEBLENDED, 0)
    marked = marked_bands(sources, instrument)
    roles = plain_roles(sources, instrument)
    for k, band in enumerate(SURVEY_BANDS):
        close = sources.mag[:, k] < instrument.saturation_mag[k] + NEAR_SATURATION_MAG
        both = bits | np.where(close, _NEAR_SATURATION, 0)
        both |= np.where(marked[:, k], _BAD_PIXELS, 0)
        roles[f"{band}_error_bits"] = np.where(seen[:, k], both, 0).astype(np.float64)
    return roles


def sirius_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return the columns of the SIRIUS file, with places on plates; see `native_roles`."""
    seen = np.isfinite(sources.mag)
    roles = magnitude_roles(sources)
    for k, band in enumerate(SURVEY_BANDS):
        for axis, along in (("x", sources.fields.along_l), ("y", sources.fields.along_b)):
            roles[f"{band}_{axis}"] = np.where(
                seen[:, k], 1.0 + along / SIRIUS_PIXEL_ARCSEC, np.nan
            )
    plates, of = np.unique(sources.fields.identity, return_inverse=True)
    names = np.array([f"P{plate >> 24}.{(plate & (1 << 24) - 1) - (1 << 23)}" for plate in plates])
    return roles | {
        "ra": sources.ra,
        "dec": sources.dec,
        **galactic(sources),
        "plate": names[of] if plates.size else np.array([], "U1"),
    }


def gnc_roles(sources: MeasuredSources, instrument: Instrument) -> Columns:
    """Return the columns of GALACTICNUCLEUS; see `native_roles` for parameters."""
    seen = np.isfinite(sources.mag)
    roles = magnitude_roles(sources)
    for k, band in enumerate(SURVEY_BANDS):
        number = 1.0 + np.floor(2.0 * sources.chance[:, _SCATTER + k])
        roles[f"phot_{band}_n_epochs"] = np.where(seen[:, k], number, 0.0)
    return roles | {
        "ra": sources.ra,
        "dec": sources.dec,
        "ra_error": sources.position_error,
        "dec_error": sources.position_error,
    }


def gaia_roles(sources: MeasuredSources, zero_point_mas: float) -> Columns:
    """Return the columns of Gaia DR3; see `native_roles` for parameters."""
    roles: Columns = {}
    for k, band in enumerate(GAIA_BANDS):
        roles[f"phot_{band}_mag"] = sources.mag[:, k]
        roles[f"phot_{band}_flux_over_error"] = 1.0857 / sources.error[:, k]
    sin_dec, cos_dec = np.sin(np.radians(sources.dec)), np.cos(np.radians(sources.dec))
    tilt = np.radians(_OBLIQUITY_DEG)
    sin_beta = sin_dec * np.cos(tilt) - cos_dec * np.sin(tilt) * np.sin(np.radians(sources.ra))
    # Radial velocities reach about G = 14 in DR3; the error is a round number.
    bright = sources.mag[:, G] < 14.0
    velocity = sources.radial_velocity + 2.0 * ndtri(sources.chance[:, _RV])
    return (
        roles
        | gaia_astrometry(sources, zero_point_mas, SurveyModel())
        | {
            "source_id": number_names(sources),
            "l": full_circle(sources.l),
            "b": sources.b,
            "ref_epoch": sources.fields.epoch,
            "ecl_lat": np.degrees(np.arcsin(sin_beta)),
            "n_epochs": 10.0 + np.floor(12.0 * sources.chance[:, _SCATTER]),
            "radial_velocity": np.where(bright, velocity, np.nan),
            "radial_velocity_error": np.where(bright, 2.0, np.nan),
        }
    )


Form = Callable[[MeasuredSources, Instrument, float], Columns]


def _infrared(roles: Callable[[MeasuredSources, Instrument], Columns]) -> Form:
    """Return a form that has no parallaxes."""
    return lambda sources, instrument, _: roles(sources, instrument)


FORMS: Final[dict[str, Form]] = {
    "plain": _infrared(plain_roles),
    "letters": _infrared(twomass_roles),
    "epochs": _infrared(virac2_roles),
    "error_bits": _infrared(vvv_roles),
    "plates": _infrared(sirius_roles),
    "images": _infrared(gnc_roles),
    "gaia": lambda sources, _, zero_point_mas: gaia_roles(sources, zero_point_mas),
}
"""How surveys publish: plain columns; flags of letters for all bands; means of many epochs with
astrometry; error bits by band; places on plates; numbers of images; Gaia's solutions."""


def native_roles(
    sources: MeasuredSources, survey: SurveyDefinition, zero_point_mas: float
) -> Columns:
    """Return what a survey publishes of its sources, by role.

    Parameters
    ----------
    sources : MeasuredSources
    survey : SurveyDefinition
    zero_point_mas : float
        Zero point that is put on the parallaxes of Gaia [mas].

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Numbers in the units of gcmock with NaN for "none", flags and names as text.
    """
    return FORMS[survey.simulated_table.form](sources, instrument_of(survey), zero_point_mas)
