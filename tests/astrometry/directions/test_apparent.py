"""Apparent directions: space motion and parallax against astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import get_body_barycentric
from astropy.time import Time
from moving_stars import EPOCHS, UAS, as_skycoord, random_stars, unit_vectors

from gcmock.astrometry.directions import geometry
from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import observer


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
