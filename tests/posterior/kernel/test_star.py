"""One star of a block: its prior with motion and parallax, its variances, its reddening."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.posterior.kernel import star as module
from gcmock.posterior.kernel.arrangement import coordinate_rows
from gcmock.posterior.kernel.limits import limits_of
from gcmock.posterior.kernel.scratch import make_scratch
from gcmock.posterior.kernel.star import INFLATION_MAG, INFLATION_PARALLAX
from gcmock.posterior.kernel.structures import N_LANE, Law, Sightlines, StarBlock, make_bins
from gcmock.posterior.observations import MeasuredMotion

BINS = make_bins(np.geomspace(500.0, 16000.0, 61))
LAW = Law(np.array([1.5, 0.9, 0.5]), np.array([0.8, -0.03, 0.0]), 3)
PRIOR = np.random.default_rng(4).random((2, 60, N_LANE)).astype(np.float32)
SIGHTLINES = Sightlines(PRIOR, None, np.zeros((2, 0, 9, N_LANE), np.float32))
SHARED = SimpleNamespace(
    bins=BINS,
    sightlines=SIGHTLINES,
    law=LAW,
    table=SimpleNamespace(coordinates=coordinate_rows(7, LAW.kappa)),
    limits=limits_of((), 7),
)


@pytest.fixture(autouse=True)
def python(monkeypatch):
    names = ("star", "terms", "draw", "likelihood", "limits", "motion")
    uncompile(monkeypatch, *(f"gcmock.posterior.kernel.{name}" for name in names))


def stars(parallax=np.nan, error=np.nan, **motion):
    missing = MeasuredMotion.missing(1)
    return StarBlock(
        np.array([[17.0, 14.2, 12.7, np.nan]]), np.array([[0.01, 0.02, 0.005, np.nan]]),
        np.array([parallax]), np.array([error]), np.array([2.5]), np.array([0.2]), np.array([1]),
        missing._replace(**{key: np.array([value]) for key, value in motion.items()}),
    )  # fmt: skip


def test_without_parallax_and_motion_the_prior_is_that_of_the_sightline():
    work = make_scratch(16, BINS)
    prior, star, variance = module.prepare(stars(), 0, 7, 0, 0.0, SHARED, work)
    assert np.shares_memory(prior, PRIOR)
    np.testing.assert_array_equal(prior, PRIOR[1])
    np.testing.assert_array_equal(variance[:3], [0.01, 0.02, 0.005])
    tilted = module.prepare(stars(), 0, 7, 0, 0.9, SHARED, work)[1]
    assert tilted.w == pytest.approx(star.w + 0.9 * star.c)


def test_parallax_multiplies_the_prior_of_every_component_alike():
    """The ratio to the prior is the Gaussian of the parallax, up to a common factor."""
    parallax, error = 0.3, 0.1
    work = make_scratch(16, BINS)
    prior, _, _ = module.prepare(stars(parallax, error), 0, 7, 0, 0.0, SHARED, work)
    ratio = prior / PRIOR[1]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-5)
    expected = np.exp(-0.5 * ((1000.0 / BINS.centre - parallax) / error) ** 2)
    near = expected > 0.05
    shape = (ratio[:, 0] / expected)[near]
    np.testing.assert_allclose(shape / np.median(shape), 1.0, atol=0.05)
    np.testing.assert_array_equal(PRIOR, np.random.default_rng(4).random(PRIOR.shape).astype("f4"))


def test_inflated_errors(monkeypatch):
    errors = []
    monkeypatch.setattr(
        module, "parallax_likelihood", lambda b, p, error, out: errors.append(error)
    )
    for step in range(INFLATION_MAG.size):
        work = make_scratch(16, BINS)
        variance = module.prepare(stars(0.3, 0.1), 0, 7, step, 0.0, SHARED, work)[2]
        expected = np.array([0.01, 0.02, 0.005]) + INFLATION_MAG[step] ** 2
        np.testing.assert_allclose(variance[:3], expected)
    np.testing.assert_allclose(errors, 0.1 * INFLATION_PARALLAX)
    assert INFLATION_MAG[0] == 0.0
    assert INFLATION_PARALLAX[0] == 1.0


@pytest.mark.parametrize(
    ("given", "own"),
    [({}, False), ({"parallax": 0.1}, True), ({"pm_l": 1.0}, True),
     ({"radial_velocity": 5.0}, True), ({"pm_ll": 1.0}, False)],
)  # fmt: skip
def test_who_has_a_prior_of_its_own(given, own):
    assert module.has_own_prior(stars(**given), 0) == own


def test_motion_of_a_star():
    given = dict(zip(MeasuredMotion._fields, range(1, 8), strict=True))
    assert module.motion_of(stars(**given), 0)._asdict() == given
