"""From directions on the sky to field coordinates of an instrument, with partial derivatives.

Angles of directions are in degrees, small angles and field coordinates in radians. The functions
take scalars or arrays that broadcast; kernels compile them as they are.

Differences of coordinates are formed before any sine, so that field coordinates are good to their
last digit (1e-18 rad in a field of 0.5 degrees); rotated unit vectors end at 1e-16 rad, 2e-5
micro-arcsec.

Axes of an instrument: Z points at the field centre (ra, dec), Y at the position angle `roll` (from
north through east), X = Y x Z, so that roll = 0 has X to the east and Y to the north. With w the
direction in these axes, the field coordinates are gnomonic: x = w_X / w_Z, y = w_Y / w_Z.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.frames import full_circle

Nine = tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any]

MAS: Final = np.pi / 180.0 / 3600.0 / 1000.0
"""One milli-arcsecond in radians."""

DEG: Final = np.pi / 180.0


def triad(ra: Any, dec: Any) -> Nine:
    """Return unit vectors at a direction: p to the east, q to the north, r outwards; ICRS axes.

    Parameters
    ----------
    ra, dec : float or ndarray
        ICRS [deg].

    Returns
    -------
    px, py, pz, qx, qy, qz, rx, ry, rz : float or ndarray
        p is horizontal, so that ``pz`` is zero.
    """
    sin_ra, cos_ra = np.sin(ra * DEG), np.cos(ra * DEG)
    sin_dec, cos_dec = np.sin(dec * DEG), np.cos(dec * DEG)
    return (
        -sin_ra,
        cos_ra,
        0.0 * sin_ra,
        -sin_dec * cos_ra,
        -sin_dec * sin_ra,
        cos_dec,
        cos_dec * cos_ra,
        cos_dec * sin_ra,
        sin_dec,
    )


def star_in_frame(ra: Any, dec: Any, ra0: Any, dec0: Any, roll: Any) -> Nine:
    """Triad p, q, r of a star along the axes X, Y, Z of an instrument.

    Parameters
    ----------
    ra, dec : float or ndarray
        Star, ICRS [deg].
    ra0, dec0, roll : float or ndarray
        Attitude of the instrument [deg].

    Returns
    -------
    Xp, Xq, Xr, Yp, Yq, Yr, Zp, Zq, Zr : float or ndarray
        Row by row the matrix that turns components along p, q, r into components along X, Y, Z.
    """
    a = (ra - ra0) * DEG
    d, d0 = dec * DEG, dec0 * DEG
    sin_a, cos_a = np.sin(a), np.cos(a)
    versine = 2.0 * np.sin(0.5 * a) ** 2  # 1 - cos(a), without its loss of digits
    sin_d, cos_d, sin_d0, cos_d0 = np.sin(d), np.cos(d), np.sin(d0), np.cos(d0)
    difference = (dec - dec0) * DEG
    sin_difference, cos_difference = np.sin(difference), np.cos(difference)
    # Along the triad of the field centre: east, north, outwards.
    ep, eq, er = cos_a, -sin_d * sin_a, cos_d * sin_a
    np_, nq = sin_d0 * sin_a, cos_difference - sin_d0 * sin_d * versine
    nr = sin_difference + sin_d0 * cos_d * versine
    op, oq = -cos_d0 * sin_a, -sin_difference + cos_d0 * sin_d * versine
    or_ = cos_difference - cos_d0 * cos_d * versine
    sin_roll, cos_roll = np.sin(roll * DEG), np.cos(roll * DEG)
    return (
        cos_roll * ep - sin_roll * np_,
        cos_roll * eq - sin_roll * nq,
        cos_roll * er - sin_roll * nr,
        sin_roll * ep + cos_roll * np_,
        sin_roll * eq + cos_roll * nq,
        sin_roll * er + cos_roll * nr,
        op,
        oq,
        or_,
    )


def field_coordinates(
    ra: Any, dec: Any, east: Any, north: Any, radial: Any, ra0: Any, dec0: Any, roll: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Field coordinates of displaced stars, and their derivatives by the displacement.

    The direction is that of ``r + east p + north q + radial r`` with the triad of (ra, dec): see
    `gcmock.astrometry.directions.displacement.displacement`. It need not have unit length.

    Parameters
    ----------
    ra, dec : float or ndarray
        Reference direction of the star, ICRS [deg].
    east, north, radial : float or ndarray
        Displacement [rad].
    ra0, dec0, roll : float or ndarray
        Attitude [deg].

    Returns
    -------
    x, y : float or ndarray
        Gnomonic field coordinates [rad].
    x_east, x_north, y_east, y_north : float or ndarray
        Derivatives of x, y by `east` and `north`, that is by (alpha cos(delta), delta). The
        derivative by a parallax is ``-(x_east b_p + x_north b_q)`` with b the position of the
        observer in au, apart from a term of the order of the parallax squared; that by a proper
        motion is (t - t0) times the derivative by the position.
    """
    return projected(*star_in_frame(ra, dec, ra0, dec0, roll), east, north, radial)


def projected(
    xp: Any,
    xq: Any,
    xr: Any,
    yp: Any,
    yq: Any,
    yr: Any,
    zp: Any,
    zq: Any,
    zr: Any,
    east: Any,
    north: Any,
    radial: Any,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Project a displaced star: `field_coordinates` with the matrix of `star_in_frame`."""
    outwards = 1.0 + radial
    depth = zp * east + zq * north + zr * outwards
    x = (xp * east + xq * north + xr * outwards) / depth
    y = (yp * east + yq * north + yr * outwards) / depth
    return (
        x,
        y,
        (xp - x * zp) / depth,
        (xq - x * zq) / depth,
        (yp - y * zp) / depth,
        (yq - y * zq) / depth,
    )


def attitude_partials(x: Any, y: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Differentiate field coordinates by three small rotations of the instrument.

    A rotation e about X, Y, Z changes the direction in the axes of the instrument to w - e x w.

    Parameters
    ----------
    x, y : float or ndarray
        Field coordinates [rad].

    Returns
    -------
    x_eX, x_eY, x_eZ, y_eX, y_eY, y_eZ : float or ndarray
    """
    return x * y, -(1.0 + x * x), y, 1.0 + y * y, -x * y, -x


def turned(
    ra0: Any, dec0: Any, roll: Any, e_x: Any, e_y: Any, e_z: Any
) -> tuple[Floats, Floats, Floats]:
    """Attitude after a rotation about the axes of the instrument.

    Parameters
    ----------
    ra0, dec0, roll : float or ndarray
        Attitude [deg].
    e_x, e_y, e_z : float or ndarray
        Rotation vector [rad] along X, Y, Z: to first order w becomes w - e x w, as in
        `attitude_partials`. The rotation is applied in full.

    Returns
    -------
    ra0, dec0, roll : ndarray
        New attitude [deg]; roll in [0, 360).
    """
    ra0, dec0, roll, e_x, e_y, e_z = np.broadcast_arrays(ra0, dec0, roll, e_x, e_y, e_z)
    e = np.stack([e_x, e_y, e_z], axis=-1).astype(np.float64)
    z_new = _rotated(np.array([0.0, 0.0, 1.0]), e)
    y_new = _rotated(np.array([0.0, 1.0, 0.0]), e)
    sin, cos = np.sin(roll * DEG), np.cos(roll * DEG)

    def east_north(v: Floats) -> tuple[Floats, Floats]:
        return cos * v[..., 0] + sin * v[..., 1], -sin * v[..., 0] + cos * v[..., 1]

    xi, eta = (part / z_new[..., 2] for part in east_north(z_new))
    ra, dec = offset_direction(ra0, dec0, xi, eta)
    # Position angle of the new Y in the triad of the new centre: components along p', q'.
    east, north = east_north(y_new)
    ep, eq, _, np_, nq, _, op, oq, _ = star_in_frame(ra, dec, ra0, dec0, np.zeros_like(roll))
    along_p = ep * east + np_ * north + op * y_new[..., 2]
    along_q = eq * east + nq * north + oq * y_new[..., 2]
    return ra, dec, full_circle(np.degrees(np.arctan2(along_p, along_q)))


def _rotated(axis: Floats, e: Floats) -> Floats:
    """Axis of the instrument after the rotation, along the old axes (formula of Rodrigues)."""
    angle = np.sqrt((e**2).sum(axis=-1, keepdims=True))
    # (w - e x w) . axis = w . (axis + e x axis)
    cross = np.cross(e, axis)
    twice = np.cross(e, cross)
    half = 0.5 * angle
    return axis + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(half / np.pi) ** 2 * twice


def offset_direction(ra: Any, dec: Any, xi: Any, eta: Any) -> tuple[Any, Any]:
    """Direction at gnomonic offsets from another one.

    Parameters
    ----------
    ra, dec : float or ndarray
        Reference direction [deg].
    xi, eta : float or ndarray
        Offsets to the east and to the north in the tangent plane there [rad].

    Returns
    -------
    ra, dec : float or ndarray
        [deg], ra in [0, 360). The formula is exact; float64 degrees resolve 2e-4 micro-arcsec.
    """
    d = dec * DEG
    sin_d, cos_d = np.sin(d), np.cos(d)
    ahead = cos_d - eta * sin_d
    rho = np.sqrt(ahead * ahead + xi * xi)
    # rho - ahead, without its loss of digits where the pole is not passed
    excess = np.where(ahead > 0.0, xi * xi / (rho + np.abs(ahead)), rho - ahead)
    d_ra = np.arctan2(xi, ahead)
    d_dec = np.arctan2(eta - sin_d * excess, 1.0 + cos_d * excess)
    return full_circle(ra + d_ra / DEG), dec + d_dec / DEG


def tangent_offset(ra: Any, dec: Any, ra0: Any, dec0: Any) -> tuple[Any, Any]:
    """Gnomonic offsets (xi to the east, eta to the north) of a direction from another [rad].

    The inverse of `offset_direction`: arguments in degrees.
    """
    frame = star_in_frame(ra, dec, ra0, dec0, 0.0)
    return frame[2] / frame[8], frame[5] / frame[8]


class DistortionTerm(NamedTuple):
    """One unknown of the distortion: coefficient of P_i(x/h) P_j(y/h) on an axis."""

    axis: str
    degree_x: int
    degree_y: int


def distortion_terms(degree: int, min_degree: int = 1) -> tuple[DistortionTerm, ...]:
    """List the terms of a distortion that are not degenerate with the attitude.

    Constants are dropped (pointing), and the term (1, 0) of the y axis (roll); 17 terms are left
    of degree 3.

    Parameters
    ----------
    degree : int
        Largest total degree i + j.
    min_degree : int
        Smallest total degree, at least 1.

    Returns
    -------
    tuple of DistortionTerm
        The terms of x, then those of y, each by total degree, then by falling i.
    """
    pairs = [
        (total - j, j) for total in range(max(min_degree, 1), degree + 1) for j in range(total + 1)
    ]
    terms = [DistortionTerm(axis, i, j) for axis in ("x", "y") for i, j in pairs]
    return tuple(term for term in terms if term != ("y", 1, 0))


def legendre(x: Any, degree: int) -> Floats:
    """Legendre polynomials P_0 ... P_degree, shape (..., degree + 1)."""
    return np.asarray(np.polynomial.legendre.legvander(np.asarray(x), degree), dtype=np.float64)


def distortion_basis(
    x: Any, y: Any, half_field: float, terms: tuple[DistortionTerm, ...]
) -> tuple[Floats, Floats]:
    """Products of Legendre polynomials that multiply the coefficients of a distortion.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Undistorted field coordinates [rad].
    half_field : float
        Half of the field of view, h [rad]: the polynomials are in x / h and y / h.
    terms : tuple of DistortionTerm

    Returns
    -------
    basis_x, basis_y : ndarray, shape (n, n_term)
        ``dx = basis_x @ c``, ``dy = basis_y @ c`` in the unit of c; zero in the terms of the other
        axis.
    """
    highest = max((max(t.degree_x, t.degree_y) for t in terms), default=0)
    px, py = legendre(np.asarray(x) / half_field, highest), legendre(y / half_field, highest)
    basis_x, basis_y = np.zeros((len(px), len(terms))), np.zeros((len(px), len(terms)))
    for k, (axis, i, j) in enumerate(terms):
        (basis_x if axis == "x" else basis_y)[:, k] = px[:, i] * py[:, j]
    return basis_x, basis_y
