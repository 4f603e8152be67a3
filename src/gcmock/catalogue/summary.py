"""The account of a merge: what is known of how many stars, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from gcmock.catalogue.cell.reasons import REAL_LOOKING
from gcmock.catalogue.learn.offsets import Offsets
from gcmock.catalogue.order import Order, linking_order
from gcmock.io.provenance import creator
from gcmock.notebook import Outcome, listing_of
from gcmock.settings.merge import MergeConfig
from gcmock.surveys.definition import SurveyDefinition
from gcmock.words.bands import SURVEY_BANDS, SYNTHETIC_BANDS, band, magnitude_name, mask_of
from gcmock.words.flags import MatchFlag

SUMMARY_FILE: Final = "_summary.json"
"""Name of the summary in the folder of a merged catalogue."""

HW_LIMIT: Final = 14.5
"""Faint limit of the targets of JASMINE in Hw [mag]."""

SNR_LIMIT: Final = 3.0

Condition = Callable[[Mapping[str, Any]], Any]
"""Which rows of a chunk are meant, bool (n_row,)."""

_FIRST, _STEP, _N = 6, 1, 14
_BANDS: Final = (*SURVEY_BANDS, *SYNTHETIC_BANDS)


@dataclass(repr=False)
class MergeSummary(Outcome):
    """What a merged catalogue holds.

    Attributes
    ----------
    stars : dict of str to int
        Numbers of stars, by what is known of them.
    by_magnitude : dict of str to dict of str to int
        By band: stars in bins of one magnitude, "6-7" and so on.
    by_survey : dict of str to int
        Stars that a survey has.
    magnitude_sources : dict of str to dict of str to int
        By band: stars whose magnitude is from a survey.
    flags : dict of str to int
        Stars by bit of `MatchFlag`.
    account : dict of str to dict of str to int
        By survey: sources read, linked to a star, and left out, by reason; "stars": merged stars
        that are kept ("linked") or left out.
    real_looking : dict of str to int
        Sources with 10 sigma in two bands that were left out as no stars, by "survey: reason".
    offsets : dict of str to dict
        By survey: systematic offsets that were removed.
    seconds : float
    output : str
    """

    stars: dict[str, int] = field(default_factory=dict)
    by_magnitude: dict[str, dict[str, int]] = field(default_factory=dict)
    by_survey: dict[str, int] = field(default_factory=dict)
    magnitude_sources: dict[str, dict[str, int]] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    account: dict[str, dict[str, int]] = field(default_factory=dict)
    real_looking: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    output: str = ""

    def listing(self) -> list[tuple[str, str]]:
        """Return the numbers of sources and stars."""
        return listing_of(
            [
                ("output", self.output),
                ("sources", self.n_read),
                ("stars", self.stars),
                ("seconds", self.seconds),
            ]
        )

    @property
    def n_read(self) -> int:
        """Sources that were read."""
        return sum(tally.get("read", 0) for tally in self.account.values())

    def to_json(self) -> str:
        """Return all but the time and the place, which differ between equal runs."""
        values = asdict(self)
        del values["seconds"], values["output"]
        return json.dumps({"creator": creator(), **values}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> MergeSummary:
        """Return a stored summary."""
        values = json.loads(text)
        values.pop("creator", None)
        return cls(**values)


def summarise(
    chunks: Iterable[Mapping[str, Any]],
    account: dict[str, dict[str, int]],
    config: MergeConfig,
    offsets: Mapping[str, Offsets],
) -> MergeSummary:
    """Count the stars of a merged catalogue.

    Parameters
    ----------
    chunks : iterable of mapping of str to ndarray
        Its rows.
    account : dict
        See `MergeSummary`; `REAL_LOOKING` is one of its entries.
    config : MergeConfig
    offsets : mapping of str to Offsets
    """
    tallies = {name: tally for name, tally in account.items() if name != REAL_LOOKING}
    summary = MergeSummary(account=tallies, real_looking=account.get(REAL_LOOKING, {}))
    summary.offsets = {name: one.record for name, one in offsets.items()}
    names = [one.survey for one in config.survey]
    order = linking_order(config)
    summary.by_survey = {one.name: 0 for one in order if one.name in names}
    summary.flags = {str(flag.name): 0 for flag in MatchFlag}
    for one in _BANDS:
        summary.magnitude_sources[one] = {}
        summary.by_magnitude[one] = {_bin_name(k): 0 for k in range(_N)}
    conditions = _conditions(order)
    summary.stars = dict.fromkeys(conditions, 0)
    for chunk in chunks:
        _add(summary, chunk, order, conditions)
    return summary


def _bin_name(k: int) -> str:
    return f"{_FIRST + k * _STEP}-{_FIRST + (k + 1) * _STEP}"


def _is_target(chunk: Mapping[str, Any]) -> Any:
    return chunk["phot_hw_mag"] < HW_LIMIT


def _is_precise(chunk: Mapping[str, Any]) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return chunk["parallax"] / chunk["parallax_error"] >= SNR_LIMIT


def _conditions(order: Order) -> dict[str, Condition]:
    """Return what is counted: a phrase, and which stars it means.

    Surveys with motions are named, Gaia and its like first.
    """
    moving = [one for one in order if one.merge.astrometry]
    moving.sort(key=lambda one: one.merge.position_rank)

    def phrase(one: SurveyDefinition) -> str:
        return f"with {one.label} {'motions' if one.is_infrared else 'astrometry'}"

    def has(one: SurveyDefinition) -> Condition:
        return lambda c: c["astrometry_source"] == one.name

    def is_target(one: SurveyDefinition) -> Condition:
        return lambda c: _is_target(c) & (c["astrometry_source"] == one.name)

    return {
        **_MAGNITUDES,
        **{phrase(one): has(one) for one in moving},
        "parallax / error >= 3": _is_precise,
        **{f"{_TARGET} {phrase(one)}": is_target(one) for one in moving},
        f"{_TARGET} with parallax / error >= 3": lambda c: _is_target(c) & _is_precise(c),
    }


def _with(*bands: str) -> Condition:
    """Return a condition: magnitudes in all of some bands."""
    return lambda c: np.isfinite(sum(c[magnitude_name(name)] for name in bands))


_TARGET: Final = f"Hw < {HW_LIMIT:g}"

_MAGNITUDES: Final[dict[str, Condition]] = {
    "stars": lambda c: np.ones(len(c["ra"]), bool),
    **{f"with {band(name).label}": _with(name) for name in SURVEY_BANDS},
    "with J, H and Ks": _with("j", "h", "ks"),
    **{f"with {band(name).label}": _with(name) for name in SYNTHETIC_BANDS},
    _TARGET: _is_target,
}


def _add(
    summary: MergeSummary,
    chunk: Mapping[str, Any],
    order: Order,
    conditions: Mapping[str, Condition],
) -> None:
    for name, condition in conditions.items():
        summary.stars[name] += int(np.count_nonzero(condition(chunk)))
    bits = chunk["detections"].astype(np.int64)
    every_band = mask_of(*SURVEY_BANDS)
    for number, survey in enumerate(order):
        if survey.name in summary.by_survey:
            summary.by_survey[survey.name] += int(
                np.count_nonzero(bits & (every_band << (len(SURVEY_BANDS) * number)))
            )
    for flag in MatchFlag:
        has = (chunk["match_flags"] & int(flag)) != 0
        summary.flags[str(flag.name)] += int(np.count_nonzero(has))
    for one in _BANDS:
        origin, numbers = np.unique(
            chunk[f"{magnitude_name(one)}_source"].astype(str), return_counts=True
        )
        tally = summary.magnitude_sources[one]
        for name, n in zip(origin.tolist(), numbers.tolist(), strict=True):
            if name:
                tally[name] = tally.get(name, 0) + n
        mag = chunk[magnitude_name(one)]
        place = np.floor((mag - _FIRST) / _STEP)
        good = np.isfinite(place) & (place >= 0) & (place < _N)
        counts = np.bincount(place[good].astype(np.int64), minlength=_N)
        for k in range(_N):
            summary.by_magnitude[one][_bin_name(k)] += int(counts[k])
