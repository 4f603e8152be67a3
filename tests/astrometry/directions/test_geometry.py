"""Field coordinates, their derivatives, attitudes and the basis of the distortion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.directions import geometry

UAS = geometry.MAS / 1e3
RNG = np.random.default_rng(1)
N = 2000
ATTITUDE = RNG.uniform(0, 360, N), RNG.uniform(-89, 89, N), RNG.uniform(0, 360, N)
STAR = geometry.offset_direction(*ATTITUDE[:2], *RNG.normal(0, 3e-3, (2, N)))
SHIFT = RNG.normal(0, 1e-6, (3, N))


def long_triad(ra, dec):
    """Triad of directions in extended precision, each (3, n)."""
    pi = np.arctan2(np.longdouble(0), np.longdouble(-1))
    a, d = np.longdouble(ra) * pi / 180, np.longdouble(dec) * pi / 180
    p = np.stack([-np.sin(a), np.cos(a), 0 * a])
    q = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    return p, q, np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="no extended precision here")
def test_field_coordinates_against_rotations_in_extended_precision():
    p, q, r = long_triad(*STAR)
    east, north, out = long_triad(*ATTITUDE[:2])
    roll = np.longdouble(ATTITUDE[2]) * np.arctan2(np.longdouble(0), np.longdouble(-1)) / 180
    axis_x = np.cos(roll) * east - np.sin(roll) * north
    axis_y = np.sin(roll) * east + np.cos(roll) * north
    u = r + SHIFT[0] * p + SHIFT[1] * q + SHIFT[2] * r
    depth = (u * out).sum(axis=0)
    x, y, *_ = geometry.field_coordinates(*STAR, *SHIFT, *ATTITUDE)
    np.testing.assert_allclose(x, ((u * axis_x).sum(axis=0) / depth).astype(float), atol=1e-4 * UAS)
    np.testing.assert_allclose(y, ((u * axis_y).sum(axis=0) / depth).astype(float), atol=1e-4 * UAS)


def test_axes_without_roll_are_east_and_north():
    x, y, *_ = geometry.field_coordinates(266.01, -28.98, 0, 0, 0, 266.0, -29.0, 0.0)
    assert x == pytest.approx(np.radians(0.01) * np.cos(np.radians(29)), rel=1e-3)
    assert y == pytest.approx(np.radians(0.02), rel=1e-3)
    # +y towards the east
    turned = geometry.field_coordinates(266.01, -28.98, 0, 0, 0, 266.0, -29.0, 90.0)
    assert turned[:2] == pytest.approx((-y, x))


def test_derivatives_by_the_position():
    step = 1e-5
    _, _, *found = geometry.field_coordinates(*STAR, *SHIFT, *ATTITUDE)
    for column, axis in enumerate((0, 1)):
        low, high = SHIFT.copy(), SHIFT.copy()
        low[axis] -= step
        high[axis] += step
        minus = geometry.field_coordinates(*STAR, *low, *ATTITUDE)
        plus = geometry.field_coordinates(*STAR, *high, *ATTITUDE)
        for row in (0, 1):
            slope = (plus[row] - minus[row]) / (2 * step)
            np.testing.assert_allclose(found[2 * row + column], slope, atol=1e-9)


def test_derivatives_by_the_attitude():
    x, y, *_ = geometry.field_coordinates(*STAR, *SHIFT, *ATTITUDE)
    partials = geometry.attitude_partials(x, y)
    for axis in range(3):
        e = np.zeros(3)
        e[axis] = 1e-6
        plus = geometry.field_coordinates(*STAR, *SHIFT, *geometry.turned(*ATTITUDE, *e))
        minus = geometry.field_coordinates(*STAR, *SHIFT, *geometry.turned(*ATTITUDE, *-e))
        np.testing.assert_allclose((plus[0] - minus[0]) / 2e-6, partials[axis], atol=3e-9)
        np.testing.assert_allclose((plus[1] - minus[1]) / 2e-6, partials[3 + axis], atol=3e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3))
def test_turning_back_restores_the_attitude(e):
    ra, dec, roll = (np.array([values[i] for i in range(5)]) for values in ATTITUDE)
    there = geometry.turned(ra, dec, roll, *e)
    back = geometry.turned(*there, *(-np.array(e)))
    assert np.abs((back[0] - ra + 180) % 360 - 180).max() < 1e-8
    np.testing.assert_allclose(back[1], dec, atol=1e-9)
    assert np.abs((back[2] - roll + 180) % 360 - 180).max() < 1e-8


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 359.99), st.floats(-89.9, 89.9), st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_offsets_round_trip(ra, dec, xi, eta):
    found = geometry.tangent_offset(*geometry.offset_direction(ra, dec, xi, eta), ra, dec)
    # Right ascensions near 360 degrees are rounded to 3e-14 degrees, 5e-16 rad, several times.
    assert found == pytest.approx((xi, eta), abs=3e-15)


def test_offset_across_the_pole():
    ra, dec = geometry.offset_direction(10.0, 89.9, 0.0, np.tan(np.radians(0.3)))
    assert (ra, dec) == pytest.approx((190.0, 89.8))


def test_terms_of_the_distortion():
    terms = geometry.distortion_terms(3)
    assert len(terms) == 17
    assert ("x", 1, 0) in terms
    assert ("y", 1, 0) not in terms
    assert all(1 <= term.degree_x + term.degree_y <= 3 for term in terms)
    assert len(geometry.distortion_terms(3, min_degree=2)) == 14
    assert geometry.distortion_terms(0) == ()


def test_basis_of_the_distortion():
    terms = geometry.distortion_terms(3)
    x, y = np.array([0.005, 0.001]), np.array([0.005, -0.002])
    basis_x, basis_y = geometry.distortion_basis(x, y, 0.005, terms)
    k = terms.index(("x", 2, 1))
    # Legendre polynomials are 1 at the edge.
    assert basis_x[0, k] == pytest.approx(1.0)
    assert basis_x[1, k] == pytest.approx((3 * 0.2**2 - 1) / 2 * -0.4)
    assert basis_y[0, k] == 0.0
    assert basis_y[:, terms.index(("y", 0, 3))] == pytest.approx([1.0, (5 * -0.064 + 3 * 0.4) / 2])
