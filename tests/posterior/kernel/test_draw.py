"""Draws and summaries of a posterior, as plain Python."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from uncompiled import uncompile

from gcmock.posterior.kernel import draw
from gcmock.posterior.kernel.structures import Law, make_bins


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.draw", "gcmock.posterior.kernel.terms")


BINS = make_bins(np.array([1000.0, 2000.0, 4000.0, 8000.0]))


def test_parallax_likelihood_is_a_mean_over_the_bin():
    out = np.zeros(3)
    draw.parallax_likelihood(BINS, 0.4, 0.1, out)
    edges = 1000.0 / BINS.edge
    cdf = norm.cdf(edges, 0.4, 0.1)
    np.testing.assert_allclose(out, (cdf[:-1] - cdf[1:]) / (edges[:-1] - edges[1:]), rtol=1e-9)
    draw.parallax_likelihood(BINS, 5.0, 0.1, out)
    assert not out.any()


@pytest.mark.parametrize("x", [(-20.0, -19.5), (19.5, 20.0), (-0.5, 0.25)])
def test_mass_is_accurate_in_both_tails(x):
    low, high = np.array(x) * np.sqrt(0.5)
    expected = norm.sf(x[0]) - norm.sf(x[1]) if x[0] > 0.0 else norm.cdf(x[1]) - norm.cdf(x[0])
    assert draw._mass_between(low, high) == pytest.approx(expected, rel=1e-9)


def test_quantiles_and_mean_of_the_distance():
    mass = np.array([1.0, 2.0, 1.0])
    work = SimpleNamespace(evidence=np.array([3.0, 1.0]), support=(0, 3), mass=mass)
    probability, quantile = np.zeros(2), np.zeros(5)
    mean = draw.summarise(BINS, work, 4.0, probability, quantile)
    np.testing.assert_allclose(probability, [0.75, 0.25])
    assert mean == pytest.approx(0.25 * 1500.0 + 0.5 * 3000.0 + 0.25 * 6000.0)
    expected = np.interp(draw.QUANTILES, [0.0, 0.25, 0.75, 1.0], BINS.edge)
    np.testing.assert_allclose(quantile, expected)


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=8), st.floats(0.0, 1.0))
def test_pick_is_in_proportion(weights, u):
    weight = np.array(weights)
    pick = getattr(draw.pick, "py_func", draw.pick)
    k = pick(weight, weight.size, u, 0.0)
    if not weight.sum() > 0.0:
        assert k == -1
        return
    assert weight[k] > 0.0
    below, total = weight[:k].sum(), weight.sum()
    assert below <= u * total + 1e-9 * total
    assert u * total <= below + weight[k] + 1e-9 * total


def test_component_and_bin_are_drawn_together():
    post = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 4.0]])
    work = SimpleNamespace(evidence=post.sum(axis=0), support=(0, 3), post=post)
    u = (np.arange(8) + 0.5) / 8.0
    found = [draw.draw_component_and_bin(work, 8.0, x) for x in u]
    assert found == [(0, 1), (0, 1), (0, 2), (1, 0), (1, 2), (1, 2), (1, 2), (1, 2)]


def test_distance_inside_a_bin():
    assert draw.draw_distance(BINS, 1, np.nan, np.nan, 0.25) == 2500.0
    # A parallax that does not resolve the bin is not asked.
    assert draw.draw_distance(BINS, 1, 0.4, 100.0, 0.25) == 2500.0
    far, near = 0.25, 0.5
    u = 0.3
    mass = norm.cdf([far, near], 0.45, 0.05)
    parallax = norm.ppf(mass[1] - u * (mass[1] - mass[0]), 0.45, 0.05)
    found = draw.draw_distance(BINS, 1, 0.45, 0.05, u)
    assert found == pytest.approx(1000.0 / parallax, rel=1e-6)


LAW = Law(*(np.array([1.5, 0.9, 0.5]), np.array([0.8, -0.03, 0.0]), 3)[: len(Law._fields)])


def test_reddening_given_the_magnitudes():
    node, mu, e, tau = np.array([1.0, 0.5, 0.25]), 14.5, 2.0, 0.3
    mag = np.append(node + mu + LAW.kappa * 2.3, 0.0)
    variance = np.array([0.01, 0.02, 0.04, 1.0])
    precision = 1.0 / tau**2 + (LAW.kappa**2 / variance[:3]).sum()
    best = e + (LAW.kappa**2 / variance[:3]).sum() * 0.3 / precision
    found = draw.draw_reddening(7, mag, variance, LAW, node, mu, e, tau, 0.0)
    assert found == pytest.approx(best)
    more = draw.draw_reddening(7, mag, variance, LAW, node, mu, e, tau, 1.0)
    assert more - found == pytest.approx(precision**-0.5)
    assert draw.draw_reddening(7, mag, variance, LAW, node, mu, e, 0.0, 3.0) == e
    # Dust does not make stars bluer.
    assert draw.draw_reddening(0, mag, variance, LAW, node, mu, 0.1, 0.5, -9.0) == 0.0


def test_magnitudes_depart_by_the_error_of_the_observation(monkeypatch):
    monkeypatch.setattr(draw, "standard_normal", lambda key, counter: 0.0)
    node, mu, e = np.array([1.0, 0.5, 0.25]), 14.5, 2.0
    model = node + mu + LAW.kappa * e
    mag = np.append(model + 0.4, 0.0)
    out = np.zeros(4)
    draw.true_magnitudes(5, mag, np.full(4, 0.04), np.full(4, 0.01), LAW, node, mu, e, 1, 0, out)
    # A quarter of the variance is the model's own; the band that was not seen is the model's.
    np.testing.assert_allclose(out[:3], model + np.array([0.1, 0.0, 0.1]))
    x = out[0] - out[1]
    assert out[3] == pytest.approx(out[1] + 0.8 * x - 0.03 * x**2)
