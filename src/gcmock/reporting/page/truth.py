"""A catalogue against a known truth, on at most half a million stars of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.io.readers.source import TableSource
from gcmock.reporting.page.extent import ROWS_AT_ONCE
from gcmock.reporting.page.sample import RowSample
from gcmock.reporting.page.tally import GROUP_OF, IS_NUCLEAR, N_GROUP, component_places
from gcmock.validation.recovery import NOMINAL, reliability_bins, stated_probability
from gcmock.words.components import GROUPS, PROBABILITIES

MOST_STARS: Final = 500_000
"""Stars that are compared at most: the error of a fraction is then below 0.0007."""

CATALOGUE_COLUMNS: Final = (
    "source_id",
    *PROBABILITIES,
    *(f"distance_q{percent:02d}_pc" for percent in (5, 16, 50, 84, 95)),
)
_TRUTH_COLUMNS: Final = ("source_id", "component", "distance_pc")


@dataclass(frozen=True)
class TruthComparison:
    """How the catalogue compares with the truth.

    Attributes
    ----------
    n_star : int
        Stars that were compared.
    below : ndarray, shape (5,)
        Fraction of stars whose true distance lies below the quantiles `NOMINAL`.
    mean_p, fraction, number : ndarray, shape (n_bin,)
        Reliability of P(nuclear): mean probability, true fraction, stars.
    confusion : ndarray, shape (n_group, n_group)
        Sums of the probability of a group (second axis) over the stars of a true group (first).
    brier, base_brier, ece : float
        See `gcmock.validation.recovery.Recovery`.
    """

    n_star: int
    below: Floats
    mean_p: Floats
    fraction: Floats
    number: Floats
    confusion: Floats
    brier: float
    base_brier: float
    ece: float

    @property
    def coverage(self) -> float:
        """Fraction of true distances between the 16 and the 84 % quantile."""
        return float(self.below[3] - self.below[1])


def compare_sample(sample: RowSample, source: TableSource) -> TruthComparison:
    """Compare the stars of a sample with their truth.

    Parameters
    ----------
    sample : RowSample
        Of a catalogue, with `CATALOGUE_COLUMNS`.
    source : TableSource
        Table of true stars, with `source_id`, `component`, `distance_pc`.

    Raises
    ------
    InputError
        If the table has other columns, or none of the stars.
    """
    missing = [name for name in _TRUTH_COLUMNS if name not in source.columns]
    if missing:
        raise InputError(
            f"{source.path}: no table of true stars: it lacks {', '.join(missing)}; gcmock "
            "simulate "
            "--survey writes one beside the survey"
        )
    group = np.full(len(sample), -1)
    distance = np.full(len(sample), np.nan)
    for chunk in source.chunks(ROWS_AT_ONCE, _TRUTH_COLUMNS):
        place = sample.place(chunk["source_id"])
        found = place >= 0
        group[place[found]] = GROUP_OF[component_places(chunk["component"][found])]
        distance[place[found]] = chunk["distance_pc"][found]
    known = group >= 0
    if not known.any():
        raise InputError(f"{source.path}: has none of the stars of the catalogue (by source_id)")
    rows = {name: values[known] for name, values in sample.rows.items()}
    group, distance = group[known], distance[known]
    p = np.stack([stated_probability(rows, name) for name in GROUPS], axis=1)
    nuclear = IS_NUCLEAR[group]
    p_nuclear = p[:, IS_NUCLEAR].sum(axis=1)
    mean_p, fraction, number = reliability_bins(p_nuclear, nuclear)
    below = [(distance < rows[f"distance_q{q * 100:02.0f}_pc"]).mean() for q in NOMINAL]
    confusion = np.stack([p[group == i].sum(axis=0) for i in range(N_GROUP)])
    usual = float(nuclear.mean())
    return TruthComparison(
        int(known.sum()),
        np.array(below),
        mean_p,
        fraction,
        number,
        confusion,
        brier=float(((p_nuclear - nuclear) ** 2).mean()),
        base_brier=usual * (1.0 - usual),
        ece=float((np.abs(mean_p - fraction) * number).sum() / known.sum()),
    )
