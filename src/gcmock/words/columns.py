"""Columns of tables: name, type, unit, UCD and meaning, each defined once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gcmock.words.bands import BAND_TABLE, magnitude_error_name, magnitude_name
from gcmock.words.cases import CASE_COLUMNS
from gcmock.words.components import COMPONENTS, NAME_DTYPE


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    dtype : str
        A numpy dtype; strings as ``U<width>``, because FITS needs the width.
    unit : str
        Unit as astropy writes it; empty for a pure number.
    ucd : str
        IVOA Unified Content Descriptor (UCD1+).
    description : str
    """

    name: str
    dtype: str
    unit: str
    ucd: str
    description: str

    def with_dtype(self, dtype: str) -> Column:
        """Return the same column with another type (a string `source_id`, for example)."""
        return replace(self, dtype=dtype)


SOURCE_ID: Final = Column("source_id", "int64", "", "meta.id;meta.main", "Identifier of the star")

_POSITION: Final = (
    Column("ra", "float64", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS)"),
    Column("dec", "float64", "deg", "pos.eq.dec;meta.main", "Declination (ICRS)"),
    Column("l", "float64", "deg", "pos.galactic.lon", "Galactic longitude"),
    Column("b", "float64", "deg", "pos.galactic.lat", "Galactic latitude"),
)


def _observed_magnitudes() -> tuple[Column, ...]:
    columns = []
    for band in BAND_TABLE:
        name, error = magnitude_name(band.name), magnitude_error_name(band.name)
        ucd, label = f"phot.mag;{band.ucd}", band.label
        columns += [
            Column(name, "float64", "mag", ucd, f"Observed {label} magnitude (Vega, 2MASS)"),
            Column(error, "float64", "mag", f"stat.error;{ucd}", f"Error of {name}"),
        ]
    return tuple(columns)


def _true_magnitudes() -> tuple[Column, ...]:
    return tuple(
        Column(
            magnitude_name(band.name),
            "float64",
            "mag",
            f"phot.mag;{band.ucd}",
            f"True {band.label} magnitude, reddened, free of noise (Vega, 2MASS)",
        )
        for band in BAND_TABLE
    )


INPUT_COLUMNS: Final = (
    SOURCE_ID,
    *_POSITION,
    *_observed_magnitudes(),
    Column(
        "photometric_quality",
        "U3",
        "",
        "meta.code.qual",
        "Letters of 2MASS (ph_qual) for J, H and Ks: U and X are no measurements",
    ),
    Column("parallax", "float64", "mas", "pos.parallax.trig", "Observed parallax"),
    Column("parallax_error", "float64", "mas", "stat.error;pos.parallax.trig", "Error of parallax"),
    Column("pmra", "float64", "mas/yr", "pos.pm;pos.eq.ra", "Proper motion in RA, times cos(dec)"),
    Column("pmra_error", "float64", "mas/yr", "stat.error;pos.pm;pos.eq.ra", "Error of pmra"),
    Column("pmdec", "float64", "mas/yr", "pos.pm;pos.eq.dec", "Proper motion in declination"),
    Column("pmdec_error", "float64", "mas/yr", "stat.error;pos.pm;pos.eq.dec", "Error of pmdec"),
    Column(
        "pmra_pmdec_corr", "float64", "", "stat.correlation", "Correlation of pmra and pmdec errors"
    ),
    Column(
        "pml",
        "float64",
        "mas/yr",
        "pos.pm;pos.galactic.lon",
        "Proper motion in l, times cos(b); used where there is no pmra and pmdec",
    ),
    Column("pml_error", "float64", "mas/yr", "stat.error;pos.pm;pos.galactic.lon", "Error of pml"),
    Column("pmb", "float64", "mas/yr", "pos.pm;pos.galactic.lat", "Proper motion in b"),
    Column("pmb_error", "float64", "mas/yr", "stat.error;pos.pm;pos.galactic.lat", "Error of pmb"),
    Column("radial_velocity", "float64", "km/s", "spect.dopplerVeloc", "Observed radial velocity"),
    Column(
        "radial_velocity_error",
        "float64",
        "km/s",
        "stat.error;spect.dopplerVeloc",
        "Error of radial_velocity",
    ),
    Column("ruwe", "float64", "", "stat.error", "Renormalised unit weight error of the astrometry"),
    Column("ref_epoch", "float64", "yr", "time.epoch", "Epoch of the position (Julian year, TCB)"),
    Column("phot_g_mean_mag", "float64", "mag", "phot.mag;em.opt", "Magnitude of Gaia in G"),
    Column(
        "nu_eff_used_in_astrometry",
        "float64",
        "um-1",
        "em.wavenumber",
        "Effective wavenumber of Gaia's five-parameter solutions",
    ),
    Column(
        "pseudocolour",
        "float64",
        "um-1",
        "em.wavenumber",
        "Effective wavenumber that Gaia's six-parameter solutions found",
    ),
    Column("ecl_lat", "float64", "deg", "pos.ecliptic.lat", "Ecliptic latitude"),
    Column(
        "astrometric_params_solved",
        "float64",
        "",
        "meta.number",
        "Gaia's code of the solution: 31 with five parameters, 95 with six",
    ),
    Column(
        "match_flags",
        "float64",
        "",
        "meta.code",
        "Bits that gcmock merge wrote; one says that Gaia's zero point was removed already",
    ),
)
"""Columns that an input table may have; a position and one magnitude are required."""

LIMITS: Final = {
    **{magnitude_name(band.name): (-5.0, 28.0) for band in BAND_TABLE},
    **{magnitude_error_name(band.name): (0.0, 5.0) for band in BAND_TABLE},
    "parallax": (-300.0, 800.0),
    "parallax_error": (0.0, 300.0),
    **{name: (-10_500.0, 10_500.0) for name in ("pmra", "pmdec", "pml", "pmb")},
    **{f"{name}_error": (0.0, 1000.0) for name in ("pmra", "pmdec", "pml", "pmb")},
    "radial_velocity": (-5000.0, 5000.0),
    "radial_velocity_error": (0.0, 1000.0),
    "ruwe": (0.0, 1000.0),
    "phot_g_mean_mag": (-5.0, 28.0),
    "nu_eff_used_in_astrometry": (0.5, 3.0),
    "pseudocolour": (0.5, 3.0),
    "ecl_lat": (-90.0, 90.0),
    "astrometric_params_solved": (0.0, 255.0),
    "match_flags": (0.0, 2.0**31 - 1.0),
}
"""Largest and smallest value of a quantity, in its unit; what is not between them is missing.

Between them lie Betelgeuse (Ks = -4.4) and the limit of space telescopes, Proxima Centauri (768
mas), Barnard's star (10,362 mas/yr) and the fastest stars round Sgr A*.
"""

_XYZ: Final = (("x", "towards the Sun"), ("y", "towards l = +90 deg"), ("z", "towards the NGP"))

TRUTH_COLUMNS: Final = (
    SOURCE_ID,
    Column("realisation", "int32", "", "meta.number", "Number of the draw, from 0"),
    *_POSITION,
    Column("ref_epoch", "float64", "yr", "time.epoch", "Epoch of the position (Julian year, TCB)"),
    Column("distance_pc", "float64", "pc", "pos.distance", "True distance from the Sun"),
    Column("parallax", "float64", "mas", "pos.parallax.trig", "True parallax, 1000 / distance_pc"),
    Column("pmra", "float64", "mas/yr", "pos.pm;pos.eq.ra", "True proper motion in RA * cos(dec)"),
    Column("pmdec", "float64", "mas/yr", "pos.pm;pos.eq.dec", "True proper motion in declination"),
    Column("radial_velocity", "float64", "km/s", "spect.dopplerVeloc", "True radial velocity"),
    Column("component", NAME_DTYPE, "", "meta.code.class", "Galactic component of the true star"),
    Column("mass_init", "float32", "solMass", "phys.mass", "Initial mass"),
    Column("age_gyr", "float32", "Gyr", "time.age", "Age"),
    Column("metallicity", "float32", "dex", "phys.abund.Z", "Metallicity [M/H] (dex)"),
    *_true_magnitudes(),
    Column("a_ks", "float64", "mag", "phys.absorption;em.IR.K", "Extinction in Ks"),
    *(
        Column(
            f"{axis}_pc",
            "float64",
            "pc",
            f"pos.cartesian.{axis};pos.galactocentric",
            f"Galactocentric {axis}, {direction} (left-handed frame)",
        )
        for axis, direction in _XYZ
    ),
    *(
        Column(
            f"v{axis}",
            "float64",
            "km/s",
            f"phys.veloc;pos.cartesian.{axis}",
            f"Galactocentric velocity along {axis}",
        )
        for axis, _ in _XYZ
    ),
)
"""Columns of a true star, in the order of the files."""

POSTERIOR_COLUMNS: Final = (
    *(
        Column(f"p_{name}", "float32", "", "stat.probability", f"Probability of component {name}")
        for name in COMPONENTS
    ),
    Column("distance_mean_pc", "float64", "pc", "pos.distance;stat.mean", "Posterior mean"),
    *(
        Column(
            f"distance_q{percent:02d}_pc",
            "float64",
            "pc",
            "pos.distance;stat.median" if percent == 50 else "pos.distance;stat.value",
            f"Posterior {percent} % quantile of the distance",
        )
        for percent in (5, 16, 50, 84, 95)
    ),
    *(
        Column(f"p_{name}", "float32", "", "stat.probability", f"Probability of: {words}")
        for name, words in CASE_COLUMNS.items()
    ),
    Column("log_evidence", "float64", "", "stat.likelihood", "Natural log of the evidence"),
    Column(
        "evidence_pvalue",
        "float64",
        "",
        "stat.probability",
        "Fraction of alike stars of the model with so low an evidence",
    ),
    Column("n_bands", "int16", "", "meta.number", "Number of magnitudes used"),
    Column("flags", "int32", "", "meta.code", "Sum of bits, see the metadata"),
)
"""Columns that summarise the posterior of an observed star."""

OUTPUT_COLUMNS: Final = TRUTH_COLUMNS + POSTERIOR_COLUMNS
"""Columns of a mock catalogue, in the order of the files."""

ALIASES: Final = {
    "l": ("glon",),
    "b": ("glat",),
    "ra": ("raj2000", "ra_icrs", "ra_deg", "radeg"),
    "dec": ("dej2000", "de_icrs", "dec_deg", "dedeg"),
    "photometric_quality": ("ph_qual", "phqual", "qflg", "tmass_ph_qual", "ph_qual_2mass"),
    "parallax": ("plx",),
    "parallax_error": ("e_plx",),
    "pmra_error": ("e_pmra",),
    "pmdec": ("pmde",),
    "pmdec_error": ("e_pmde",),
    "pmra_pmdec_corr": ("pmrapmdecor", "pmrapmdecorr"),
    "pml": ("pm_l", "pmglon", "pml_cosb", "pm_l_cosb", "pmlcosb", "pmll"),
    "pml_error": ("e_pml", "pm_l_error", "e_pmglon"),
    "pmb": ("pm_b", "pmglat", "pmbb"),
    "pmb_error": ("e_pmb", "pm_b_error", "e_pmglat"),
    "radial_velocity": ("hrv",),
    "radial_velocity_error": ("e_hrv",),
    "nu_eff_used_in_astrometry": ("nueff", "nueffused"),
    "pseudocolour": ("pscol",),
    "ecl_lat": ("elat", "ecllat"),
    "astrometric_params_solved": ("solved",),
    "phot_g_mean_mag": ("gmag",),
}
"""Other names of input columns, lower case, compared without regard to case."""


def columns_by_name(columns: tuple[Column, ...]) -> dict[str, Column]:
    """Return the columns as a dict by name, in their order."""
    return {column.name: column for column in columns}
