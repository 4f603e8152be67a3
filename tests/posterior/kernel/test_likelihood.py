"""From the coarse grid to the posterior of every bin: nothing is lost on the way."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import likelihood
from gcmock.posterior.kernel.scratch import make_scratch
from gcmock.posterior.kernel.structures import MU_STEP, N_LANE, make_bins
from gcmock.posterior.kernel.vector import N_POPULATION

BINS = make_bins(np.geomspace(200.0, 16000.0, 121))
PRIOR = np.random.default_rng(8).random((120, N_LANE)).astype(np.float32)
PER_MAG = 40.0
KNOT = PER_MAG * np.arange(BINS.knot_mu.size) - PER_MAG * (BINS.mu[0] - BINS.knot_mu[0]) + 16.0


def linear(coarse, j, part, prior, i, post, evidence):
    """Python in place of the vectors: the fourth root between two points is a straight line."""
    post[i] = prior[i] * ((1.0 - part) * coarse[j] + part * coarse[j + 1]) ** 4
    evidence += post[i]
    return float(post[i].sum())


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.likelihood", "gcmock.posterior.kernel.coarse")
    monkeypatch.setattr(likelihood, "interpolate_lanes", linear)


@pytest.fixture
def work():
    made = make_scratch(16, BINS)
    made.knot[:], made.density[:] = KNOT, PER_MAG
    return made


def test_without_photometry_the_posterior_is_the_prior(work):
    total = likelihood.without_photometry(BINS, PRIOR, work)
    assert total == pytest.approx(PRIOR.sum(), rel=1e-6)
    np.testing.assert_array_equal(work.post, PRIOR)
    np.testing.assert_allclose(work.mass, PRIOR.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(work.evidence, PRIOR.sum(axis=0), rtol=1e-5)
    assert work.support.tolist() == [0, 120]


def test_parallax_and_sums():
    parallax = np.linspace(0.0, 1.0, 120).astype(np.float32)
    out = np.zeros_like(PRIOR)
    likelihood.with_parallax(PRIOR, parallax, out)
    np.testing.assert_allclose(out, PRIOR * parallax[:, None])
    assert likelihood._sum(parallax, 60) == pytest.approx(parallax[:60].sum(), rel=1e-6)


def test_points_of_the_grid_know_their_bin(work):
    for j in (16, 50, 150, 300):
        likelihood._locate(
            BINS.knot_mu[0], BINS.bin_of_mu, j, work.knot, work.density, work.mu_at, work.bin_at
        )
        mu = BINS.mu[0] + (j - 16) / PER_MAG
        assert work.mu_at[j] == pytest.approx(mu)
        edge_mu = 5.0 * np.log10(BINS.edge) - 5.0
        i = min(work.bin_at[j], 119)
        assert edge_mu[i] - MU_STEP <= min(mu, BINS.mu[-1]) <= edge_mu[i + 1] + MU_STEP


def test_expanded_grid_adds_up(work):
    """Posterior, mass, evidence and cells have one sum; beside the likelihood there is nothing."""
    n = 400
    work.coarse[100:140] = np.random.default_rng(9).random((40, N_LANE))
    work.reached[100:140] = 1
    total = likelihood.expand(BINS, PRIOR, n, 90, 150, work)
    first, last = work.support
    low, high = work.cells
    assert 0 < first < last < 120
    assert total > 0.0
    assert work.post[first:last].sum() == pytest.approx(total, rel=1e-5)
    assert work.mass[first:last].sum() == pytest.approx(total, rel=1e-5)
    assert work.evidence.sum() == pytest.approx(total, rel=1e-5)
    assert work.score[low:high].sum() == pytest.approx(total, rel=1e-5)
    at = 16.0 + PER_MAG * (BINS.mu - BINS.mu[0])
    inside = np.flatnonzero((at > 99.0) & (at < 140.0))
    assert first <= inside[0]
    assert last > inside[-1]
    # A cleared grid gives nothing.
    likelihood._clear(90, 150, work.coarse, work.score, work.reached, work.refine)
    assert likelihood.expand(BINS, PRIOR, n, 90, 150, work) == 0.0


def test_interpolated_are_points_between_negligible_ones(work, monkeypatch):
    monkeypatch.setattr(likelihood, "predict_lanes", lambda *given: given[-1].fill(0.5))
    coarse, score, reached, refine = work.coarse, work.score, work.reached, work.refine
    score[96], score[104], reached[96] = 1e-3, 2e-3, 1

    def skip(least, level=1, j=100, step=4):
        return likelihood._skip(j, level, step, least, coarse, score, reached, refine, work.guess)

    assert not skip(1e-3)
    assert (coarse[100] == 0.0).all()
    assert skip(1e-2)
    assert (coarse[100] == 0.5).all()
    assert reached[100] == 1
    # On the next level the point between decides, not the scores.
    assert skip(0.0, level=2, j=98, step=2)
    refine[100] = 1
    assert not skip(1.0, level=2, j=98, step=2)


def test_fraction_outside_of_an_ellipse_that_misses_half(work, monkeypatch):
    """The wider ellipse finds twice as much in the one population that the components have."""

    def sums_at(*given):
        given[-1].sums[:] = 0.0
        given[-1].sums[2] = 2.0 if given[-2] == likelihood.NODE_RADIUS2 else 1.0

    monkeypatch.setattr(likelihood, "_sums_at", sums_at)
    monkeypatch.setattr(likelihood, "profile", lambda *_: 1.0)
    work.cumulative[1:] = np.cumsum(PRIOR, axis=0)
    work.cells[:] = 100, 140
    red = SimpleNamespace(dust=SimpleNamespace(scatter=0.0), e_jks_rc=1.0, tau_rc=0.1)
    groups = np.full(N_LANE, N_POPULATION)
    groups[:4] = 2

    def fraction():
        return likelihood.fraction_outside(
            7, None, None, None, None, BINS, groups, red, likelihood.RADIUS2, work
        )

    # Without any posterior there is no place to look at.
    assert fraction() == 0.0
    work.score[120] = 1.0
    assert fraction() == pytest.approx(0.5)
