"""The table into which every survey is read: its columns, and the marks of suspect rows."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from gcmock.words.bands import SURVEY_BANDS, band
from gcmock.words.columns import Column


class Quality(IntFlag):
    """Bits of the column `quality`: why a row is suspect. Readers mark, they drop nothing."""

    DUPLICATE = 1
    """The survey itself says that another row is the same source."""
    ARTEFACT = 2
    """The survey takes it for a ghost or a spike: in none of its bands it is a source."""
    UPPER_LIMIT_J = 4
    """Not detected in J; the magnitude was an upper limit and is NaN."""
    UPPER_LIMIT_H = 8
    """Not detected in H; the magnitude was an upper limit and is NaN."""
    UPPER_LIMIT_KS = 16
    """Not detected in Ks; the magnitude was an upper limit and is NaN."""
    SATURATED = 32
    """Brighter than the detector can measure in at least one band."""
    EXTENDED = 64
    """Not a star: a galaxy or a minor planet."""
    BLENDED = 128
    """Several sources in one profile, or photometry confused by a neighbour."""
    ERROR_ASSUMED = 256
    """At least one magnitude had no usable error; it got the default error of the survey."""
    BAD_ASTROMETRY = 512
    """The five-parameter astrometry fits badly."""
    ON_EXTENDED = 1024
    """A star in the light of a galaxy, a nebula or a cluster: its photometry is doubtful."""
    DOUBTFUL_J = 2048
    """J may hold light of a spike, a stripe or a latent image, or its calibration is doubtful."""
    DOUBTFUL_H = 4096
    """The same for H."""
    DOUBTFUL_KS = 8192
    """The same for Ks."""
    DOUBTFUL = DOUBTFUL_J | DOUBTFUL_H | DOUBTFUL_KS
    """Any of them."""

    @property
    def description(self) -> str:
        """Meaning of a single bit, for listings and file metadata."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS: Final = {
    Quality.DUPLICATE: "another row of the survey is the same source",
    Quality.ARTEFACT: "the survey takes it for a ghost or a spike",
    Quality.UPPER_LIMIT_J: "J was an upper limit",
    Quality.UPPER_LIMIT_H: "H was an upper limit",
    Quality.UPPER_LIMIT_KS: "Ks was an upper limit",
    Quality.SATURATED: "saturated in at least one band",
    Quality.EXTENDED: "a galaxy or a minor planet",
    Quality.BLENDED: "blended with a neighbour",
    Quality.ERROR_ASSUMED: "a magnitude without an error got the default error",
    Quality.BAD_ASTROMETRY: "the astrometry fits badly",
    Quality.ON_EXTENDED: "a star in the light of a galaxy, a nebula or a cluster",
    Quality.DOUBTFUL_J: "J may be contaminated, or its calibration is doubtful",
    Quality.DOUBTFUL_H: "H may be contaminated, or its calibration is doubtful",
    Quality.DOUBTFUL_KS: "Ks may be contaminated, or its calibration is doubtful",
}

UPPER_LIMIT: Final = {name: Quality[f"UPPER_LIMIT_{name.upper()}"] for name in SURVEY_BANDS}
"""The bit of an upper limit, by band."""

DOUBTFUL: Final = {name: Quality[f"DOUBTFUL_{name.upper()}"] for name in SURVEY_BANDS}
"""The bit of a doubtful magnitude, by band."""


def _error_of(name: str, unit: str, ucd: str) -> Column:
    return Column(f"{name}_error", "float64", unit, f"stat.error;{ucd}", f"Error of {name}")


def _measured(name: str, unit: str, ucd: str, description: str) -> tuple[Column, Column]:
    return Column(name, "float64", unit, ucd, description), _error_of(name, unit, ucd)


def _magnitude(band: str, label: str, em: str) -> tuple[Column, Column]:
    text = f"{label} magnitude (Vega, system of the survey)"
    return _measured(f"phot_{band}_mag", "mag", f"phot.mag;{em}", text)


def _number(name: str, unit: str, ucd: str, description: str) -> Column:
    return Column(name, "float64", unit, ucd, description)


_CORRELATION: Final = "stat.correlation"

SOURCE_COLUMNS: Final = (
    Column("source_id", "U32", "", "meta.id;meta.main", "Identifier in the survey"),
    _number("ra", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS) at ref_epoch"),
    _number("dec", "deg", "pos.eq.dec;meta.main", "Declination (ICRS) at ref_epoch"),
    _number("ra_error", "mas", "stat.error;pos.eq.ra", "Error of ra, times cos(dec)"),
    _number("dec_error", "mas", "stat.error;pos.eq.dec", "Error of dec"),
    _number("ref_epoch", "yr", "time.epoch", "Epoch of the position (Julian year)"),
    *_measured("parallax", "mas", "pos.parallax.trig", "Parallax"),
    *_measured("pmra", "mas/yr", "pos.pm;pos.eq.ra", "Proper motion in RA, times cos(dec)"),
    *_measured("pmdec", "mas/yr", "pos.pm;pos.eq.dec", "Proper motion in declination"),
    _number("pmra_pmdec_corr", "", _CORRELATION, "Correlation of pmra and pmdec"),
    _number("parallax_pmra_corr", "", _CORRELATION, "Correlation of parallax and pmra"),
    _number("parallax_pmdec_corr", "", _CORRELATION, "Correlation of parallax and pmdec"),
    _number("ruwe", "", "stat.error", "Unit weight error of the astrometry (ruwe or uwe)"),
    *(
        column
        for one in map(band, SURVEY_BANDS)
        for column in _magnitude(one.name, one.label, one.ucd)
    ),
    *_magnitude("g", "Gaia G", "em.opt"),
    *_magnitude("bp", "Gaia BP", "em.opt.B"),
    *_magnitude("rp", "Gaia RP", "em.opt.R"),
    _number("nu_eff_used_in_astrometry", "1/um", "em.wavenumber", "Effective wavenumber (Gaia)"),
    _number("pseudocolour", "1/um", "em.wavenumber", "Astrometric pseudocolour (Gaia)"),
    _number("ecl_lat", "deg", "pos.ecliptic.lat", "Ecliptic latitude (Gaia)"),
    _number("astrometric_params_solved", "", "meta.number", "Which parameters were solved (Gaia)"),
    *_measured("radial_velocity", "km/s", "spect.dopplerVeloc.opt", "Radial velocity (Gaia)"),
    Column("n_epochs", "int32", "", "meta.number", "Detections of the source; 0: unknown"),
    Column("quality", "int32", "", "meta.code.qual", "Sum of bits: why the row is suspect"),
)
"""Columns of a source, in their order; a missing value is NaN."""

SOURCE_NAMES: Final = tuple(column.name for column in SOURCE_COLUMNS)
"""Their names."""
