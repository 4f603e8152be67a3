"""Reddening and numbers of stars in turns, on curves that are known."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from small_map import small_map

from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.curves import FACTORS, GROUP_OF_PART, GROUPS, USUAL_OF_GROUP, Curves
from gcmock.calibration.local_reddening import plane
from gcmock.calibration.reddening import (
    Curved,
    Sky,
    _relative,
    cells_of_fields,
    fit_numbers,
    fit_reddening,
    places_of,
    reddened,
)
from gcmock.dust.laws import load_law
from gcmock.learned import nothing_learned
from gcmock.posterior.observations import Observations
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS
from gcmock.words.components import PARTS

SKY = small_map(20, 12)
"""Fields at its borders are cut."""

ERROR = 0.03
NUCLEAR, BAR = GROUPS.index("nuclear"), GROUPS.index("bar")


def model(**settings: object) -> SimpleNamespace:
    values = {"extinction.map_value": "subcell_mean", **settings}
    return SimpleNamespace(
        extinction_map=SKY, config=load_config(None, values), law=load_law("wang_chen_2019")
    )


def observations(l_deg, b_deg) -> Observations:
    n = len(l_deg)
    nan = np.full(n, np.nan)
    mag = np.full((n, len(BANDS)), 13.0)
    return Observations(l_deg, b_deg, mag, 0.05 + 0 * mag, nan, nan, np.full(n, 2.0), np.zeros(n))


def stars(n: int = 400, gradient: float = 0.0, true: float = 1.08, scatter: float = 0.05):
    """Stars of one cell, which measure their reddening; and the sky round it."""
    rng = np.random.default_rng(1)
    l_deg, b_deg = 0.05 + rng.uniform(0.0, 0.025, (2, n))
    factor = true + gradient * (l_deg - 0.0625) / 0.025
    if not gradient:
        factor = rng.normal(true, scatter, n)
    seen = factor + ERROR * rng.normal(size=n)
    value = np.zeros((n, len(GROUPS), FACTORS.size), np.float16)
    value[:, BAR] = np.exp(-0.5 * ((FACTORS - seen[:, None]) / ERROR) ** 2)
    data = observations(l_deg, b_deg)
    given = Calibrators(
        data, SKY.cell_index(l_deg, b_deg), (-np.inf, 14.0), np.zeros(0, np.int64),
        np.zeros(0, np.int64), {}, np.ones(n, bool),
    )  # fmt: skip
    sky = Sky.of(given, model())
    density = np.ones((n, len(GROUPS), FACTORS.size), np.float32)
    return factor, Curved(data, Curves(value, np.zeros(n)), np.zeros(n), sky.of_star, density), sky


def test_all_cells_of_a_field_with_stars() -> None:
    cells = cells_of_fields(model(), np.array([2 * 12 + 2]))
    il, ib = np.divmod(cells, 12)
    assert cells.size == 64
    assert il.max() == ib.max() == 7
    assert (np.diff(cells) > 0).all()
    # At the border of the map the field is cut: 4 x 4 cells are left of it.
    assert cells_of_fields(model(), np.array([19 * 12 + 11])).size == 16
    both = cells_of_fields(model(), np.array([0, 19 * 12 + 11, 1]))
    assert both.size == 80


def test_the_sky_round_the_stars() -> None:
    _, curved, sky = stars()
    assert sky.cells.size == 64
    np.testing.assert_array_equal(
        sky.cells[sky.of_star], SKY.cell_index(curved.data.l_deg, curved.data.b_deg)
    )
    np.testing.assert_array_equal(sky.e_map, 2.0)
    l_deg, b_deg = SKY.cell_centre(sky.cells)
    np.testing.assert_array_equal((sky.l_deg, sky.b_deg), (l_deg, b_deg))


def test_reddening_of_a_cell_and_its_scatter() -> None:
    factor, curved, sky = stars()
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model(), with_neighbours=False)
    here = sky.of_star[0]
    assert found.fit.factor[here] == pytest.approx(factor.mean(), abs=0.006)
    assert found.fit.scatter[here] == pytest.approx(factor.std(), abs=0.01)
    assert found.local.n_neighbour == 0
    assert (found.source == 0).sum() == 1


def test_neighbours_where_dust_is_smooth() -> None:
    factor, curved, sky = stars(gradient=0.3)
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model())
    assert found.local.n_neighbour > 0
    assert np.std(found.local.factor - factor) < 0.4 * np.std(factor)


def test_the_map_may_be_kept() -> None:
    _, curved, sky = stars()
    given = model(**{"extinction.residual_scatter_mag": 0.1})
    found = fit_reddening(
        curved, USUAL_OF_GROUP, sky, given, with_extinction=False, with_neighbours=False
    )
    np.testing.assert_array_equal(found.fit.factor, 1.0)
    np.testing.assert_allclose(found.fit.scatter, 0.05)
    assert (found.source == 3).all()


def test_curves_are_weighted_by_group() -> None:
    """A group that is not there says nothing of the reddening."""
    rng = np.random.default_rng(2)
    value = rng.random((5, len(GROUPS), FACTORS.size)).astype(np.float16)
    curves, others = Curves(value, np.zeros(5)), np.full(5, 0.3)
    weights = np.where(np.arange(len(GROUPS)) == BAR, 2.0, 0.0)
    total, least = _relative(curves, others, weights)
    expected = 2.0 * value[:, BAR].astype(float)
    largest = expected.max(axis=1)
    np.testing.assert_allclose(total, expected / largest[:, None], rtol=1e-5)
    # Relative to the same value, so that both keep their ratio.
    np.testing.assert_allclose(least, 0.3 / largest, rtol=1e-5)


def test_widths_are_scaled_and_nothing_else() -> None:
    _, curved, sky = stars(gradient=0.3)
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model())
    scaled = found.scaled(0.5)
    for name in ("scatter", "scatter_error"):
        np.testing.assert_allclose(getattr(scaled.fit, name), 0.5 * getattr(found.fit, name))
    for name in ("scatter", "scatter_all"):
        np.testing.assert_allclose(getattr(scaled.local, name), 0.5 * getattr(found.local, name))
    np.testing.assert_array_equal(scaled.fit.factor, found.fit.factor)
    np.testing.assert_array_equal(scaled.local.factor_all, found.local.factor_all)


@pytest.mark.parametrize("gradient", [0.0, 0.3])
def test_stars_are_reddened_as_a_later_run_would(gradient: float) -> None:
    """By their neighbours where these are used, else by their cell; elsewhere by the field."""
    _, curved, sky = stars(gradient=gradient)
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model())
    seen = reddened(curved.data, found, curved, sky, model())
    here = sky.of_star
    if found.local.n_neighbour:
        np.testing.assert_allclose(seen.e_jks_rc, 2.0 * found.local.factor)
        np.testing.assert_allclose(seen.tau, 2.0 * found.local.scatter)
    else:
        np.testing.assert_allclose(seen.e_jks_rc, 2.0 * found.fit.factor[here])
        np.testing.assert_allclose(seen.tau, 2.0 * found.fit.scatter[here])
    far = reddened(observations(np.array([0.18]), np.array([0.18])), found, curved, sky, model())
    cell = np.searchsorted(sky.cells, SKY.cell_index(far.l_deg, far.b_deg))
    np.testing.assert_allclose(far.e_jks_rc, 2.0 * found.fit.factor[cell])
    place, values = places_of(found.local, curved.data)
    assert (len(place) > 0) == (found.local.n_neighbour > 0)
    assert values.shape == (5, len(place))
    if len(place):
        np.testing.assert_array_equal(place, plane(curved.data.l_deg, curved.data.b_deg))


class Parts:
    """Evidences of stars that are seen at a place between bar and nuclear disc."""

    def __init__(self, x):
        self.x, self.taus = x, []

    def part_evidence(self, data, workers=1, *, lattices="own"):
        self.taus.append(float(np.median(data.tau)))
        out = np.zeros((data.n_star, len(PARTS)))
        for part, group in enumerate(GROUP_OF_PART):
            # Parts of one group are alike; their evidences are added.
            n = (group == GROUP_OF_PART).sum()
            out[:, part] = np.exp(-0.5 * ((self.x - group) / 0.7) ** 2) / n
        return out


@pytest.mark.slow
def test_numbers_of_stars_under_the_reddening_that_was_found() -> None:
    """Seven tenths of the nuclear stars of the model; what nothing explains is left out."""
    n = 6000
    _, curved, sky = stars(n)
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model(), with_neighbours=False)
    weights = np.array([1.0, 1.0, 0.7] + [0.0] * (len(GROUPS) - 3))
    rng = np.random.default_rng(3)
    x = rng.normal(rng.choice(len(GROUPS), n, p=weights / weights.sum()), 0.7)
    parts = Parts(x)
    used = model()
    used.posterior = parts
    density = np.full((sky.cells.size, len(GROUPS), FACTORS.size), np.sqrt(2.0 * np.pi) * 0.7)
    floor = np.full(n, -50.0)
    floor[:10] = -np.inf
    result = fit_numbers(
        curved.data, found, curved, sky, density, used, floor=floor, of_star=sky.of_star,
        free_scale=False, guess=None, workers=1,
    )  # fmt: skip
    assert result.n_star == n - 10
    ratio, error = result.ratio
    assert abs(ratio - 0.7) < 3.0 * error
    seen = reddened(curved.data, found, curved, sky, model())
    np.testing.assert_allclose(parts.taus, np.median(seen.tau))
    # With other widths the evidences are asked for again.
    parts.taus.clear()
    fit_numbers(
        curved.data, found, curved, sky, density, used, floor=floor, of_star=sky.of_star,
        free_scale=True, guess=None, workers=1,
    )  # fmt: skip
    assert len(set(parts.taus)) >= 3


def test_places_of_learned_agree_with_its_reader() -> None:
    """`reddened` is `Learned.reddening` of the same values."""
    _, curved, sky = stars(gradient=0.3)
    found = fit_reddening(curved, USUAL_OF_GROUP, sky, model())
    place, star = places_of(found.local, curved.data)
    learned = dataclasses.replace(
        nothing_learned("subcell_mean", load_law("wang_chen_2019")), cell=sky.cells,
        factor=found.fit.factor, scatter=found.fit.scatter, place=place, star=star,
    )  # fmt: skip
    data = curved.data
    e_jks, tau = learned.reddening(SKY, data.l_deg, data.b_deg, data.e_jks_rc, data.tau)
    seen = reddened(data, found, curved, sky, model())
    np.testing.assert_array_equal(seen.e_jks_rc, e_jks)
    np.testing.assert_array_equal(seen.tau, tau)
