"""Scores of the law are derivatives, and the law of stars made under another one is found."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.calibration import law_scores as module
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.law import OFFSET_PRIOR, SLOPE_PRIOR, parameters_of, power_law
from gcmock.calibration.law_sample import Sample, choose
from gcmock.calibration.law_scores import (
    CELL_FACTOR,
    LEAST_STARS,
    REGION_FACTOR,
    State,
    _Fit,
    _law_of,
    fit_laws,
)
from gcmock.dust.laws import ExtinctionLaw, load_law
from gcmock.errors import InputError
from gcmock.model import Model, load_model
from gcmock.posterior.observations import Observations
from gcmock.settings.build import load_config
from gcmock.stars.populations import PopulationNodes
from gcmock.words.bands import BANDS, H, J
from gcmock.words.components import COMPONENTS

ERROR = 0.05
BASE = power_law(2.07, 0.0, 1.04)


def quiet(stage: str, done: int, total: int) -> None:
    """Say nothing."""


# With a likelihood in closed form


class Gaussian(_Fit):
    """Stars that measure slope, offset and factor: ln L is a parabola about what they measure."""

    def __init__(self, seen, cell, quadrant, with_offset=True, widths=(0.5, 0.2, 0.1)) -> None:
        self.seen, self.widths = seen, np.array(widths)
        n, n_cell = cell.size, int(cell.max()) + 1
        data = SimpleNamespace(n_star=n, e_jks_rc=np.full(n, 2.0))
        zero = np.zeros(n_cell)
        sample = Sample(data, cell, quadrant, zero, zero, zero + 2.0, np.ones(n), (0.0, 14.0))
        super().__init__(sample, None, 1.04, with_offset, 1)

    def _log_likelihood(self, state, workers=1):
        quadrant = self.sample.quadrant
        row = quadrant if state.slope.size > 1 else np.zeros_like(quadrant)
        at = np.stack([state.slope[row], state.offset[row], state.factor[self.sample.cell]], axis=1)
        value = -0.5 * (((at - self.seen) / self.widths) ** 2).sum(axis=1)
        return value, np.ones(row.size)


def gaussian(true, n_cell=8, per_cell=60, seed=1, quadrant=None, **options) -> Gaussian:
    rng = np.random.default_rng(seed)
    cell = np.repeat(np.arange(n_cell), per_cell)
    quadrant = np.zeros(cell.size, np.int64) if quadrant is None else quadrant(cell)
    slope = np.broadcast_to(true[0], 5 if np.ndim(true[0]) == 0 else 4)[quadrant]
    truth = np.column_stack([slope, np.full(cell.size, true[1]), np.ones(cell.size)])
    widths = np.array([0.5, 0.2, 0.1])
    return Gaussian(truth + widths * rng.normal(size=truth.shape), cell, quadrant, **options)


def start(n_cell: int) -> State:
    return State(np.array([2.07]), np.array([0.0]), np.ones(n_cell))


def test_scores_of_a_parabola_are_exact() -> None:
    fit = gaussian((2.2, 0.02))
    state = State(np.array([1.9]), np.array([-0.03]), np.full(8, 1.05))
    scores = fit.scores(state)
    at = np.array([1.9, -0.03, 1.05])
    expected = (fit.seen - at) / fit.widths**2
    np.testing.assert_allclose(scores.law, expected[:, :2], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(scores.factor, expected[:, 2], rtol=1e-6, atol=1e-9)
    centre, _ = fit._log_likelihood(state)
    assert scores.value == pytest.approx(centre.sum())


@pytest.mark.parametrize("true", [(2.07, 0.0), (2.5, 0.05), (1.7, -0.05)])
def test_the_search_finds_the_law_and_the_errors_are_right(true) -> None:
    """Over many lists the pulls of slope and offset have unit width."""
    pulls = []
    for seed in range(12):
        fit = gaussian(true, seed=seed)
        state, information, gain, _ = fit.search(start(8), quiet)
        covariance = fit.covariance(information)
        error = np.sqrt(np.diag(covariance))
        # The priors draw by a little that is known.
        drawn = np.array([SLOPE_PRIOR, OFFSET_PRIOR])
        mean = np.array(true) + (error / drawn[:, 1]) ** 2 * (drawn[:, 0] - np.array(true))
        pulls.append((np.array([state.slope[0], state.offset[0]]) - mean) / error)
        assert gain > -1e-6
        np.testing.assert_allclose(error, [0.5 / np.sqrt(480), 0.2 / np.sqrt(480)], rtol=0.2)
    pulls = np.array(pulls)
    assert (np.abs(pulls.mean(axis=0)) < 1.0).all()
    assert ((pulls.std(axis=0) > 0.5) & (pulls.std(axis=0) < 1.6)).all()


def test_errors_made_larger_do_not_swing_the_search() -> None:
    """Stars that scatter by a third of their widths: mean squares are a ninth of the curvature."""
    fit = gaussian((2.5, 0.02), widths=(1.5, 0.6, 0.3))
    state, information, gain, scores = fit.search(start(8), quiet)
    weight = 480 / 1.5**2
    mean = (weight * fit.seen[:, 0].mean() + SLOPE_PRIOR[0] / SLOPE_PRIOR[1] ** 2) / (
        weight + SLOPE_PRIOR[1] ** -2
    )
    error = np.sqrt(fit.covariance(information)[0, 0])
    assert abs(state.slope[0] - mean) < 0.2 * error
    assert gain > 0.0
    # The error is that of the stated widths.
    assert error == pytest.approx((weight + SLOPE_PRIOR[1] ** -2) ** -0.5, rel=0.1)
    np.testing.assert_allclose(scores.curvature, 480 / fit.widths**2, rtol=1e-6)


def test_without_the_offset_only_the_slope_moves() -> None:
    fit = gaussian((2.4, 0.05), with_offset=False)
    state, information, _, scores = fit.search(start(8), quiet)
    assert state.offset[0] == 0.0
    assert abs(state.slope[0] - 2.4) < 0.1
    covariance = fit.covariance(information)
    assert covariance[1, 1] == covariance[0, 1] == 0.0
    assert covariance[0, 0] > 0.0
    for _, spread, _ in fit.quadrants(state, scores).values():
        assert spread[1, 1] == spread[0, 1] == 0.0


def test_quadrants_that_differ_gain() -> None:
    def by_quadrant(cell):
        return cell % 4

    same = gaussian((2.2, 0.0), quadrant=by_quadrant)
    other = gaussian(([1.9, 2.3, 2.1, 2.5], 0.0), quadrant=by_quadrant)
    gains = []
    for fit in (same, other):
        state, _, _, scores = fit.search(start(8), quiet)
        found = fit.quadrants(state, scores)
        assert sorted(found) == [0, 1, 2, 3]
        gains.append(sum(gain for _, _, gain in found.values()))
    assert gains[0] < module.LEAST_GAIN * 4 < gains[1]
    # Moves are towards the truth.
    moves = np.array([found[q][0][0] for q in range(4)])
    assert np.corrcoef(moves, [1.9, 2.3, 2.1, 2.5])[0, 1] > 0.9


def test_quadrants_with_few_stars_have_no_law_of_their_own() -> None:
    fit = gaussian((2.2, 0.0), n_cell=2, quadrant=lambda cell: np.where(np.arange(120) < 30, 1, 0))
    state, _, _, scores = fit.search(start(2), quiet)
    assert list(fit.quadrants(state, scores)) == [0]


def test_priors_of_factors_are_those_of_region_and_cell() -> None:
    prior = gaussian((2.2, 0.0))._prior(3)
    covariance = np.linalg.inv(prior)
    np.testing.assert_allclose(np.diag(covariance)[2:], REGION_FACTOR**2 + CELL_FACTOR**2)
    assert covariance[2, 3] == pytest.approx(REGION_FACTOR**2)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)[:2]), [SLOPE_PRIOR[1], OFFSET_PRIOR[1]])


# What becomes a law


def test_laws_of_a_state() -> None:
    state = State(np.array([2.0, 2.2]), np.array([0.0, 0.01]), np.ones(3))
    law = _law_of(state, 1.04, ExtinctionLaw("base", BASE[None], "paper"))
    np.testing.assert_allclose(law.rows, [power_law(2.0, 0.0, 1.04), power_law(2.2, 0.01, 1.04)])
    assert law.name == "fitted from base"
    assert not law.rows.flags.writeable


def few(n: int) -> Calibrators:
    mag = np.full((n, len(BANDS)), 13.0)
    nan, zero = np.full(n, np.nan), np.zeros(n)
    data = Observations(zero, zero, mag, 0.0 * mag, nan, nan, zero + 2.0, zero)
    none = np.zeros(0, np.int64)
    return Calibrators(
        data, np.zeros(n, np.int64), (0.0, 14.0), none, none, {}, np.ones(n, bool)
    )  # fmt: skip


MODEL = SimpleNamespace(law=ExtinctionLaw("base", BASE[None], "paper"))


def test_unknown_regions() -> None:
    with pytest.raises(InputError, match="law regions 'two': expected quadrants, one or none"):
        fit_laws(few(3), MODEL, "two", True, 1, quiet)


def test_no_regions_and_too_few_stars_keep_the_law() -> None:
    assert fit_laws(few(900), MODEL, "none", True, 1, quiet) == (MODEL.law, {})
    assert fit_laws(few(LEAST_STARS - 1), MODEL, "one", True, 1, quiet) == (MODEL.law, {})
    # Stars without one of the bands do not count.
    stars = few(200)
    stars.data.mag[LEAST_STARS - 1 :, J] = np.nan
    assert fit_laws(stars, MODEL, "one", True, 1, quiet) == (MODEL.law, {})


# With the posterior itself


@pytest.fixture(scope="module")
def base() -> Model:
    """Every sixth node of the populations of one age: quick, and the stars are made from them."""
    full = load_model(
        config=load_config(
            None,
            {"populations.name": "koshimoto2021", "extinction.map_value": "cell_mean",
             "extinction.residual_scatter_mag": 0.0},
        )
    )  # fmt: skip
    thin = tuple(
        PopulationNodes(*(x[::6] for x in nodes)) for nodes in full.populations.populations
    )
    return replace(full, populations=full.populations._replace(populations=thin))


PLACES = np.array([[0.6125, -0.3125], [0.7125, -0.2125], [-0.5125, 0.3125], [0.4125, 0.2125]])
FAINT = 13.8


def made(model: Model, law: ExtinctionLaw, n: int, seed: int = 1) -> Calibrators:
    """Stars of four cells under a law, brighter than a limit, with errors."""
    rng = np.random.default_rng(seed)
    mags, cells = [], []
    grid, sets = model.grid, model.populations
    sightlines, index = model.sightlines.get(*PLACES.T)
    for k, (l_deg, b_deg) in enumerate(PLACES):
        prior = sightlines.prior[index[k], :, : len(COMPONENTS)].astype(float).T
        e_jks = float(model.extinction_map.value(l_deg, b_deg, "cell_mean")[0])
        shape = sightlines.dust.at(index[k]).value(grid.centre_pc)
        kappa = law.kappa(np.array([l_deg]), np.array([b_deg]))[0]
        living = prior * [[sets.nodes(name).weight.sum()] for name in COMPONENTS]
        got = []
        while sum(map(len, got)) < n:
            # As many as are needed to find some that are bright.
            flat = rng.choice(living.size, 400_000, p=living.ravel() / living.sum())
            component, bin_ = np.divmod(flat, len(grid))
            mag = np.empty((flat.size, 3))
            for c, name in enumerate(COMPONENTS):
                of = component == c
                nodes = sets.nodes(name)
                node = rng.choice(
                    nodes.weight.size, int(of.sum()), p=nodes.weight / nodes.weight.sum()
                )
                mag[of] = nodes.absolute_mag[node]
            red = e_jks * rng.normal(1.0, 0.04, flat.size) * shape[bin_]
            mag += grid.distance_modulus[bin_][:, None] + kappa * red[:, None]
            mag += ERROR * rng.normal(size=mag.shape)
            got.append(mag[mag[:, 2] < FAINT])
        mags.append(np.concatenate(got)[:n])
        cells.append(np.full(n, k))
    mag, cell = np.concatenate(mags), np.concatenate(cells)
    place = PLACES[cell]
    full = np.full((cell.size, len(BANDS)), np.nan)
    full[:, :3] = mag
    e_jks = model.extinction_map.value(*place.T, "cell_mean")[0]
    nan = np.full(cell.size, np.nan)
    data = Observations(
        place[:, 0], place[:, 1], full, np.where(np.isfinite(full), ERROR, np.nan), nan, nan,
        e_jks, np.zeros(cell.size),
    )  # fmt: skip
    number = model.extinction_map.cell_index(*place.T)
    cells, counts = np.unique(number, return_counts=True)
    return Calibrators(data, number, (-np.inf, FAINT), cells, counts, {}, np.ones(cell.size, bool))


@pytest.mark.long
def test_scores_are_numeric_derivatives(base: Model) -> None:
    """Of ln Z - ln Λ of every star, times its weight, at steps of half the width."""
    stars = made(base, base.law, 25)
    sample = choose(stars, np.arange(stars.cell.size), base)
    fit = _Fit(sample, base, float(BASE[0] - BASE[2]), True, 2)
    state = State(np.array([2.1]), np.array([0.005]), np.full(4, 1.02))
    scores = fit.scores(state)
    _, weight = fit._log_likelihood(state)
    assert (weight > 0.5).mean() > 0.9
    found = np.column_stack([scores.law, scores.factor])
    for parameter, step in enumerate(0.5 * module.STEPS):
        both = []
        for sign in (1.0, -1.0):
            fields = list(state)
            fields[parameter] = state[parameter] + sign * step
            both.append(fit._log_likelihood(State(*fields))[0])
        numeric = weight * (both[0] - both[1]) / (2.0 * step)
        scale = np.std(numeric)
        # Lattices of two laws differ a little.
        assert np.sqrt(np.mean((found[:, parameter] - numeric) ** 2)) < 0.15 * scale
        assert abs((found[:, parameter] - numeric).mean()) < 0.03 * scale


@pytest.mark.long
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_law_of_the_stars_is_found(base: Model, shift: float) -> None:
    """Stars under a law that is steeper than that of the settings, with the same A_J - A_Ks."""
    row = base.law.rows[-1]
    slope, offset = parameters_of(row)
    true = power_law(slope + shift, offset + 0.1 * shift, float(row[0] - row[2]))
    truth = ExtinctionLaw("true", true[None], "made here")
    law, fits = fit_laws(made(base, truth, 250), base, "one", True, 2, quiet)
    (found,) = fits.values()
    error = np.sqrt(np.diag(found.covariance))
    away = np.array([found.slope - slope - shift, found.offset - offset - 0.1 * shift])
    assert (np.abs(away) < 3.0 * error).all(), (away, error)
    assert error[0] < 0.5 * SLOPE_PRIOR[1]
    assert found.n_star == 1000
    assert (np.abs(law.rows[0] - true) < 3.0 * found.kappa_error + 1e-3).all()
    if shift:
        assert found.gain > 5.0
        assert abs(law.rows[0][H] - row[H]) > 3.0 * found.kappa_error[H] > 0.0


def test_the_base_is_a_power_law() -> None:
    assert parameters_of(load_law("wang_chen_2019").rows[-1])[0] == pytest.approx(2.07, abs=0.01)
