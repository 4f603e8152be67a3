"""Columns of the tables in the file of a calibration."""

from __future__ import annotations

from typing import Final

from gcmock.calibration.curves import GROUPS
from gcmock.words.bands import LINEAR_BANDS, band
from gcmock.words.columns import Column
from gcmock.words.components import PARTS

_FRACTION_ERROR: Final = "stat.error;phys.absorption"
_PART_DTYPE: Final = f"U{max(len(part.name) for part in PARTS)}"

MAP_COLUMNS: Final = (
    Column("cell", "int64", "", "meta.id;meta.main", "Number of the cell of the map"),
    Column("l", "float64", "deg", "pos.galactic.lon", "Galactic longitude of its centre"),
    Column("b", "float64", "deg", "pos.galactic.lat", "Galactic latitude of its centre"),
    Column("ra", "float64", "deg", "pos.eq.ra;meta.main", "Right ascension of its centre (ICRS)"),
    Column("dec", "float64", "deg", "pos.eq.dec;meta.main", "Declination of its centre (ICRS)"),
    Column("n_star", "int32", "", "meta.number", "Stars that calibrate the cell"),
    Column("source", "U6", "", "meta.code", "Where they come from: cell, field, region or map"),
    Column("e_jks_map", "float32", "mag", "phys.absorption;em.IR", "E(J-Ks) of the map"),
    Column("e_jks_surot", "float32", "mag", "phys.absorption;em.IR", "Surot et al. 2020"),
    Column("factor", "float32", "", "arith.factor", "Mean reddening over that of the map"),
    Column("factor_error", "float32", "", "stat.error", "Standard error of factor"),
    Column("scatter", "float32", "", "stat.stdev", "Scatter of the reddening over that of the map"),
    Column("scatter_error", "float32", "", "stat.error", "Standard error of scatter"),
    Column("e_jks", "float32", "mag", "phys.absorption;em.IR", "E(J-Ks), calibrated"),
    Column("e_jks_error", "float32", "mag", _FRACTION_ERROR, "Standard error of e_jks"),
    Column("e_jks_scatter", "float32", "mag", "stat.stdev", "Scatter of E(J-Ks) in the cell"),
    Column("a_ks", "float32", "mag", "phys.absorption;em.IR.K", "A_Ks by the law"),
    Column("n_observed", "int32", "", "meta.number", "Stars of the catalogue between the limits"),
    Column("n_expected", "float32", "", "meta.number;meta.modelled", "Stars the model expects"),
)
"""Columns of the map."""

STAR_COLUMNS: Final = (
    Column("l", "float64", "deg", "pos.galactic.lon", "Galactic longitude"),
    Column("b", "float64", "deg", "pos.galactic.lat", "Galactic latitude"),
    Column("factor", "float32", "", "arith.factor", "Reddening over the map's, from neighbours"),
    Column("scatter", "float32", "", "stat.stdev", "Standard deviation of factor"),
    Column("factor_all", "float32", "", "arith.factor", "The same with the star itself"),
    Column("scatter_all", "float32", "", "stat.stdev", "Standard deviation of factor_all"),
    Column("radius", "float32", "deg", "pos.angDistance", "Distance of the furthest neighbour"),
)
"""Columns of the stars that refine the map; no rows if the cells alone are better."""

LAW_COLUMNS: Final = (
    Column("region", "U10", "", "meta.id", "Quadrant, axis, or all"),
    Column("n_star", "int32", "", "meta.number", "Stars of the fit; 0 for a law that is assumed"),
    *(
        Column(f"a_{b}{e}", "float64", "", "phys.absorption", f"{w}A_{band(b).label} / E(J-Ks)")
        for b in LINEAR_BANDS
        for e, w in (("", ""), ("_error", "Standard error of "))
    ),
    Column("slope", "float64", "", "spect.index", "Slope of the power law"),
    Column("slope_error", "float64", "", "stat.error", "Standard error of slope"),
    Column("offset_h", "float64", "", "phys.absorption", "Offset of A_H / E(J-Ks)"),
    Column("offset_h_error", "float64", "", "stat.error", "Standard error of offset_h"),
)
PART_COLUMNS: Final = (
    Column("part", _PART_DTYPE, "", "meta.code.class", "Component, or its younger stars"),
    Column("group", "int32", "", "meta.code", ", ".join(f"{i} {g}" for i, g in enumerate(GROUPS))),
    Column("weight", "float64", "", "arith.factor", "Factor on its number of stars"),
    Column("weight_error", "float64", "", "stat.error", "Standard error of weight"),
)
DUST_COLUMNS: Final = (
    Column("n_star", "int64", "", "meta.number", "Stars behind it"),
    Column("profile_scatter", "float64", "", "stat.stdev", "Scatter of the dust in front of stars"),
    Column("profile_scatter_error", "float64", "", "stat.error", "Error of profile_scatter"),
)
CASE_COLUMNS: Final = (
    Column("case", "U16", "", "meta.code.class", "Case of a measurement"),
    Column("fraction", "float64", "", "stat.fit.param", "Fraction of the stars"),
    Column("fraction_error", "float64", "", "stat.error", "Standard error of fraction"),
)
ERROR_COLUMNS: Final = (
    Column("band", "U4", "", "meta.id;instr.bandpass", "Band"),
    Column("scale", "float64", "", "arith.factor", "Factor on the stated errors"),
    Column("floor", "float64", "mag", "stat.error", "Added to them in quadrature"),
)
DOUBT_COLUMNS: Final = (
    Column("class", "int64", "", "meta.id", "Which measurements stars have"),
    Column("limit", "float64", "", "stat.min", "ln of the expected number of stars, by magnitude"),
)
SELECTION_COLUMNS: Final = (
    Column("limit", "U40", "", "meta.note", "What the list was cut at, as it shows"),
    Column("gain", "float64", "", "stat.likelihood", "ln of the likelihood with over without it"),
)
PARALLAX_COLUMNS: Final = (
    Column("n_star", "int64", "", "meta.number", "Parallaxes of the fit; 0 if nothing was learned"),
    Column("zero_point", "float64", "mas", "pos.parallax.trig", "Subtracted from all parallaxes"),
    Column("zero_point_error", "float64", "mas", "stat.error", "Standard error of zero_point"),
    Column("error_scale", "float64", "", "arith.factor", "Factor on the stated errors"),
)

MOTION_COLUMNS: Final = (
    Column("axis", "U1", "", "meta.id", "pm_l cos b or pm_b"),
    Column("n_star", "int64", "", "meta.number", "Motions of the fit; 0 if nothing was learned"),
    Column("offset", "float64", "mas/yr", "pos.pm", "Subtracted from all proper motions"),
    Column("offset_error", "float64", "mas/yr", "stat.error", "Standard error of offset"),
    Column("error_scale", "float64", "", "arith.factor", "Factor on the stated errors"),
)
