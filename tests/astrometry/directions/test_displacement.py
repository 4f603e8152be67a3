"""Space motion, parallax, aberration and deflection as displacements."""

from __future__ import annotations

import erfa
import numpy as np
import pytest
from moving_stars import UAS

from gcmock.astrometry.directions import displacement as motion
from gcmock.astrometry.directions import geometry
from gcmock.units import K


def test_displacement_is_linear_in_time_and_against_the_observer():
    east, north, radial = motion.displacement(100.0, 3.0, -4.0, K, 2.0, 0.5, -0.25, 1.0)
    # Parallax shifts against the observer; K km/s at 10 pc is 100 mas/yr of recession.
    found = np.array([east, north, radial]) / geometry.MAS
    np.testing.assert_allclose(found, [2 * 3 - 50, -2 * 4 + 25, 2 * 100 - 100], atol=1e-12)


def test_constants():
    assert pytest.approx(4.07, abs=0.005) == motion.SUN_DEFLECTION_RAD / geometry.MAS
    assert np.degrees(motion.SUN_RADIUS_AU) * 3600 == pytest.approx(959.2, abs=0.1)


def test_an_observer_at_rest_sees_no_aberration():
    shift = (1e-3, -2e-3, 3e-3)
    vector = np.array(motion.aberrated(*shift, 0.0, 0.0, 0.0))
    np.testing.assert_allclose(directions_of(vector), directions_of(np.array(shift)), atol=1e-16)


def test_deflection_points_away_from_the_sun():
    rng = np.random.default_rng(6)
    from_sun = rng.normal(size=(50, 3))
    zero = np.zeros(50)
    east, north, _ = motion.deflected(zero, zero, zero, *from_sun.T)
    # n points from the Sun to the observer: the star moves along n, away from the Sun.
    assert (east * from_sun[:, 0] + north * from_sun[:, 1] > 0).all()
    np.testing.assert_allclose(east * from_sun[:, 1], north * from_sun[:, 0], atol=1e-20)


def directions_of(displaced):
    vector = np.stack([displaced[0], displaced[1], 1.0 + displaced[2]], axis=-1)
    return vector / np.sqrt((vector**2).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("speed_kms", [30.0, 7.5, 30000.0])
def test_aberration_agrees_with_erfa(speed_kms):
    rng = np.random.default_rng(3)
    shift = rng.normal(0, 1e-3, (100, 3))
    beta = rng.normal(size=(100, 3))
    beta *= speed_kms / motion.SPEED_OF_LIGHT_KMS / np.sqrt((beta**2).sum(axis=1))[:, None]
    found = directions_of(motion.aberrated(*shift.T, *beta.T))
    start = directions_of(shift.T)
    # Without the potential of the Sun, that is at a large distance from it.
    expected = erfa.ab(start, beta, 1e30, np.sqrt(1.0 - (beta**2).sum(axis=1)))
    assert np.abs(found - expected).max() < 1e-3 * UAS


def test_deflection_agrees_with_erfa():
    rng = np.random.default_rng(4)
    from_sun = rng.normal(size=(100, 3))
    from_sun /= np.sqrt((from_sun**2).sum(axis=1))[:, None]
    zero = np.zeros(100)
    found = directions_of(motion.deflected(zero, zero, zero, *from_sun.T))
    expected = erfa.ldsun(np.array([0.0, 0.0, 1.0]), from_sun, 1.0)
    # Both are of first order in the deflection, up to 0.06 arcsec here; they differ in the second.
    np.testing.assert_allclose(found[:, :2], expected[:, :2], rtol=1e-6, atol=1e-4 * UAS)


def test_deflection_at_right_angles_and_at_the_limb():
    east, _, _ = motion.deflected(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    assert east / geometry.MAS == pytest.approx(4.07, abs=0.01)
    at_limb = motion.deflected(0.0, 0.0, 0.0, np.sin(0.00465), 0.0, -np.cos(0.00465))
    assert at_limb[0] / geometry.MAS == pytest.approx(1751, rel=0.01)
    assert np.isfinite(motion.deflected(0.0, 0.0, 0.0, 0.0, 0.0, -1.0)).all()
