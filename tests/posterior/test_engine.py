"""Draws follow the posterior; grouping, threads and batches change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gcmock.learned import USUAL_WEIGHTS, nothing_learned
from gcmock.model import Model, load_model
from gcmock.posterior import sightline
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import of_components
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS, PARTS


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(config=load_config(None, {"populations.name": "koshimoto2021"}))


def stars(n: int, mag=(17.6, 14.4, 12.9, np.nan), error=0.05, tau=0.1) -> Observations:
    """Reddened giants of various colours, along a few lines of sight."""
    rng = np.random.default_rng(3)
    l_deg = rng.choice([0.31, 0.36, -0.75, -1.2], n)
    mags = np.array(mag) + np.column_stack([rng.normal(0.0, s, n) for s in (0.6, 0.4, 0.3, 0.3)])
    nan = np.full(n, np.nan)
    return Observations(
        l_deg, np.full(n, -0.23), mags, np.full((n, 4), error), nan, nan,
        np.full(n, 3.6), np.full(n, tau),
    )  # fmt: skip


@pytest.mark.slow
def test_draws_follow_the_posterior(model) -> None:
    one = stars(5).take(slice(1))
    n_draws = 4000
    keys = np.stack([star_key(1, np.array([42]), r) for r in range(n_draws)], axis=1)
    _, draws = model.posterior.infer(one, keys)
    joint, _ = model.posterior.joint(one)
    fraction = joint[0].sum(axis=1)
    counts = np.bincount(draws.component[0], minlength=fraction.size)
    error = np.sqrt(n_draws * fraction * (1.0 - fraction)) + 1.0
    assert (np.abs(counts - n_draws * fraction) < 4.5 * error).all()
    cumulative = np.concatenate([[0.0], np.cumsum(joint[0].sum(axis=0))])
    rank = np.interp(draws.distance_pc[0], model.grid.edges_pc, cumulative)
    assert stats.kstest(rank, "uniform").pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("bands", [(0, 1, 2), (1, 2), (2,), (3,), (0, 1, 3)])
def test_drawn_magnitudes_scatter_like_the_errors(model, bands) -> None:
    """For stars that the model itself made: (observed - true) / error is a standard normal."""
    from gcmock.mock.simulate import simulate

    sky = simulate(model, (0.29, 0.33), (-0.25, -0.21), ks_max=14.5)
    rng = np.random.default_rng(1)
    n = 800
    pick = rng.choice(len(sky["l"]), n, replace=False)
    true = np.column_stack([sky[f"phot_{b}_mag"][pick] for b in ("j", "h", "ks", "hw")])
    mag = true + 0.05 * rng.normal(size=true.shape)
    mag[:, [b not in bands for b in range(4)]] = np.nan
    e_jks, tau = model.reddening(sky["l"][pick], sky["b"][pick])
    nan = np.full(n, np.nan)
    data = Observations(
        sky["l"][pick], sky["b"][pick], mag, np.full((n, 4), 0.05), nan, nan, e_jks, tau
    )  # fmt: skip
    _, draws = model.posterior.infer(data, star_key(5, np.arange(n))[:, None], workers=2)
    pull = (mag - draws.mag[:, 0]) / 0.05
    for band in bands:
        assert 0.8 < pull[:, band].std() < 1.2


@pytest.mark.slow
def test_threads_batches_and_order_do_not_matter(model, monkeypatch) -> None:
    data = stars(300)
    keys = star_key(7, np.arange(300))[:, None]
    summary, draws = model.posterior.infer(data, keys, workers=1)
    monkeypatch.setattr(sightline, "SIGHTLINES_AT_ONCE", 2)
    order = np.random.default_rng(1).permutation(300)
    shuffled = data.take(order)
    other_summary, other = model.posterior.infer(shuffled, keys[order], workers=2)
    for a, b in zip((*summary, *draws), (*other_summary, *other), strict=True):
        np.testing.assert_array_equal(np.asarray(a)[order], b)


def test_hopeless_stars_are_inflated_not_lost(model) -> None:
    data = stars(3, mag=(5.0, 15.0, 9.0, np.nan))
    summary, draws = model.posterior.infer(data, star_key(1, np.arange(3))[:, None])
    assert (summary.inflation > 0).all()
    np.testing.assert_allclose(summary.probability.sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(draws.distance_pc).all()
    assert np.isfinite(draws.mag).all()


def test_evidences_are_those_of_the_posterior(model) -> None:
    """Of all parts together, and by component with the probabilities; -inf where nothing helps."""
    data = stars(60)
    data.mag[0, :3] = [5.0, 15.0, 9.0]
    data.mag[1, :] = np.nan
    summary, _ = model.posterior.infer(data, np.empty((60, 0), np.uint64))
    parts = model.posterior.part_evidence(data, workers=2)
    assert parts.shape == (60, len(PARTS))
    log_z = model.posterior.log_evidence(data)
    clean = summary.inflation == 0
    assert clean.sum() > 30
    assert not clean[0]
    np.testing.assert_allclose(log_z[clean], summary.log_evidence[clean], rtol=1e-6)
    np.testing.assert_allclose(np.log(parts[clean].sum(axis=1)), log_z[clean], rtol=1e-12)
    assert (log_z[~clean] == -np.inf).all()
    of_component = of_components(parts, 1)[clean]
    share = of_component / of_component.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share, summary.probability[clean], atol=1e-5)
    # Without what is learned there is nothing younger.
    assert not parts[:, len(COMPONENTS) :].any()


def test_one_lattice_for_all_gives_the_same_evidences(model) -> None:
    data = stars(60)
    found = model.posterior.log_evidence(data, lattices="one")
    expected = model.posterior.log_evidence(data)
    good = np.isfinite(expected)
    np.testing.assert_allclose(found[good], expected[good], atol=0.02)


def test_younger_stars_of_a_component_are_its_stars(model) -> None:
    """With younger stars of the nuclear disc its probability is larger, and draws name it."""
    weights = USUAL_WEIGHTS.copy()
    weights[len(COMPONENTS) :] = 0.5
    learned = nothing_learned(model.config.extinction.map_value, model.law, weights, 0.0)
    young = model.with_learned(learned)
    data = stars(60)
    keys = star_key(1, np.arange(60))[:, None]
    plain, _ = model.posterior.infer(data, keys)
    summary, draws = young.posterior.infer(data, keys)
    nsd = COMPONENTS.index("nsd")
    assert summary.probability.shape == plain.probability.shape
    assert summary.probability[:, nsd].sum() > plain.probability[:, nsd].sum()
    assert draws.component.max() < len(COMPONENTS)
    parts = young.posterior.part_evidence(data)
    assert (parts[:, len(COMPONENTS) :].sum(axis=1) > 0.0).any()
    # What was there before is as it was, but for where the sums are refined.
    before = model.posterior.part_evidence(data)[:, : len(COMPONENTS)]
    away = np.abs(parts[:, : len(COMPONENTS)] - before).sum(axis=1)
    assert (away <= 0.01 * before.sum(axis=1)).all()


def test_no_stars(model) -> None:
    summary, draws = model.posterior.infer(stars(0), np.empty((0, 2), np.uint64))
    assert summary.probability.shape == (0, 11)
    assert draws.distance_pc.shape == (0, 2)
