"""Measured motions: the kernel against the readable formula, limits, and the true motions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcmock.mock.motion import conditioned, moments_of
from gcmock.model import Model
from gcmock.posterior import reference
from gcmock.posterior.kernel.motion import motion_nodes, observed_moments
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS

N = 40
NSD = COMPONENTS.index("nsd")


def make(motion, n=N, seed=1) -> Observations:
    """Reddened giants near the nuclear disc, with the same motion each or one per row."""
    rng = np.random.default_rng(seed)
    ks = rng.uniform(10.5, 13.5, n)
    red = rng.uniform(1.8, 3.0, n)
    mag = np.column_stack([ks + 0.9 + red, ks + 0.25 + 0.36 * red, ks, np.full(n, np.nan)])
    missing = np.full(n, np.nan)
    return Observations(
        np.full(n, 0.4), np.full(n, -0.1), mag, np.where(np.isfinite(mag), 0.07, np.nan), missing,
        missing, np.full(n, 2.3), np.full(n, 0.2),
        None if motion is None else columns(motion, n),
    )  # fmt: skip


def columns(motion, n=N) -> MeasuredMotion:
    """Measured motions from rows of the seven numbers, or one row for all stars."""
    return MeasuredMotion(*np.broadcast_to(motion, (n, 7)).T.copy())


def measured(pm_l=np.nan, pm_b=np.nan, error=1.0, correlation=0.0, rv=np.nan, rv_error=20.0):
    v = error**2 if np.isfinite(pm_l) else np.nan
    return np.array([pm_l, pm_b, v, correlation * v, 1.5 * v, rv, rv_error**2])


def by_reference(model: Model, data: Observations, i: int) -> np.ndarray:
    lines, index = model.sightlines.get(data.l_deg, data.b_deg)
    s = index[i]
    shape = lines.dust.at(s).value(model.grid.centre_pc)
    # The kernel takes the moments of a cell of the sky at its centre.
    moments = observed_moments(model.galaxy, 0.4125, -0.0875, model.grid.centre_pc)
    sightline = reference.Sightline(
        lines.prior[s, :, :11].T.astype(float), data.e_jks_rc[i] * shape, data.tau[i] * shape,
        model.law.rows[0], moments,
    )  # fmt: skip
    error = np.sqrt(data.mag_error[i] ** 2 + model.posterior.model_variance)
    star = reference.Star(data.mag[i], error, motion=data.motion.take(i))
    sets = model.populations
    return reference.joint(
        star,
        sightline,
        sets.populations,
        sets.of_component,
        model.grid,
        model.relations,
        model.motion,
    )


@pytest.mark.long
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.floats(-20.0, 15.0), st.floats(-8.0, 8.0), st.floats(0.05, 4.0), st.floats(-0.9, 0.9),
    st.floats(-400.0, 400.0), st.sampled_from(["pm", "rv", "both"]), st.integers(0, N - 1),
)  # fmt: skip
def test_kernel_agrees_with_the_formula(model, pm_l, pm_b, error, correlation, rv, what, i):
    motion = measured(
        pm_l if what != "rv" else np.nan, pm_b if what != "rv" else np.nan, error, correlation,
        rv if what != "pm" else np.nan,
    )  # fmt: skip
    data = make(motion).take(slice(i, i + 1))
    expected = by_reference(model, data, 0)
    found, log_evidence = model.posterior.joint(data, exact=True)
    total = expected.sum()
    assert 0.5 * np.abs(found[0] - expected / total).sum() < 0.02
    assert log_evidence[0] == pytest.approx(np.log(total), abs=0.02)


def test_large_errors_leave_the_posterior_as_it_was(model):
    """Without outliers and with them: P(c) within 1e-6 of that of photometry alone."""
    plain = model.posterior.joint(make(None))[0].sum(axis=2)
    for fraction in (0.0, 0.01):
        config = load_config(
            None, {"motion.outlier_fraction": fraction, "populations.name": "koshimoto2021"}
        )
        posterior = replace(model, config=config).posterior
        for motion in (
            measured(-4.0, 1.0, error=1e7, correlation=0.3),
            measured(rv=100.0, rv_error=1e8),
            measured(-4.0, 1.0, error=1e7, rv=100.0, rv_error=1e8),
        ):
            found = posterior.joint(make(motion))[0].sum(axis=2)
            assert np.abs(found - plain).max() < 1e-6


def test_stars_without_a_motion_are_untouched(model):
    """Beside stars that have one."""
    motion = np.full((N, 7), np.nan)
    motion[::2] = measured(-5.0, 0.0)
    found = model.posterior.joint(make(motion))[0]
    plain = model.posterior.joint(make(None))[0]
    np.testing.assert_array_equal(found[1::2], plain[1::2])
    assert np.abs(found[::2] - plain[::2]).sum() > 0.1


def test_motion_tells_the_nuclear_disc_and_its_near_side(model):
    """pm_b near zero and rotation: P(NSD) rises, and the mean distance follows the rotation."""

    def mean_of(motion):
        p = model.posterior.joint(make(motion))[0]
        nuclear = p[:, NSD]
        mean = (nuclear * model.grid.centre_pc).sum(axis=1) / nuclear.sum(axis=1)
        return nuclear.sum(axis=1).mean(), mean.mean()

    plain, _ = mean_of(None)
    slow, near = mean_of(measured(-4.0, -0.2, 0.3))
    fast, far = mean_of(measured(-8.5, -0.2, 0.3))
    hot, _ = mean_of(measured(-4.0, 7.0, 0.3))
    assert min(slow, fast) > plain > hot
    assert far - near > 80.0


def test_a_wild_motion_is_an_outlier(model):
    """Twenty sigma from everything: the posterior is that of photometry, not nonsense."""
    plain = model.posterior.joint(make(None))[0].sum(axis=2)
    found = model.posterior.joint(make(measured(900.0, -900.0, 0.5)))[0].sum(axis=2)
    assert np.abs(found - plain).max() < 1e-3


def test_nodes_cover_the_grid(model):
    nodes = motion_nodes(model.grid, 8160.0)
    assert nodes.bin[0] == 0
    assert nodes.bin[-1] == len(model.grid) - 1
    assert (nodes.fraction >= 0).all()
    assert (nodes.fraction <= 1).all()
    place = np.interp(np.arange(len(model.grid)), nodes.bin, np.arange(nodes.bin.size))
    np.testing.assert_allclose(nodes.before + nodes.fraction, place, atol=1e-5)


@pytest.mark.parametrize("component", ["thin5", "bar", "nsd", "nsc"])
def test_moments_are_those_of_drawn_velocities(model, component):
    rng = np.random.default_rng(3)
    at = 0.4, -0.1, 8120.0
    drawn = model.sample_observables(np.full(20_000, COMPONENTS.index(component)), *at, rng)
    seen = np.stack([drawn.pm_l_cosb, drawn.pm_b, drawn.radial_velocity], axis=1)
    mean, covariance = observed_moments(
        model.galaxy, *(np.array([x]) for x in at), only=COMPONENTS.index(component)
    )
    sigma = np.sqrt(np.diag(covariance[0, 0]))
    assert np.abs((seen.mean(axis=0) - mean[0, 0]) / sigma).max() < 0.04
    off = (np.cov(seen.T) - covariance[0, 0]) / np.outer(sigma, sigma)
    assert np.abs(off).max() < 0.08


class TestTrueMotion:
    """Draws given a measurement."""

    def setup_method(self):
        rng = np.random.default_rng(5)
        self.n = 40_000
        root = rng.normal(0.0, 1.0, (3, 3)) * np.array([[1.5], [1.0], [60.0]])
        self.covariance = np.broadcast_to(root @ root.T, (self.n, 3, 3)).copy()
        self.mean = np.broadcast_to([-5.0, 0.0, 50.0], (self.n, 3)).copy()
        self.true = self.mean + rng.normal(size=(self.n, 3)) @ root.T
        self.rng = rng
        self.errors = MotionModel(0.0, 0.0, 0.0)

    def observe(self, with_pm=True, with_rv=True):
        pm = np.array([[0.8, 0.3], [0.3, 0.5]])
        noise = self.rng.multivariate_normal([0, 0], pm, self.n)
        motion = np.full((self.n, 7), np.nan)
        if with_pm:
            motion[:, :2] = self.true[:, :2] + noise
            motion[:, 2:5] = pm[0, 0], pm[0, 1], pm[1, 1]
        if with_rv:
            motion[:, 5] = self.true[:, 2] + self.rng.normal(0.0, 15.0, self.n)
            motion[:, 6] = 15.0**2
        return motion

    def draw(self, motion):
        numbers = self.rng.uniform(1e-12, 1.0, (self.n, 4))
        return conditioned(
            self.mean, self.covariance, columns(motion, self.n), self.errors, numbers
        )

    @pytest.mark.parametrize(("pm", "rv"), [(True, True), (True, False), (False, True)])
    def test_draws_are_distributed_like_the_truth(self, pm, rv):
        """Over all stars: the distribution of the component, whatever the errors."""
        found, is_outlier = self.draw(self.observe(pm, rv))
        assert not is_outlier.any()
        scale = np.sqrt(np.outer(*[np.diag(self.covariance[0])] * 2))
        sigma = np.sqrt(np.diag(self.covariance[0]))
        assert np.abs((found.mean(axis=0) - self.mean[0]) / sigma).max() < 0.03
        off = np.cov(found.T) - self.covariance[0]
        assert np.abs(off / scale).max() < 0.04

    def test_observed_minus_true_scatters_by_the_error(self):
        motion = self.observe()
        found, _ = self.draw(motion)
        off = motion[:, :2] - found[:, :2]
        np.testing.assert_allclose(np.cov(off.T), [[0.8, 0.3], [0.3, 0.5]], atol=0.03)
        assert np.std(motion[:, 5] - found[:, 2]) == pytest.approx(15.0, rel=0.03)

    def test_precise_measurements_are_kept(self):
        motion = self.observe()
        motion[:, 2:5] = 1e-10, 0.0, 1e-10
        found, _ = self.draw(motion)
        np.testing.assert_allclose(found[:, :2], motion[:, :2], atol=1e-3)

    def test_outliers_are_told(self):
        self.errors = MotionModel(0.3, 10.0, 0.01)
        motion = self.observe(True, False)
        motion[: self.n // 2, :2] += 60.0
        _, is_outlier = self.draw(motion)
        assert is_outlier[: self.n // 2].all()
        assert is_outlier[self.n // 2 :].mean() < 0.01


def test_moments_of_mixed_components(model):
    component = np.array([NSD, 0, NSD, 8])
    at = np.full(4, 0.4), np.full(4, -0.1), np.array([8100.0, 500.0, 8200.0, 7000.0])
    mean, covariance = moments_of(model, component, *at)
    every = observed_moments(model.galaxy, *at)
    for i, c in enumerate(component):
        np.testing.assert_allclose(mean[i], every[0][i, c])
        np.testing.assert_allclose(covariance[i], every[1][i, c])


def test_results_do_not_depend_on_company(model):
    """The same star alone and among others, with threads."""
    motion = np.full((N, 7), np.nan)
    motion[::3] = measured(-5.0, 0.5, 0.7)
    data = make(motion)
    keys = star_key(1, np.arange(N), 0)[:, None]
    together, _ = model.posterior.infer(data, keys, 2)
    alone, _ = model.posterior.infer(data.take(slice(3, 4)), keys[3:4])
    np.testing.assert_array_equal(together.probability[3], alone.probability[0])
