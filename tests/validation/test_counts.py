"""Absolute counts: causes are named by numbers that can be followed by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.settings.build import load_config
from gcmock.validation import counts as module
from gcmock.validation.counts import (
    COLOUR_LIMITS,
    EDGES,
    CountMap,
    fit_colour,
    read_list,
    robust,
)
from gcmock.validation.tiles import REDDENINGS, make_tiles

N_BIN = EDGES.size - 1


def fall(rate, n_tile):
    """Counts that fall as exp(-rate E), the same in every bin."""
    curve = 500.0 * np.exp(-rate * REDDENINGS)
    return np.tile(curve[:, None], (n_tile, 1, N_BIN))


@pytest.fixture
def found():
    tiles = make_tiles((0.0, 1.0), (-0.5, 0.5), 0.1)
    n = tiles.l_deg.size
    e_jks = np.linspace(1.0, 4.0, n)
    expected = np.full((n, N_BIN), 20.0)
    return CountMap(tiles, 0.5 * expected, expected, 0.5 * expected, e_jks, 1.8)


def values(checks):
    return {check.quantity: check.value for check in checks}


def test_list_of_stars(tmp_path):
    path = tmp_path / "list.parquet"
    table = Table({"l": [359.5, 0.5], "b": [0.0, 0.1], "phot_hw_mag": [12.0, np.nan]})
    table["phot_hw_mag_error"] = 0.1
    table.write(path)
    l_deg, b_deg, mag = read_list(path, load_config())
    np.testing.assert_allclose(l_deg, [-0.5, 0.5])
    np.testing.assert_allclose(b_deg, [0.0, 0.1])
    np.testing.assert_array_equal(mag, [12.0, np.nan])
    table["phot_hw_mag"] = np.nan
    table.write(path, overwrite=True)
    with pytest.raises(InputError, match="--counts takes a list with phot_hw_mag"):
        read_list(path, load_config())


def test_record_is_json(found):
    record = json.loads(json.dumps(found.record()))
    assert record["observed"][0] == 10.0 * N_BIN
    assert record["expected"][0] == 20.0 * N_BIN
    assert record["expected_red"][0] == 10.0 * N_BIN
    assert record["tile_deg"] == 0.1
    assert len(record["l_deg"]) == len(record["e_jks"]) == 100


def test_scatter_of_a_gaussian():
    z = np.random.default_rng(0).standard_normal(50_000)
    assert robust(3.0 * z + 7.0) == pytest.approx(3.0, rel=0.02)
    # Outliers do not count.
    assert robust(np.concatenate((3.0 * z, np.full(500, 1e6)))) == pytest.approx(3.0, rel=0.04)


def test_likelihood_has_a_free_scale_in_every_bin():
    rng = np.random.default_rng(1)
    expected = rng.uniform(1.0, 30.0, (40, N_BIN))
    observed = rng.poisson(expected).astype(float)
    best = module._log_likelihood(observed, expected)
    scale = rng.uniform(0.1, 10.0, N_BIN)
    assert module._log_likelihood(observed, scale * expected) == pytest.approx(best)
    # A wrong pattern on the sky does.
    assert module._log_likelihood(observed, expected[::-1]) < best


@pytest.mark.slow
def test_bluest_colour_is_found_from_the_pattern(monkeypatch):
    """Counts rise with the reddening above a step, whose place depends on the limit."""
    tiles = make_tiles((0.0, 1.0), (0.0, 1.0), 0.1)
    e_jks = np.random.default_rng(3).uniform(0.5, 4.0, (100, 1))

    def red_fraction(limit):
        step = 0.0 if np.isinf(limit) else limit
        return 1.0 / (1.0 + np.exp(-6.0 * (REDDENINGS - 1.2 * step))) if step else np.ones(28)

    def count_curves(model, some, edges):
        return np.tile(50.0 * red_fraction(model)[:, None], (some.l_deg.size, 1, N_BIN))

    assert REDDENINGS.size == 28
    monkeypatch.setattr(module, "red_model", lambda model, limit: limit)
    monkeypatch.setattr(module, "count_curves", count_curves)
    true = np.interp(e_jks[:, 0], REDDENINGS, 50.0 * red_fraction(2.0))
    observed = np.random.default_rng(4).poisson(np.tile(true[:, None], (1, N_BIN))).astype(float)
    colour, gain = fit_colour(-np.inf, tiles, observed, e_jks)
    assert colour == 2.0
    assert gain > 10.0
    flat = np.random.default_rng(5).poisson(50.0, observed.shape).astype(float)
    assert fit_colour(-np.inf, tiles, flat, e_jks) == (COLOUR_LIMITS[0], 0.0)


def test_one_cause_after_the_other(found):
    n = found.tiles.l_deg.size
    curves, fine = fall(0.5, n), np.full((n, 4), 2.0)
    checks = module._budget(found.observed, curves, fine, fine, found, 0.2, {"n": 7})
    total = found.observed.sum()
    plain = n * N_BIN * 500.0 * np.exp(-1.0)
    by_name = values(checks)
    assert by_name["observed / expected, extinction: mean of the cells"] == pytest.approx(
        total / plain, rel=1e-5
    )
    words = "observed / expected, extinction: and a scatter of 0.2 mag below"
    # The mean of exp(-E/2) over a Gaussian of 0.2 mag.
    assert by_name[words] == pytest.approx(total / plain / np.exp(0.5 * 0.1**2), rel=1e-5)
    assert by_name["observed / expected, list: only J - H > 1.8, with 0.2 mag"] == 1.0
    assert {check.n for check in checks} == {7}


def test_where_it_differs(found):
    high = found.e_jks >= 3.5
    found.observed[high] *= 2.0
    found.observed[:, 0] *= 3.0
    by_name = values(module._where(found, {}))
    assert by_name["observed / expected red stars, 11 <= Hw < 12"] == pytest.approx(
        1.0 + high.mean()
    )
    faint = by_name["observed / expected red stars, 3.5 < E(J-Ks) < 4"]
    assert faint == pytest.approx(2.0 * (3.0 + N_BIN - 1) / N_BIN)
    # No tile is so red.
    assert not any("4.5 < E(J-Ks)" in name for name in by_name)
    parts = [name for name in by_name if "|b|" in name]
    assert len(parts) == 3


@pytest.mark.slow
def test_holes_and_scatter(found):
    n = found.tiles.l_deg.size
    rng = np.random.default_rng(6)
    spread = np.exp(0.3 * rng.standard_normal(n))
    mean = 1e4 * np.ones((n, N_BIN))
    observed = np.round(mean * spread[:, None])
    observed[:3] = 0.0
    found = CountMap(found.tiles, observed, mean, mean, found.e_jks, -np.inf)
    curves, fine = fall(0.5, n), found.e_jks[:, None]
    by_name = values(module._scatter(found, curves, fine, fine))
    assert by_name["holes: tiles with less than half the stars"] == 3.0
    assert by_name["fraction of the expected stars in holes"] == pytest.approx(0.03)
    rest = by_name["the same, trend with the reddening removed"]
    assert rest == pytest.approx(0.3, rel=0.25)
    # The counts fall by 0.5 per mag.
    error = by_name["error of E(J-Ks) per tile that makes the rest"]
    assert error == pytest.approx(rest / 0.5, rel=0.01)


def test_factor_on_the_reddening_that_makes_the_counts_right():
    curves, e_jks = fall(0.5, 10), np.full((10, 4), 2.0)
    observed = 10 * N_BIN * 500.0 * np.exp(-0.5 * 2.0 * 1.1)
    assert module._factor_of_unity(curves, e_jks, observed) == pytest.approx(1.1, abs=1e-3)
    assert np.isnan(module._factor_of_unity(curves, e_jks, 1e9))


def test_window_must_have_stars_and_a_map(tmp_path, monkeypatch):
    config = load_config()
    monkeypatch.setattr(module, "load_model", lambda config: SimpleNamespace(extinction_map=None))
    one = (np.array([0.05]), np.array([0.05]), np.array([12.0]))
    monkeypatch.setattr(module, "read_list", lambda *_: one)
    with pytest.raises(InputError, match=r"no star with 9.5 <= Hw < 14.5 in the window"):
        module.counts_checks(tmp_path, config, (1.0, 1.1), (0.0, 0.1))
    monkeypatch.setattr(module, "reddenings_of", lambda sky, tiles, kind: np.full((1, 4), np.nan))
    with pytest.raises(InputError, match="window of --counts reaches beyond the extinction map"):
        module.counts_checks(tmp_path, config, (0.0, 0.1), (0.0, 0.1))
