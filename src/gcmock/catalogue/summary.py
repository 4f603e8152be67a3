"""The account of a merge: what is known of how many stars, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from gcmock.catalogue.cell.reasons import MatchFlag
from gcmock.catalogue.learn.offsets import Offsets
from gcmock.catalogue.traits import BACKBONE
from gcmock.notebook import Outcome, listing_of
from gcmock.settings.merge import MergeConfig
from gcmock.words.bands import SURVEY_BANDS, SYNTHETIC_BANDS, band, magnitude_name, mask_of

SUMMARY_FILE: Final = "_summary.json"
"""Name of the summary in the folder of a merged catalogue."""

HW_LIMIT: Final = 14.5
"""Faint limit of the targets of JASMINE in Hw [mag]."""

SNR_LIMIT: Final = 3.0

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
        return json.dumps(values, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> MergeSummary:
        """Return a stored summary."""
        return cls(**json.loads(text))


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
        See `MergeSummary`.
    config : MergeConfig
    offsets : mapping of str to Offsets
    """
    summary = MergeSummary(account=account)
    summary.offsets = {name: one.record for name, one in offsets.items()}
    names = [one.name for one in config.survey]
    summary.by_survey = {name: 0 for name in BACKBONE if name in names}
    summary.flags = {str(flag.name): 0 for flag in MatchFlag}
    for one in _BANDS:
        summary.magnitude_sources[one] = {}
        summary.by_magnitude[one] = {_bin_name(k): 0 for k in range(_N)}
    summary.stars = dict.fromkeys(_CONDITIONS, 0)
    for chunk in chunks:
        _add(summary, chunk)
    return summary


def _bin_name(k: int) -> str:
    return f"{_FIRST + k * _STEP}-{_FIRST + (k + 1) * _STEP}"


def _is_target(chunk: Mapping[str, Any]) -> Any:
    return chunk["phot_hw_mag"] < HW_LIMIT


def _is_precise(chunk: Mapping[str, Any]) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return chunk["parallax"] / chunk["parallax_error"] >= SNR_LIMIT


def _with(*bands: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return a condition: magnitudes in all of some bands."""
    return lambda c: np.isfinite(sum(c[magnitude_name(name)] for name in bands))


_CONDITIONS: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {
    "stars": lambda c: np.ones(len(c["ra"]), bool),
    **{f"with {band(name).label}": _with(name) for name in SURVEY_BANDS},
    "with J, H and Ks": _with("j", "h", "ks"),
    **{f"with {band(name).label}": _with(name) for name in SYNTHETIC_BANDS},
    "Hw < 14.5": _is_target,
    "with Gaia astrometry": lambda c: c["astrometry_source"] == "gaia",
    "with VIRAC2 motions": lambda c: c["astrometry_source"] == "virac2",
    "parallax / error >= 3": _is_precise,
    "Hw < 14.5 with Gaia astrometry": lambda c: _is_target(c) & (c["astrometry_source"] == "gaia"),
    "Hw < 14.5 with VIRAC2 motions": lambda c: _is_target(c) & (c["astrometry_source"] == "virac2"),
    "Hw < 14.5 with parallax / error >= 3": lambda c: _is_target(c) & _is_precise(c),
}


def _add(summary: MergeSummary, chunk: Mapping[str, Any]) -> None:
    for name, condition in _CONDITIONS.items():
        summary.stars[name] += int(np.count_nonzero(condition(chunk)))
    bits = chunk["detections"].astype(np.int64)
    every_band = mask_of(*SURVEY_BANDS)
    for number, name in enumerate(BACKBONE):
        if name in summary.by_survey:
            summary.by_survey[name] += int(
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
