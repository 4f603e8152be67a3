"""How a mock catalogue compares with a known truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Table
from gcmock.words.bands import SURVEY_BANDS, magnitude_error_name, magnitude_name
from gcmock.words.components import GROUPS, NUCLEAR

NOMINAL: Final = (0.05, 0.16, 0.50, 0.84, 0.95)
N_RELIABILITY_BINS: Final = 10


@dataclass(frozen=True)
class Recovery:
    """How the catalogue compares with the truth.

    Attributes
    ----------
    true_fraction, inferred_fraction, fraction_error : dict of str to float
        Fractions of `GROUPS`; the error is that of the inferred fraction (sum of p (1 - p)).
    coverage : float
        Fraction of stars whose true distance lies between the 16 and 84 % quantiles: 0.68 is right.
    below_quantile : tuple of float
        Fraction of stars whose true distance lies below the quantiles `NOMINAL`.
    brier, base_brier : float
        Brier score of P(nuclear), and that of giving every star the mean fraction.
    ece : float
        Expected calibration error of P(nuclear).
    pull : dict of str to float
        Standard deviation of (observed - true) / error by band, for the drawn stars: 1 is right.
    """

    true_fraction: dict[str, float]
    inferred_fraction: dict[str, float]
    fraction_error: dict[str, float]
    coverage: float
    below_quantile: tuple[float, ...]
    brier: float
    base_brier: float
    ece: float
    pull: dict[str, float]


def stated_probability(mock: Table, group: str) -> Floats:
    """Probability (n_star,) of belonging to a group of components."""
    return np.sum([mock[f"p_{name}"] for name in GROUPS[group]], axis=0, dtype=np.float64)


def nuclear_probability(mock: Table) -> Floats:
    """Probability of belonging to the nuclear stellar system, shape (n_star,)."""
    return np.sum([mock[f"p_{name}"] for name in NUCLEAR], axis=0, dtype=np.float64)


def compare_with_truth(truth: Table, observed: Table, mock: Table) -> Recovery:
    """Compare a catalogue of one realisation with the truth, row by row.

    Parameters
    ----------
    truth, observed, mock : mapping of str to ndarray, shape (n_star,)
        The same stars in the same order.

    Returns
    -------
    Recovery
    """
    true_fraction, inferred, error = {}, {}, {}
    for group, names in GROUPS.items():
        p = stated_probability(mock, group)
        true_fraction[group] = float(np.isin(truth["component"], names).mean())
        inferred[group] = float(p.mean())
        error[group] = float(np.sqrt((p * (1.0 - p)).sum()) / p.size)
    p = nuclear_probability(mock)
    nuclear = np.isin(truth["component"], NUCLEAR)
    mean_p, fraction, count = reliability_bins(p, nuclear)
    distance = truth["distance_pc"]
    below = [float((distance < mock[f"distance_q{q * 100:02.0f}_pc"]).mean()) for q in NOMINAL]
    pull = {}
    for band in SURVEY_BANDS:
        name, sigma = magnitude_name(band), observed[magnitude_error_name(band)]
        pull[band] = float(np.nanstd((observed[name] - mock[name]) / sigma))
    return Recovery(
        true_fraction,
        inferred,
        error,
        coverage=below[3] - below[1],
        below_quantile=tuple(below),
        brier=float(((p - nuclear) ** 2).mean()),
        base_brier=float(nuclear.mean() * (1.0 - nuclear.mean())),
        ece=float((np.abs(mean_p - fraction) * count).sum() / p.size),
        pull=pull,
    )


def reliability_bins(p: Floats, is_true: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Mean probability, true fraction and number of stars in bins of the probability.

    Parameters
    ----------
    p : ndarray, shape (n_star,)
    is_true : ndarray of bool, shape (n_star,)

    Returns
    -------
    mean_p, fraction, count : ndarray, shape (n_bin,)
        Bins that hold stars.
    """
    index = np.minimum((p * N_RELIABILITY_BINS).astype(int), N_RELIABILITY_BINS - 1)
    count = np.bincount(index, minlength=N_RELIABILITY_BINS).astype(float)
    filled = count > 0
    mean_p = np.bincount(index, p, N_RELIABILITY_BINS)[filled] / count[filled]
    fraction = np.bincount(index, is_true, N_RELIABILITY_BINS)[filled] / count[filled]
    return mean_p, fraction, count[filled]
