"""Probabilities of groups from parallax and proper motion: against plain kernel estimates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gcmock.astrometry.comparison import separation
from gcmock.astrometry.comparison.separation import MEASURES, _smoothing, group_probability

pytestmark = pytest.mark.usefixtures("interpreted")


def sky(n=(12, 18), seed=1, apart=2.0):
    """Measured and true astrometry of two groups, `apart` standard deviations from each other."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1], n)
    truth = rng.standard_normal((len(group), 3)) + apart * group[:, None]
    root = 0.3 * rng.standard_normal((len(group), 3, 6))
    covariance = root @ root.transpose(0, 2, 1)
    noise = np.einsum(
        "nij,nj->ni", np.linalg.cholesky(covariance), rng.standard_normal(truth.shape)
    )
    return truth + noise, covariance, truth, group


@pytest.mark.parametrize("use", MEASURES.values())
def test_densities_are_means_of_normal_distributions(use):
    measured, covariance, truth, group = sky()
    found = group_probability(measured, covariance, truth, group, 2, use)
    columns = list(use)
    log_p = np.empty((len(group), 2))
    for g in range(2):
        members = np.flatnonzero(group == g)
        smooth = _smoothing(truth[members][:, columns])
        for i in range(len(group)):
            others = members[members != i]
            wide = covariance[i][np.ix_(columns, columns)] + smooth
            each = [
                multivariate_normal.logpdf(measured[i, columns], truth[k, columns], wide)
                for k in others
            ]
            log_p[i, g] = logsumexp(each) - np.log(len(others)) + np.log(len(members))
    expected = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_groups_far_apart_are_told_apart():
    measured, covariance, truth, group = sky(apart=20.0)
    found = group_probability(measured, covariance, truth, group, 2, (0, 1, 2))
    assert (found[np.arange(len(group)), group] > 0.999).all()


def test_groups_without_stars_have_no_probability():
    measured, covariance, truth, group = sky()
    group = np.where(group == 0, 2, group)
    group[0] = 0  # a group of one
    found = group_probability(measured, covariance, truth, group, 4, (0,))
    assert (found[:, [0, 3]] == 0.0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_large_groups_are_sampled(monkeypatch):
    """Nine stars of a group stand for it; its number still counts."""
    monkeypatch.setattr(separation, "STARS_PER_GROUP", 9)
    measured, covariance, truth, group = sky((10, 90), apart=0.0)
    found = group_probability(measured, covariance, truth, group, 2, (1, 2))
    again = group_probability(measured, covariance, truth, group, 2, (1, 2))
    other = group_probability(measured, covariance, truth, group, 2, (1, 2), seed=2)
    np.testing.assert_array_equal(found, again)
    assert (found != other).any()
    assert found[:, 1].mean() == pytest.approx(0.9, abs=0.1)


def test_smoothing_is_that_of_scott_without_outliers():
    rng = np.random.default_rng(5)
    sample = rng.normal(0.0, 2.0, (400, 1))
    sample[:4] = 1e6
    low, high = np.quantile(sample, [0.025, 0.975])
    inner = sample[(sample >= low) & (sample <= high)]
    found = _smoothing(sample)
    np.testing.assert_allclose(found, [[inner.var(ddof=1) * 400 ** (-0.4) + 1e-8]], rtol=1e-12)
    assert found[0, 0] < 4.0 * 400 ** (-0.4)


def test_log_of_the_mean_does_not_overflow():
    x, inverse = np.array([[0.0], [1e3]]), np.ones((2, 1, 1))
    sample, own = np.array([[1e3], [1e3 + 2.0], [0.0]]), np.array([5, 6, 1])
    found = separation._log_mean(x, inverse, sample, own)
    # The third of the sample is the second star itself.
    assert found[0] == pytest.approx(-np.log(3.0))
    assert found[1] == pytest.approx(np.log((1.0 + np.exp(-2.0)) / 2.0))
