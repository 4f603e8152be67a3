"""Rotation and proper motions: what is drawn is what the stars do."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from mock_rows import mock_rows, tally_of

from gcmock.frames import icrs_to_galactic_proper_motion
from gcmock.reporting.plots.motion import motion_moments, proper_motions, rotation
from gcmock.words.components import LABELS


@pytest.fixture
def axis():
    return Figure().add_subplot()


def moving(n=400, component="nsd"):
    rng = np.random.default_rng(4)
    return mock_rows([component] * n, pmra=rng.normal(-2.0, 2.0, n), pmdec=rng.normal(-4.0, 1.0, n))


def galactic(rows):
    return icrs_to_galactic_proper_motion(rows["ra"], rows["dec"], rows["pmra"], rows["pmdec"])


def test_moments_are_those_of_the_motions():
    rows = moving()
    pm = np.stack(galactic(rows))
    mean, covariance = motion_moments(tally_of(rows), "nsd")
    np.testing.assert_allclose(mean, pm.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(covariance, np.cov(pm, bias=True), rtol=1e-8)


def test_too_few_stars_have_no_moments():
    mean, covariance = motion_moments(tally_of(moving(2)), "nsd")
    assert np.isnan(mean).all()
    assert np.isnan(covariance).all()


def test_ellipses_are_those_of_the_covariance(axis):
    rows = moving()
    proper_motions(axis, tally_of(rows))
    one, two = (patch for patch in axis.patches if isinstance(patch, Ellipse))
    mean, covariance = motion_moments(tally_of(rows), "nsd")
    np.testing.assert_allclose(one.center, mean)
    assert two.width == pytest.approx(2.0 * one.width)
    # From width, height and angle back to the covariance.
    angle = np.radians(one.angle)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    size = np.diag([0.25 * one.width**2, 0.25 * one.height**2])
    np.testing.assert_allclose(turn @ size @ turn.T, covariance, rtol=1e-9)
    assert one.get_label() == f"{LABELS['nsd']}, 1 and 2 sigma"
    # The image holds every star whose motion lies in it.
    assert np.nansum(axis.images[0].get_array()) == 400
    assert axis.get_xlabel() == "µ(l) cos b [mas/yr]"


def test_bar_without_stars_has_no_ellipse(axis):
    proper_motions(axis, tally_of(moving(50, component="bar")))
    assert [p.get_label() for p in axis.patches][:1] == [f"{LABELS['bar']}, 1 and 2 sigma"]
    assert len(axis.patches) == 2


@pytest.mark.parametrize(("near", "radius"), [(True, 110.0), (False, 0.125)])
def test_rotation_is_the_mean_of_a_ring(axis, near, radius):
    # At (100, 0) pc the azimuthal velocity is vy.
    vy = np.tile([60.0, 100.0], 8)
    rows = mock_rows(["nsd"] * 16, vy=vy)
    rotation(axis, tally_of(rows), near=near)
    (bars,) = axis.containers
    x, y = bars.lines[0].get_data()
    assert (x.tolist(), y.tolist()) == ([pytest.approx(radius)], [80.0])
    (error,) = bars.lines[2][0].get_segments()
    # The error of the mean of 16 stars of dispersion 20.
    np.testing.assert_allclose(error[:, 1], [75.0, 85.0])
    (band,) = (c for c in axis.collections if c.get_alpha() == 0.10)
    spread = band.get_paths()[0].vertices[:, 1]
    assert (spread.min(), spread.max()) == (60.0, 100.0)
    assert axis.get_xlim() == (0.0, 500.0 if near else 10.0)


def test_rings_with_few_stars_are_not_shown(axis):
    rotation(axis, tally_of(mock_rows(["nsd"] * 11)))
    assert not axis.containers


def test_circular_velocity_of_the_model(axis):
    rotation(axis, tally_of(mock_rows(["bar"] * 12)), object())
    labels = axis.get_legend_handles_labels()[1]
    assert labels == ["circular velocity of the model", "bar"]
    curve = next(line for line in axis.lines if line.get_label().startswith("circular"))
    x, y = curve.get_data()
    at_sun = np.interp(8.2, x, y)
    assert 200.0 < at_sun < 260.0


def test_mean_rotation_of_the_nuclear_disc(axis):
    class Disc:
        def velocity_moments(self, x, y, z):
            return np.stack([0 * x, 0.3 * x, 0 * x], axis=1), None

    class Model:
        components = {"nsd": Disc()}  # noqa: RUF012

    rotation(axis, tally_of(mock_rows(["bar"] * 12)), Model(), near=True)
    curve = next(line for line in axis.lines if line.get_label().startswith("model"))
    np.testing.assert_allclose(curve.get_ydata(), 0.3 * curve.get_xdata())
    assert curve.get_xdata()[-1] == pytest.approx(500.0)
