"""What a star must have passed: band by band, and against integrals that are done by sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from uncompiled import uncompile

from gcmock.posterior.kernel import limits as module
from gcmock.posterior.kernel.structures import Law
from gcmock.words.limits import parse_limits

LAW = Law(np.array([1.5, 0.9, 0.5]), np.array([0.8, -0.03, 0.0]), 3)
TEXTS = ("j-h > 2.1 +- 0.1", "ks < 13 +- 0.2")
NODE = np.array([-4.6, -5.3, -5.5]) + 14.5
E, TAU = 2.4, 0.3


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.limits", "gcmock.posterior.kernel.terms")


def of_star(mask, mag, texts=TEXTS):
    out = module.no_limits()
    variance = np.full(4, 0.05**2)
    found = module.limits_of(parse_limits(texts), mask)
    module.limits_of_star(mask, mag, variance, found, out)
    return out


def magnitudes(e):
    j, h, ks = (m + k * e for m, k in zip(NODE, LAW.kappa, strict=True))
    x = j - h
    return np.array([j, h, ks, h + 0.8 * x - 0.03 * x**2])


def test_limits_of_observed_bands_say_nothing():
    assert module.limits_of(parse_limits(TEXTS), 7).value.size == 0
    assert module.limits_of(parse_limits(TEXTS), 3).value.tolist() == [13.0]
    assert module.limits_of(parse_limits(TEXTS), 4).value.tolist() == [2.1]
    assert module.limits_of(parse_limits(TEXTS), 8).value.size == 2
    assert module.limits_of(parse_limits(TEXTS), 0).value.size == 0


def test_what_was_observed_enters_as_it_was():
    """With H observed, J - H > 2.1 is a limit in J."""
    out = of_star(2, np.array([np.nan, 11.5, np.nan, np.nan]))
    assert out.n_limit[0] == 2
    assert out.value[0] == pytest.approx(2.1 + 11.5)
    assert out.coefficient[0].tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("mask", [4, 2, 8, 12])
def test_probability_is_the_integral_over_the_reddening(mask):
    """Of one limit, given the magnitudes: Σ_e p(e | m) Φ(...)."""
    truth = magnitudes(E + 0.1)
    seen = np.array([bool(mask >> b & 1) for b in range(4)])
    mag = np.where(seen, truth + 0.02, np.nan)
    star = of_star(mask, mag, TEXTS[:1])
    e = np.linspace(E - 6 * TAU, E + 6 * TAU, 4001)
    every = np.stack([magnitudes(x) for x in e])
    log_p = norm.logpdf(e, E, TAU) + norm.logpdf(mag[seen], every[:, seen], 0.05).sum(axis=1)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    colour = np.where(seen[:2], mag[:2], every[:, :2])
    passing = norm.cdf((colour[:, 0] - colour[:, 1] - 2.1) / 0.1)
    best, variance = module.best_reddening(mask, LAW, *NODE, E, TAU, star)
    assert best == pytest.approx((p * e).sum(), abs=0.01)
    found = module.passes(LAW, *NODE, best, variance, star)
    assert found == pytest.approx((p * passing).sum(), abs=0.01)


def test_reddening_without_scatter_is_known():
    star = of_star(4, magnitudes(E))
    assert module.best_reddening(4, LAW, *NODE, E, 0.0, star) == (E, 0.0)


def test_rows_of_a_colour_pass_as_nodes_do():
    """A row with the node's colours, the magnitude and the reddening known."""
    mag = magnitudes(E)
    star = of_star(8, mag)
    p, k = LAW.relation, LAW.kappa
    row = module.passes_in_row(
        NODE[0] - NODE[1], NODE[1] - NODE[2], E, 0.0, mag[3], 0.0, *k, *p, star
    )
    assert row == pytest.approx(module.passes(LAW, *NODE, E, 0.0, star), rel=1e-9)


def test_reddenings_that_are_drawn_pass(monkeypatch):
    rng = np.random.default_rng(5)
    monkeypatch.setattr(module, "uniform_scalar", lambda key, at: rng.random())
    star = of_star(8, magnitudes(E), ("j-h > 2.1 +- 0.01",))
    colour = [np.diff(magnitudes(e)[1::-1])[0] for e in (
        module.passing_reddening(LAW, NODE, 0.0, E - 0.3, E, TAU, 1, star) for _ in range(200)
    )]  # fmt: skip
    assert min(colour) > 2.05


def test_neutral_colours_follow_the_bright_stars():
    mag = np.array([[1.0, 6.0, 0.0], [0.4, 5.4, -0.8], [0.3, 5.1, -1.0]])
    found = module.neutral_colours(mag, np.ones(3))
    places = np.rint((np.array([0.6, 0.8]) - module.H_KS_FROM) / module.H_KS_STEP).astype(int)
    np.testing.assert_allclose(found[places], [0.1, 0.2], atol=0.002)
    assert np.isfinite(found).all()
