"""Coordinate frames against astropy, and their round trips."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock import frames

SUN = {"r0_pc": 8160.0, "z_sun_pc": 25.0, "center_l_deg": -0.056, "center_b_deg": -0.046}
SUN_VELOCITY = (-10.0, 243.0, 7.0)

longitudes = st.floats(-180.0, 180.0)
latitudes = st.floats(-89.9, 89.9)
speeds = st.floats(-600.0, 600.0)


@pytest.fixture(scope="module")
def sky():
    rng = np.random.default_rng(1)
    ra = np.concatenate((rng.uniform(0, 360, 3000), [266.4168, 0.0, 192.8594812]))
    dec = np.concatenate((np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))), [-29.0078, 90.0, 27.1]))
    pm = rng.normal(size=(2, ra.size)) * 5.0
    coord = SkyCoord(
        ra * u.deg, dec * u.deg, pm_ra_cosdec=pm[0] * u.mas / u.yr, pm_dec=pm[1] * u.mas / u.yr
    )
    return ra, dec, pm, coord.galactic


def wrapped(angle):
    return (angle + 180.0) % 360.0 - 180.0


def test_positions_agree_with_astropy(sky):
    ra, dec, _, galactic = sky
    l, b = frames.icrs_to_galactic(ra, dec)
    separation = wrapped(l - galactic.l.deg) * np.cos(np.radians(b))
    assert np.abs(separation).max() < 1e-9
    assert np.abs(b - galactic.b.deg).max() < 1e-9
    assert l.min() > -180.0
    assert l.max() <= 180.0


@settings(deadline=None)
@given(st.floats(-720.0, 720.0))
def test_a_full_circle_is_zero(angle):
    for value in (angle, -1e-17, -1e-300, 360.0):
        found = float(frames.full_circle(value))
        assert 0.0 <= found < 360.0
        assert np.cos(np.radians(found - value)) == pytest.approx(1.0, abs=1e-12)
    assert np.isnan(frames.full_circle(np.nan))


def test_right_ascensions_stay_below_360():
    l_deg, b_deg = frames.icrs_to_galactic(np.array([0.0, -1e-14]), np.array([10.0, 10.0]))
    tiny = np.linspace(-4e-14, 4e-14, 81)
    ra, _ = frames.galactic_to_icrs(l_deg[0] + tiny, np.full(81, b_deg[0]))
    assert ((ra >= 0.0) & (ra < 360.0)).all()


def test_positions_round_trip(sky):
    ra, dec, _, _ = sky
    ra2, dec2 = frames.galactic_to_icrs(*frames.icrs_to_galactic(ra, dec))
    assert np.abs(wrapped(ra2 - ra) * np.cos(np.radians(dec))).max() < 1e-9
    assert np.abs(dec2 - dec).max() < 1e-9
    assert ra2.min() >= 0.0


def test_proper_motions_agree_with_astropy(sky):
    ra, dec, pm, galactic = sky
    use = np.abs(dec) < 89.9
    pm_l, pm_b = frames.icrs_to_galactic_proper_motion(ra, dec, *pm)
    size = np.hypot(*pm)
    assert (np.abs(pm_l - galactic.pm_l_cosb.value) / size)[use].max() < 1e-9
    assert (np.abs(pm_b - galactic.pm_b.value) / size)[use].max() < 1e-9
    back = frames.galactic_to_icrs_proper_motion(galactic.l.deg, galactic.b.deg, pm_l, pm_b)
    assert (np.abs(np.stack(back) - pm) / size)[:, use].max() < 1e-9


@given(longitudes, latitudes, st.floats(1.0, 20_000.0))
def test_model_frame_round_trip(l, b, distance):
    position = frames.galactic_to_model(l, b, distance, **SUN)
    l2, b2, distance2 = frames.model_to_galactic(*position, **SUN)
    assert distance2 == pytest.approx(distance, abs=1e-6)
    assert wrapped(l2 - l) * np.cos(np.radians(b)) * distance == pytest.approx(0.0, abs=1e-5)
    assert (b2 - b) * distance == pytest.approx(0.0, abs=1e-5)


def test_model_frame_origin_and_sun():
    assert frames.galactic_to_model(-0.056, -0.046, 8160.0, **SUN) == (0.0, 0.0, 0.0)
    x, y, z = frames.galactic_to_model(0.0, 0.0, 1e-9, **SUN)
    assert (x, y, z) == pytest.approx((8160.0, 7.98, 31.55), abs=0.01)


@given(longitudes, latitudes, st.floats(10.0, 20_000.0), speeds, speeds, speeds)
def test_velocity_round_trip(l, b, distance, vx, vy, vz):
    velocity = np.array([[vx, vy, vz]])
    seen = frames.velocity_to_observables(l, b, distance, velocity, SUN_VELOCITY)
    back = frames.observables_to_velocity(l, b, distance, *seen, SUN_VELOCITY)
    np.testing.assert_allclose(back, velocity, atol=1e-8)


def test_star_at_rest_mirrors_the_sun():
    seen = frames.velocity_to_observables(0.0, 0.0, 8160.0, np.zeros(3), SUN_VELOCITY)
    assert seen.pm_l_cosb == pytest.approx(-6.282, abs=1e-3)
    assert seen.pm_b == pytest.approx(-0.181, abs=1e-3)
    assert seen.radial_velocity == pytest.approx(-10.0)


def test_observables_agree_with_astropy():
    # the model frame is left-handed: its axes in Galactic Cartesian are -x, +y, +z
    rng = np.random.default_rng(2)
    l, b, d = rng.uniform(-180, 180, 200), rng.uniform(-85, 85, 200), rng.uniform(10, 9000, 200)
    v = rng.normal(size=(200, 3)) * 100.0
    seen = frames.velocity_to_observables(l, b, d, v, np.zeros(3))
    position = SkyCoord(l * u.deg, b * u.deg, d * u.pc, frame="galactic").cartesian.xyz
    star = SkyCoord(
        **dict(zip(("u", "v", "w"), position, strict=True)),
        **dict(zip(("U", "V", "W"), (v * [-1.0, 1.0, 1.0]).T * u.km / u.s, strict=True)),
        frame="galactic",
        representation_type="cartesian",
        differential_type="cartesian",
    )
    star.representation_type, star.differential_type = "spherical", "sphericalcoslat"
    np.testing.assert_allclose(seen.pm_l_cosb, star.pm_l_cosb.to_value("mas/yr"), rtol=3e-6)
    np.testing.assert_allclose(seen.pm_b, star.pm_b.to_value("mas/yr"), rtol=3e-6)
    np.testing.assert_allclose(seen.radial_velocity, star.radial_velocity.value, rtol=1e-9)
