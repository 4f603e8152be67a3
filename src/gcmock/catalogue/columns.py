"""The columns of the merged catalogue, and of what was left out."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.catalogue.cell.astrometry import attach_astrometry
from gcmock.catalogue.cell.clean import KEPT, looks_real
from gcmock.catalogue.cell.magnitudes import choose_magnitudes
from gcmock.catalogue.cell.merged_stars import MergedStars, no_stars
from gcmock.catalogue.cell.merging import MergedCell
from gcmock.catalogue.cell.reasons import OF_NO_STAR, REAL_LOOKING, REASONS
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.order import Order, names_of
from gcmock.catalogue.partition import in_window
from gcmock.frames import full_circle, icrs_to_galactic
from gcmock.gaia_zero_point import ZERO_POINT_COLUMNS
from gcmock.random import id_bits
from gcmock.settings.merge import MergeConfig
from gcmock.words.bands import SURVEY_BANDS, SYNTHETIC_BANDS, H, J, magnitude_name
from gcmock.words.columns import INPUT_COLUMNS, Column
from gcmock.words.flags import MatchFlag

_NOT_MERGED: Final = {
    "photometric_quality",
    *("pml", "pml_error", "pmb", "pmb_error"),
    # Described for a merged star among the columns of its own.
    *("ref_epoch", "match_flags"),
    # The zero point is removed from a merged parallax.
    *ZERO_POINT_COLUMNS,
}
"""Columns of an input that say a second time what a merged star has otherwise."""

_CORRELATION: Final = "stat.correlation"
_N_ID: Final = 32
_N_NAME: Final = 8
_POSITIVE: Final = np.uint64(2**63 - 1)


def extra_columns(order: Order) -> tuple[Column, ...]:
    """Return the columns beyond those of an observed star.

    Parameters
    ----------
    order : tuple of SurveyDefinition
        Surveys in the order of linking.
    """
    name_type = f"U{max(_N_NAME, *(len(one.name) for one in order))}"
    return (
        Column("ref_epoch", "float64", "yr", "time.epoch", "Epoch of the position (Julian year)"),
        Column("ra_error", "float64", "mas", "stat.error;pos.eq.ra", "Error of ra, times cos(dec)"),
        Column("dec_error", "float64", "mas", "stat.error;pos.eq.dec", "Error of dec"),
        *(
            Column(name, "float64", "", _CORRELATION, f"Correlation of {first} and {second}")
            for name, first, second in (
                ("parallax_pmra_corr", "parallax", "pmra"),
                ("parallax_pmdec_corr", "parallax", "pmdec"),
            )
        ),
        Column("phot_g_mag", "float64", "mag", "phot.mag;em.opt", "Gaia G magnitude (Vega)"),
        *(
            Column(f"{name}_source", name_type, "", "meta.ref", f"Survey of {name}")
            for name in map(magnitude_name, (*SURVEY_BANDS, *SYNTHETIC_BANDS))
        ),
        Column("position_source", name_type, "", "meta.ref", "Survey of the position"),
        Column(
            "astrometry_source", name_type, "", "meta.ref", "Survey of parallax and proper motion"
        ),
        *(
            Column(
                one.id_column,
                f"U{_N_ID}",
                "",
                "meta.id.cross",
                f"Identifier in {one.name}; empty for none",
            )
            for one in order
        ),
        Column(
            "match_probability",
            "float32",
            "",
            "stat.probability",
            "Probability of the least certain link to a survey; 1 if only one survey has the star",
        ),
        Column("match_flags", "int32", "", "meta.code", "Sum of bits, see the metadata"),
        Column(
            "detections",
            "int32",
            "",
            "meta.code",
            "Sum of bits 2^(3 s + b): survey s has band b (J, H, Ks; Gaia as its first)",
        ),
    )


def merged_columns(order: Order) -> tuple[Column, ...]:
    """Return the columns of the merged catalogue.

    Parameters
    ----------
    order : tuple of SurveyDefinition
        Surveys in the order of linking, see `linking_order`.

    Returns
    -------
    tuple of Column
        Those of an observed star, then those of `extra_columns`.
    """
    observed = (column for column in INPUT_COLUMNS if column.name not in _NOT_MERGED)
    return (*observed, *extra_columns(order))


def rejected_columns(order: Order) -> tuple[Column, ...]:
    """Return the columns of the rows that were left out.

    Parameters
    ----------
    order : tuple of SurveyDefinition
        Surveys in the order of linking, see `linking_order`.

    Returns
    -------
    tuple of Column
        Those of the merged catalogue, and the reason.
    """
    why = Column("rejected", "U16", "", "meta.code", "Why the row is not in the catalogue")
    return (*merged_columns(order), why)


class Product(NamedTuple):
    """What a cell gives.

    Attributes
    ----------
    kept : dict of str to ndarray
        `merged_columns`.
    rejected : dict of str to ndarray
        `rejected_columns`; rows outside the window are not among them.
    account : dict
        Numbers of sources: by survey, "linked" to a star of the catalogue or the reason why not;
        of stars, under "stars"; and of sources that look like stars and were left out as none,
        "survey: reason" under `REAL_LOOKING`.
    order : tuple of SurveyDefinition
        Surveys in the order of linking.
    """

    kept: Columns
    rejected: Columns
    account: dict[str, dict[str, int]]
    order: Order


def cell_product(cell: MergedCell, config: MergeConfig) -> Product:
    """Return the stars that belong to a cell, the rows that were left out, and their account.

    Parameters
    ----------
    cell : MergedCell
    config : MergeConfig
    """
    index = np.flatnonzero(cell.core)
    stars, near = _take(cell.stars, index), cell.near_bright[index]
    reason = cell.reason[index].copy()
    outside = ~in_window(stars.side.ra, stars.side.dec, config.window)
    reason[outside] = "outside_window"
    kept = reason == KEPT
    columns = _columns(stars, cell.surveys, near, config)
    account = _account(cell, stars, reason, config)
    parts = [_rows(columns, ~kept & ~outside) | {"rejected": reason[~kept & ~outside]}]
    for number, (sources, why) in cell.removed.items():
        inside = sources.core & in_window(sources.side.ra, sources.side.dec, config.window)
        parts.append(_native_rows(stars.order, number, sources.take(inside), why[inside], config))
    names = [column.name for column in rejected_columns(stars.order)]
    rejected = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return Product(_rows(columns, kept), rejected, account, stars.order)


def _rows(columns: Columns, where: NDArray[np.bool_]) -> Columns:
    return {name: values[where] for name, values in columns.items()}


def _take(stars: MergedStars, index: NDArray[np.int64]) -> MergedStars:
    side = type(stars.side)(*(values[index] for values in stars.side))
    return MergedStars(
        stars.order,
        side,
        stars.primary[index],
        stars.link[index],
        stars.probability[index],
        stars.blended[index],
        stars.position_from[index],
    )


def _native_rows(
    order: Order,
    number: int,
    sources: SurveySources,
    reason: NDArray[np.str_],
    config: MergeConfig,
) -> Columns:
    """Rows of sources that never became a star."""
    stars = no_stars(order)
    stars.add(number, sources, np.arange(len(sources)))
    near = np.zeros(len(stars), bool)
    return _columns(stars, {number: sources}, near, config) | {"rejected": reason}


def _account(
    cell: MergedCell, stars: MergedStars, reason: NDArray[np.str_], config: MergeConfig
) -> dict[str, dict[str, int]]:
    """Count what became of the sources."""
    account: dict[str, dict[str, int]] = {"stars": dict(Counter(_words(reason)))}
    suspects: Counter[str] = Counter()
    for number, linked in cell.surveys.items():
        mine = stars.link[:, number] >= 0
        tally = Counter(_words(reason[mine]))
        real = looks_real(linked)[stars.link[mine, number]]
        sources, why = cell.removed[number]
        inside = in_window(sources.side.ra, sources.side.dec, config.window)
        early = why[inside & sources.core & looks_real(sources)]
        out = [*reason[mine][real].tolist(), *early.tolist()]
        suspects.update(f"{sources.survey.name}: {one}" for one in out if one in OF_NO_STAR)
        words = np.where(inside, why, "outside_window")[sources.core]
        tally.update(_words(words))
        account[sources.survey.name] = dict(tally)
    return account | ({REAL_LOOKING: dict(suspects)} if suspects else {})


def _words(reason: NDArray[np.str_]) -> list[str]:
    return ["linked" if word == KEPT else word for word in reason.tolist()]


def star_ids(survey: str, ids: pa.Array) -> NDArray[np.int64]:
    """Return identifiers of merged stars: 63 bits of a hash of the survey and its identifier."""
    texts = [f"{survey} {one}" for one in ids.to_pylist()]
    return (id_bits(np.array(texts, dtype=object)) & _POSITIVE).astype(np.int64)


def _names(order: Order, numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([*names_of(order), ""])[numbers]


def _columns(
    stars: MergedStars,
    surveys: dict[int, SurveySources],
    near: NDArray[np.bool_],
    config: MergeConfig,
) -> Columns:
    """Columns of stars, `merged_columns`."""
    n, side = len(stars), stars.side
    pilot = config.match.rule == "pilot2023"
    photometry = choose_magnitudes(stars, surveys, config.photometry, smallest_error=pilot)
    astrometry = attach_astrometry(stars, surveys)
    l_deg, b_deg = icrs_to_galactic(side.ra, side.dec)
    source_id = np.zeros(n, np.int64)
    for number, sources in surveys.items():
        mine = np.flatnonzero(stars.primary == number)
        ids = sources.ids.take(pa.array(stars.link[mine, number]))
        source_id[mine] = star_ids(sources.survey.name, ids)
    flags = photometry.flags.copy()
    alone = (stars.link >= 0).sum(axis=1) == 1
    least = np.fmin.reduce(stars.probability, axis=1)
    flags[least < config.match.ambiguous_below] |= MatchFlag.AMBIGUOUS
    flags[alone] |= MatchFlag.SINGLE_SURVEY
    flags[near] |= MatchFlag.NEAR_BRIGHT
    flags[astrometry.zero_point] |= MatchFlag.ZERO_POINT
    j_from, h_from = photometry.origin[:, J], photometry.origin[:, H]
    synthetic_from = np.where(j_from == h_from, _names(stars.order, j_from), "mixed")
    columns: Columns = {
        "source_id": source_id,
        "ra": full_circle(side.ra),
        "dec": side.dec,
        "l": l_deg,
        "b": b_deg,
        "ref_epoch": side.epoch,
        "ra_error": side.error[:, 0] * 1000.0,
        "dec_error": side.error[:, 1] * 1000.0,
        "phot_g_mag": side.g_mag,
        "position_source": _names(stars.order, stars.position_from),
        "astrometry_source": _names(stars.order, astrometry.origin),
        "match_probability": least.astype(np.float32),
        "match_flags": flags,
        "detections": photometry.detections,
        **astrometry.columns,
    }
    for k, name in enumerate(map(magnitude_name, SURVEY_BANDS)):
        columns[name] = photometry.mag[:, k]
        columns[f"{name}_error"] = photometry.error[:, k]
        columns[f"{name}_source"] = _names(stars.order, photometry.origin[:, k])
    for band, (mag, error) in photometry.synthetic.items():
        name, there = magnitude_name(band), np.isfinite(mag)
        columns[name] = mag
        columns[f"{name}_error"] = np.where(there, error, np.nan)
        columns[f"{name}_source"] = np.where(there, synthetic_from, "")
    for number, survey in enumerate(stars.order):
        columns[survey.id_column] = _identifiers(stars, number, surveys.get(number))
    return {column.name: columns[column.name] for column in merged_columns(stars.order)}


def _identifiers(
    stars: MergedStars, number: int, sources: SurveySources | None
) -> NDArray[np.str_]:
    texts = np.full(len(stars), "", dtype=f"U{_N_ID}")
    if sources is not None:
        mine = np.flatnonzero(stars.link[:, number] >= 0)
        texts[mine] = sources.ids.take(pa.array(stars.link[mine, number])).to_pylist()
    return texts


def check_account(survey: str, account: dict[str, int]) -> int:
    """Return how many rows of a survey the account does not explain; 0 if it adds up."""
    known = {"read", "linked", *REASONS}
    if not set(account) <= known:
        raise ValueError(f"{survey}: unknown entries {sorted(set(account) - known)}")
    return account.get("read", 0) - sum(n for word, n in account.items() if word != "read")
