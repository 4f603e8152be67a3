"""The hierarchy of the reddening: what a cell takes from its field, and a field from the region."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from small_map import small_map

from gcmock.calibration.cells import (
    SCATTER_PRIOR,
    SUBCELL_SCATTER_PRIOR,
    CellFit,
    Prior,
    usual_prior,
)
from gcmock.calibration.curves import FACTORS
from gcmock.calibration.extinction import (
    FACTOR_SPREAD,
    LEAST_OF_CELL,
    LEAST_SPREAD,
    MOST_OF_GROUP,
    REGION_FACTOR,
    SOURCES,
    _pooled,
    _spread_of,
    extinction_of_map,
    fit_extinction,
)
from gcmock.settings.build import load_config

SKY = small_map(16, 16)
CELLS = np.arange(256)
"""Four fields of 64 cells."""

E_MAP = np.full(256, 2.0)
ERROR = 0.03


def model(map_value: str = "subcell_mean", scatter: float = 0.02) -> SimpleNamespace:
    settings = {"extinction.map_value": map_value, "extinction.residual_scatter_mag": scatter}
    return SimpleNamespace(extinction_map=SKY, config=load_config(None, settings))


def curves_of(factors: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * ((FACTORS - factors[:, None]) / ERROR) ** 2).astype(np.float32)


def fit(of_star, factors, **options):
    """Stars whose factors are measured with an error."""
    of_star = np.asarray(of_star, np.int64)
    seen = np.asarray(factors) + ERROR * np.random.default_rng(1).normal(size=of_star.size)
    floor = np.zeros(of_star.size, np.float32)
    density = np.ones((of_star.size, FACTORS.size))
    return fit_extinction(curves_of(seen), floor, of_star, CELLS, E_MAP, density, model(**options))


def median_of(found: CellFit) -> float:
    """Median of a log-normal distribution with mean and error of the scatter of the first cell."""
    relative = found.scatter_error[0] / found.scatter[0]
    return float(found.scatter[0] / np.sqrt(1.0 + relative**2))


def cell_of(l_number: int, b_number: int) -> int:
    return l_number * 16 + b_number


def test_a_region_without_stars_is_the_prior() -> None:
    found, source = fit([], [])
    np.testing.assert_allclose(found.factor, 1.0, atol=2e-3)
    width = np.sqrt(REGION_FACTOR**2 + 2.0 * FACTOR_SPREAD**2)
    np.testing.assert_allclose(found.factor_error, width, rtol=0.05)
    assert median_of(found) == pytest.approx(SCATTER_PRIOR[0], rel=0.15)
    assert not found.n_star.any()
    assert {SOURCES[i] for i in source} == {"region"}


def test_about_sub_cells_the_prior_of_the_scatter_is_smaller() -> None:
    found, _ = fit([], [], map_value="subcell")
    assert median_of(found) == pytest.approx(SUBCELL_SCATTER_PRIOR[0], rel=0.25)


def test_a_cell_without_stars_gets_its_field_and_a_field_the_region() -> None:
    """One cell of the first field has stars, whose reddening is 1.1 of the map."""
    rng = np.random.default_rng(2)
    n, here = 300, cell_of(3, 3)
    found, source = fit(np.full(n, here), rng.normal(1.1, 0.05, n))
    assert found.factor[here] == pytest.approx(1.1, abs=0.015)
    beside, far = cell_of(5, 6), cell_of(12, 12)
    assert (SOURCES[source[here]], SOURCES[source[beside]], SOURCES[source[far]]) == (
        "cell", "field", "region",
    )  # fmt: skip
    # The further away, the nearer to the map and the less certain.
    assert found.factor[here] >= found.factor[beside] - 1e-3
    assert found.factor[beside] > found.factor[far] > 1.02
    assert found.factor_error[here] < found.factor_error[beside] < found.factor_error[far]
    assert found.factor_error[beside] == pytest.approx(FACTOR_SPREAD, rel=0.2)
    # All cells of the field, and all of the rest, are alike.
    il, ib = np.divmod(CELLS, 16)
    in_field = (il < 8) & (ib < 8) & (here != CELLS)
    assert np.ptp(found.factor[in_field]) < 1e-9
    elsewhere = ~((il < 8) & (ib < 8))
    assert np.ptp(found.factor[elsewhere]) < 1e-9


def test_few_stars_of_a_cell_are_shrunk_to_the_field() -> None:
    rng = np.random.default_rng(3)
    many, few = cell_of(2, 2), cell_of(4, 4)
    of_star = np.concatenate([np.full(500, many), np.full(3, few)])
    factors = np.concatenate([rng.normal(1.0, 0.05, 500), np.full(3, 1.15)])
    found, source = fit(of_star, factors)
    assert SOURCES[source[few]] == "field"
    assert found.n_star[few] == 3 < LEAST_OF_CELL
    assert found.factor[many] < found.factor[few] < 1.1
    assert found.factor_error[few] > 2.0 * found.factor_error[many]


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.95, 1.0, 1.05])
def test_fifty_stars_of_a_region_know_its_mean(true: float) -> None:
    """Spread over thirty cells: no cell knows anything alone."""
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(6):
        of_star = rng.choice(CELLS, 50)
        factors = rng.normal(true, 0.06, 50)
        found, _ = fit(of_star, factors)
        weight = np.bincount(of_star, minlength=256)
        mean = (weight * found.factor).sum() / 50
        assert abs(mean - true) < 0.04
        pulls.append((mean - true) / 0.012)
    assert abs(np.mean(pulls)) < 2.0


@pytest.mark.slow
def test_errors_of_cells_are_right() -> None:
    """Cells that scatter about their fields as is allowed for: pulls of unit width."""
    rng = np.random.default_rng(5)
    per_cell = 25
    true = 1.02 + FACTOR_SPREAD * rng.normal(size=256)
    of_star = np.repeat(CELLS, per_cell)
    found, source = fit(of_star, rng.normal(true[of_star], 0.06))
    pull = (found.factor - true) / found.factor_error
    assert abs(pull.mean()) < 0.25
    assert 0.8 < pull.std() < 1.25
    assert abs(np.median(found.scatter) - 0.06) < 0.012
    assert (source == SOURCES.index("cell")).all()


@pytest.mark.parametrize("true", [0.0, 0.02, 0.05])
def test_the_spread_of_cells_is_learned(true: float) -> None:
    """Cells that agree within their errors have what all of them have."""
    rng = np.random.default_rng(6)
    factor = 1.0 + true * rng.normal(size=256)
    n, error = np.full(256, 50), np.full(256, 0.012)
    # What a cell says alone, and with its prior.
    alone = rng.normal(factor, error)
    prior = Prior(np.ones(256), np.full(256, 0.03), np.full(256, 0.06), np.full(256, 0.4))
    precision = error**-2 + 0.03**-2
    both = (alone * error**-2 + 0.03**-2) / precision
    zero = np.zeros(256)
    fit = CellFit(n, both, precision**-0.5, zero + 0.06, zero, zero)
    assert _spread_of(fit, prior) == pytest.approx(max(true, LEAST_SPREAD), abs=0.005)
    # Two cells say nothing of it.
    few = fit._replace(n_star=np.where(np.arange(256) < 2, 50, 3))
    assert _spread_of(few, prior) == FACTOR_SPREAD


@pytest.mark.slow
def test_outliers_do_not_move_a_cell() -> None:
    n, here = 200, cell_of(1, 1)
    factors = np.where(np.arange(n) % 10 == 0, 1.12, 1.0)
    of_star = np.full(n, here)
    seen = curves_of(factors)
    density = np.ones((n, FACTORS.size))
    floors = np.zeros(n, np.float32), np.full(n, 0.05, np.float32)
    plain, robust = (
        fit_extinction(seen, floor, of_star, CELLS, E_MAP, density, model())[0] for floor in floors
    )
    assert robust.scatter[here] < 0.5 * plain.scatter[here]
    assert abs(robust.factor[here] - 1.0) < 0.01


def test_large_groups_are_fitted_to_some_of_their_stars() -> None:
    n = 3 * MOST_OF_GROUP
    group = np.repeat([0, 1], [n, 5])
    density, floor = np.ones((n + 5, FACTORS.size)), np.zeros(n + 5, np.float32)
    found = _pooled(curves_of(np.ones(n + 5)), floor, group, density, usual_prior(2))
    assert found.n_star.tolist() == [MOST_OF_GROUP, 5]


def test_the_map_as_it_is() -> None:
    of_star = np.array([3, 3, 7])
    found, source = extinction_of_map(of_star, CELLS, E_MAP, model(scatter=0.1))
    assert {SOURCES[i] for i in source} == {"map"}
    np.testing.assert_array_equal(found.factor, 1.0)
    np.testing.assert_allclose(found.scatter, 0.05)
    assert not found.factor_error.any()
    assert found.n_star[[3, 7, 8]].tolist() == [2, 1, 0]


def test_the_scatter_of_sub_cells_adds_in_quadrature() -> None:
    divided = small_map(16, 16, divided=(0,))
    given = model("subcell_mean", 0.1)
    given.extinction_map = divided
    l_deg, b_deg = divided.cell_centre(CELLS)
    e_map, scatter = divided.value(l_deg, b_deg, "subcell_mean")
    found, _ = extinction_of_map(np.zeros(0, np.int64), CELLS, e_map, given)
    assert scatter[0] > 0.0
    np.testing.assert_allclose(found.scatter, np.hypot(0.1, scatter) / e_map)
