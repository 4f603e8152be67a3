"""Space motion, parallax, aberration and deflection against astropy and ERFA."""

from __future__ import annotations

import astropy.units as u
import erfa
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, get_body_barycentric, get_body_barycentric_posvel
from astropy.time import Time

from gcmock.astrometry.directions import displacement as motion
from gcmock.astrometry.directions import geometry
from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import CircularOrbit, Observer, OrbitTable, observer
from gcmock.astrometry.observations.reference_catalogue import moved

UAS = geometry.MAS / 1e3
EPOCHS = np.array([2031.3, 2034.5, 2035.1])


def random_stars(n=1000, seed=1):
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    half = n // 2
    # Half of them towards the Galactic centre.
    ra[:half], dec[:half] = rng.uniform(265, 268, half), rng.uniform(-31, -27, half)
    parallax = 10 ** rng.uniform(-1.3, 1.0, n)
    return MovingStars(
        ra, dec, parallax, *rng.normal(0, 8, (2, n)), rng.normal(0, 120, n), np.full(n, 2016.0)
    )


def as_skycoord(stars):
    return SkyCoord(
        stars.ra * u.deg,
        stars.dec * u.deg,
        distance=1000.0 / stars.parallax * u.pc,
        pm_ra_cosdec=stars.pmra * u.mas / u.yr,
        pm_dec=stars.pmdec * u.mas / u.yr,
        radial_velocity=stars.radial_velocity * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tcb"),
    )


def unit_vectors(ra, dec):
    """Unit vectors (n, 3) in extended precision where there is one."""
    a, d = np.radians(np.longdouble(ra)), np.radians(np.longdouble(dec))
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def test_space_motion_and_parallax_agree_with_astropy():
    stars = random_stars()
    place = observer(EPOCHS)
    found = apparent_directions(stars, EPOCHS, place)
    for k, epoch in enumerate(EPOCHS):
        then = as_skycoord(stars).apply_space_motion(Time(epoch, format="jyear", scale="tcb"))
        earth = get_body_barycentric("earth", Time(epoch, format="jyear", scale="tcb"), "builtin")
        xyz = (then.cartesian.xyz - earth.xyz[:, None]).to_value("au").T.astype(np.longdouble)
        xyz /= np.sqrt((xyz**2).sum(axis=1, keepdims=True))
        apart = np.sqrt(((unit_vectors(found.ra[:, k], found.dec[:, k]) - xyz) ** 2).sum(axis=1))
        # What is left is the light time across the motion, which the model leaves out.
        assert apart.max() < 0.02 * UAS
        assert np.median(apart) < 0.005 * UAS


def test_offsets_and_directions_agree():
    stars = random_stars()
    found = apparent_directions(stars, EPOCHS, observer(EPOCHS), aberration=True, deflection=True)
    xi, eta = geometry.tangent_offset(found.ra, found.dec, stars.ra[:, None], stars.dec[:, None])
    np.testing.assert_allclose(xi, found.xi, atol=0.001 * UAS)
    np.testing.assert_allclose(eta, found.eta, atol=0.001 * UAS)


def test_parallax_is_that_of_the_observer():
    """A star at the ecliptic pole moves on a circle of the size of its parallax."""
    pole = MovingStars(*(np.array([x]) for x in (270.0, 66.5607, 10.0, 0.0, 0.0, 0.0, 2030.0)))
    epochs = 2030.0 + np.linspace(0, 1, 50)
    found = apparent_directions(pole, epochs, observer(epochs))
    radius = np.hypot(found.xi, found.eta)[0] / geometry.MAS
    assert radius.mean() == pytest.approx(10.0, rel=0.01)
    assert np.ptp(radius) < 0.6  # eccentricity, and the Sun about the barycentre


def test_moved_parameters_agree_with_astropy():
    stars = random_stars()
    found = moved(stars, 2035.0)
    then = as_skycoord(stars).apply_space_motion(Time(2035.0, format="jyear", scale="tcb"))
    apart = unit_vectors(found.ra, found.dec) - unit_vectors(then.ra.deg, then.dec.deg)
    assert np.sqrt((apart**2).sum(axis=1)).max() < 0.02 * UAS
    np.testing.assert_allclose(found.parallax, 1000.0 / then.distance.to_value("pc"), rtol=5e-8)
    np.testing.assert_allclose(found.pmra, then.pm_ra_cosdec.to_value("mas/yr"), atol=1e-5)
    np.testing.assert_allclose(found.pmdec, then.pm_dec.to_value("mas/yr"), atol=1e-5)
    velocity = then.radial_velocity.to_value("km/s")
    np.testing.assert_allclose(found.radial_velocity, velocity, atol=1e-2)
    assert (found.ref_epoch == 2035.0).all()


def test_moving_there_and_back_restores_the_parameters():
    stars = random_stars()
    back = moved(moved(stars, 2040.0), 2016.0)
    for name in ("ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity"):
        np.testing.assert_allclose(getattr(back, name), getattr(stars, name), atol=1e-9, rtol=1e-11)


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


def test_orbit_is_sun_synchronous():
    orbit = CircularOrbit(600.0, 6.0)
    assert orbit.period_days * 1440 == pytest.approx(96.7, abs=0.05)
    assert np.degrees(orbit.inclination_rad) == pytest.approx(97.79, abs=0.02)
    time = 2032.0 + np.linspace(0, 1, 400)
    first, second = orbit.axes(time)
    normal = np.cross(first, second)
    sun = -observer(time).from_sun
    cosine = (normal * sun).sum(axis=1) / np.sqrt((sun**2).sum(axis=1))
    # The orbit stays near the terminator: the Sun is within 35 deg of its axis.
    assert np.abs(cosine).min() > np.cos(np.radians(35))


def test_velocity_of_the_orbit_is_the_derivative_of_its_position():
    orbit = CircularOrbit(600.0, 6.0)
    step = 1.0 / 86400 / 365.25
    time = np.array([2032.1, 2033.4])
    slope = (orbit(time + step)[0] - orbit(time - step)[0]) / 2.0
    np.testing.assert_allclose(orbit(time)[1], slope, atol=0.01)


def test_orbit_table_is_interpolated():
    orbit = CircularOrbit(600.0, 6.0)
    time = 2032.0 + np.arange(200) * 60.0 / 86400 / 365.25
    table = OrbitTable(time, *orbit(time))
    at = time[:-1] + 0.4 * np.diff(time)
    np.testing.assert_allclose(table(at)[0], orbit(at)[0], atol=0.05)
    near = observer(at, table)
    assert isinstance(near, Observer)
    apart = (near.position - observer(at).position) * motion.AU_KM
    np.testing.assert_allclose(np.sqrt((apart**2).sum(axis=1)), orbit.radius_km, rtol=1e-4)


def test_observer_is_at_the_earth_of_the_built_in_ephemeris():
    place = observer(EPOCHS)
    when = Time(EPOCHS, format="jyear", scale="tcb")
    earth, velocity = get_body_barycentric_posvel("earth", when, ephemeris="builtin")
    sun = get_body_barycentric("sun", when, ephemeris="builtin")
    np.testing.assert_allclose(place.position, earth.xyz.to_value("au").T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(place.velocity, velocity.xyz.to_value("km/s").T, rtol=1e-13)
    np.testing.assert_allclose(place.from_sun, (earth - sun).xyz.to_value("au").T, atol=1e-15)
