"""Simulation-based calibration: stars drawn from the model, inferred under the same model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from gcmock.mock.simulate import simulate
from gcmock.model import load_model
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.validation.sbc import WINDOWS
from gcmock.validation.scores import expected_calibration_error, ks_uniform, ranks
from gcmock.words.components import COMPONENTS, MERGED_GROUPS

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

NOISE_MAG = 0.05
N_DRAWS = 49
LIMIT_KS = 15.5
DISC = [COMPONENTS.index(name) for name in MERGED_GROUPS["disc"]]
NUCLEAR = [COMPONENTS.index(name) for name in MERGED_GROUPS["nuclear"]]


class Result(NamedTuple):
    component: NDArray[np.int64]
    distance_pc: Floats
    e_jks: Floats
    summary: PosteriorSummary
    draws: Draws


POPULATIONS = ("koshimoto2021", "parsec")


@pytest.fixture(scope="module", params=POPULATIONS)
def result(request: pytest.FixtureRequest) -> Result:
    found = simulate_and_infer(request.param)
    assert 1500 < found.component.size < 6000
    return found


def simulate_and_infer(populations: str) -> Result:
    """Magnitude-limited stars; a quarter has no J. Fainter ones are simulated too: noise moves
    some of them across the limit, as the prior of the posterior expects."""
    config = load_config(
        None,
        {
            "populations.name": populations,
            "extinction.residual_scatter_mag": 0.05,
            "photometry.error_floor_mag": 0.0,
        },
    )
    model = load_model(config=config)
    parts = [simulate(model, *window, ks_max=LIMIT_KS + 0.5, seed=21) for window in WINDOWS]
    stars = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rng = np.random.default_rng(22)
    n = stars["l"].size
    mag = np.column_stack([stars[f"phot_{band}_mag"] for band in ("j", "h", "ks", "hw")])
    mag += rng.normal(0.0, NOISE_MAG, mag.shape)
    mag[:, 3] = np.nan
    mag[rng.random(n) < 0.25, 0] = np.nan
    kept = mag[:, 2] < LIMIT_KS
    mag = mag[kept]
    l_deg, b_deg = stars["l"][kept], stars["b"][kept]
    missing = np.full(kept.sum(), np.nan)
    error = np.where(np.isfinite(mag), NOISE_MAG, np.nan)
    data = Observations(l_deg, b_deg, mag, error, missing, missing, *model.reddening(l_deg, b_deg))
    ids = stars["source_id"][kept]
    keys = np.column_stack([star_key(23, ids, r) for r in range(N_DRAWS)])
    summary, draws = model.posterior.infer(data, keys, workers=2)
    component = np.array([COMPONENTS.index(c) for c in stars["component"][kept]])
    kappa = model.law.kappa(l_deg, b_deg)[:, 2]
    e_jks = stars["a_ks"][kept] / kappa
    return Result(component, stars["distance_pc"][kept], e_jks, summary, draws)


def test_distance_ranks_are_uniform(result: Result) -> None:
    rank = ranks(result.draws.distance_pc, result.distance_pc)
    assert ks_uniform(rank) < 1.6 / np.sqrt(rank.size)


def test_reddening_ranks_are_uniform(result: Result) -> None:
    rank = ranks(result.draws.e_jks, result.e_jks)
    assert ks_uniform(rank) < 1.6 / np.sqrt(rank.size)


@pytest.mark.parametrize(("low", "high", "fraction"), [(1, 3, 0.68), (0, 4, 0.90)])
def test_intervals_cover(result: Result, low: int, high: int, fraction: float) -> None:
    quantile = result.summary.distance_quantile_pc
    inside = (result.distance_pc >= quantile[:, low]) & (result.distance_pc <= quantile[:, high])
    assert abs(inside.mean() - fraction) < 3.0 * np.sqrt(fraction * (1.0 - fraction) / inside.size)


@pytest.mark.parametrize("group", [DISC, NUCLEAR], ids=["disc", "nuclear"])
def test_probabilities_are_frequencies(result: Result, group: list[int]) -> None:
    p = result.summary.probability[:, group].sum(axis=1).astype(np.float64)
    p = np.clip(p, 0.0, 1.0)
    happened = np.isin(result.component, group)
    rng = np.random.default_rng(25)
    floor = np.mean([expected_calibration_error(p, rng.random(p.size) < p) for _ in range(50)])
    assert expected_calibration_error(p, happened) < floor + 0.02
    assert abs(happened.sum() - p.sum()) < 4.0 * np.sqrt((p * (1.0 - p)).sum())


def test_draws_of_components_are_frequencies(result: Result) -> None:
    """Every component by itself: drawn as often as it is true."""
    for c, name in enumerate(COMPONENTS):
        p = result.summary.probability[:, c].astype(np.float64)
        spread = np.sqrt((p * (1.0 - p)).sum())
        assert abs((result.component == c).sum() - p.sum()) < 4.0 * spread + 1.0, name
        drawn = (result.draws.component == c).mean(axis=1).sum()
        assert abs(drawn - p.sum()) < 4.0 * spread / np.sqrt(N_DRAWS) + 1.0, name
