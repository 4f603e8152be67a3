"""Write the velocity moments of the nuclear star cluster that ship with gcmock.

The cluster is an isotropic rotator (Satoh's k = 1) in the axisymmetric potential of the black hole,
the cluster itself, the nuclear stellar disc and the bar. With tracer density ``nu(R, z)``:

    sigma^2  = 1/nu int_z^inf nu dPhi/dz' dz'
    v_phi^2  = R/nu int_z^inf (dnu/dR dPhi/dz' - dnu/dz' dPhi/dR) dz'

(Binney & Tremaine 2008, section 4.8; Satoh 1980, PASJ 32, 41). The second line equals
``R/nu d(nu sigma^2)/dR + R dPhi/dR`` after one integration by parts; unlike that difference of two
large numbers it keeps its digits next to the black hole.

Decisions
---------
Nuclear disc: the density of the model's own component (table of Sormani+2022), not the analytic
profile of Sormani+2020, whose mass (6.3e8 against 9.7e8 Msun) and shape differ: with the cluster
added, its circular velocity is 24 % above that of the Sormani+2022 model at 60 pc and 9 % below at
200 pc, while the table's is within 1.3 % everywhere between 30 and 200 pc.

Bar: included, averaged over azimuth. Its 16 Msun/pc3 at the centre raise sigma in the plane by
0.2 % at 10 pc, 3 % at 50 pc, 7 % at 100 pc and 17 % at 200 pc. The discs, a hundredth of that, and
the dark halo are left out.

Truncation: the Jeans integrals use the spheroid without its cut at 200 pc. The cut only marks where
the component is no longer counted; taken literally it would be a surface without pressure and
force sigma to zero at 200 pc. Inside, the spheroid's shells beyond the cut exert no force.

Clipping: beyond 51 pc the potential is so much flatter than the cluster that an isotropic tracer
needs v_phi^2 < 0, at worst -0.42 sigma^2. v_phi is 0 there: 9 % of the cluster's mass, where the
vertical Jeans equation still holds and the radial one does not.

``python tools/build_nuclear_cluster_moments.py [OUTPUT_DIR]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.constants import G
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from gcmock.data import read_toml
from gcmock.galaxy.galactic_model import GalacticModel, load_galactic_model
from gcmock.galaxy.moment_sources import azimuthal_mean, moment_sources
from gcmock.galaxy.nuclear_cluster import spheroid_density

FloatArray = NDArray[np.float64]
Force = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(R, z) in pc -> (dPhi/dR, dPhi/dz) in km2 s-2 pc-1."""

DATA = Path(__file__).resolve().parents[1] / "src" / "gcmock" / "data"
GRAVITY = G.to_value(u.pc * u.km**2 / u.s**2 / u.Msun)

OUTER_NODE_PC = 200.0
N_NODE = 140
MAX_HEIGHT_PC = 5000.0
"""End of the Jeans integrals; the tracer falls as z^-4."""


@dataclass(frozen=True)
class PointMass:
    """Black hole of `mass` Msun."""

    mass: float

    def __call__(self, radius: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient of the potential; see `Force`."""
        pull = GRAVITY * self.mass / np.hypot(radius, height) ** 3
        return pull * radius, pull * height


@dataclass(frozen=True)
class Spheroid:
    """Flattened Dehnen spheroid, as a tracer and as a source of gravity; units Msun, pc."""

    mass: float
    inner_slope: float
    scale_radius_pc: float
    axis_ratio: float

    def ellipsoidal_radius(self, radius: FloatArray, height: FloatArray) -> FloatArray:
        """Return ``a = sqrt(R^2 + z^2 / q^2)``."""
        return np.hypot(radius, height / self.axis_ratio)

    def density(self, a: FloatArray) -> FloatArray:
        """Msun pc-3 at ellipsoidal radius `a`."""
        return spheroid_density(
            a, self.mass, self.inner_slope, self.scale_radius_pc, self.axis_ratio
        )

    def density_slope(self, a: FloatArray) -> FloatArray:
        """``d rho / d a``, Msun pc-4."""
        falloff = self.inner_slope / a + (4.0 - self.inner_slope) / (a + self.scale_radius_pc)
        return -self.density(a) * falloff

    def __call__(self, radius: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient of the potential; see `Force`.

        Chandrasekhar's integral over confocal homeoids (Binney & Tremaine 2008, section 2.5),

            dPhi/dx_i = 2 pi G q x_i int_0^inf rho(m(u)) / [(a_i^2 + u) (1 + u) sqrt(q^2 + u)] du,

        with ``m^2 = R^2/(1 + u) + z^2/(q^2 + u)`` and ``1/sqrt(q^2 + u) = exp(-t)/q``, which
        resolves the cusp and the envelope alike.
        """
        node, weight = leggauss(64)
        t, weight = 12.0 * (node + 1.0), 12.0 * weight
        polar = np.exp(-t) / self.axis_ratio  # (q^2 + u)^(-1/2)
        equatorial = polar**2 / (1.0 + (1.0 - self.axis_ratio**2) * polar**2)  # 1/(1 + u)
        m = np.sqrt(radius[..., None] ** 2 * equatorial + (height[..., None] * polar) ** 2)
        # du = 2 (q^2 + u) dt
        fraction = self.density(m) * 2.0 * weight / polar * equatorial
        pull = 2.0 * np.pi * GRAVITY * self.axis_ratio
        return (
            pull * radius * np.sum(fraction * equatorial, axis=-1),
            pull * height * np.sum(fraction * polar**2, axis=-1),
        )


class AxisymmetricExpansion:
    """Gravity of an axisymmetric density, symmetric in z, by expansion in Legendre polynomials.

    The potential at (r, mu) is the sum over even l of ``-4 pi G P_l(mu) / (2 l + 1)`` times
    ``r^-(l+1) int_0^r rho_l s^(l+2) ds + r^l int_r^inf rho_l s^(1-l) ds``
    (Binney & Tremaine 2008, section 2.4).

    Parameters
    ----------
    density : callable
        (R, z) in pc -> Msun pc-3, any shape.
    max_order : int
        Highest l.
    n_radius, n_angle : int
        Samples of the density in log r from 0.01 to 10,000 pc, and in mu from 0 to 1.
    """

    def __init__(
        self,
        density: Callable[[FloatArray, FloatArray], FloatArray],
        max_order: int,
        n_radius: int,
        n_angle: int,
    ) -> None:
        radius = np.geomspace(0.01, 2.0 * MAX_HEIGHT_PC, n_radius)
        node, weight = leggauss(n_angle)
        mu, weight = 0.5 * (node + 1.0), 0.5 * weight
        order = np.arange(0, max_order + 1, 2)
        rho = density(radius[:, None] * np.sqrt(1.0 - mu**2), radius[:, None] * mu)
        rho_l = (rho * weight) @ legvander(mu, max_order)[:, order] * (2 * order + 1)
        step = np.log(radius[1] / radius[0])
        shell = rho_l * radius[:, None] ** 2
        inner = decaying_sum(shell, order + 1, step)
        inner += shell[0] / (order + 3) * np.exp(-np.outer(np.arange(n_radius), order + 1) * step)
        outer = decaying_sum(shell[::-1], order, step)[::-1]
        scale = -4.0 * np.pi * GRAVITY / (2 * order + 1)
        self._order = order
        self._limits = radius[0], radius[-1]
        self._potential = CubicSpline(np.log(radius), scale * (inner + outer))
        self._radial = CubicSpline(
            np.log(radius), scale * (order * outer - (order + 1) * inner)
        )  # r dPhi_l/dr

    def __call__(self, radius: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient of the potential; see `Force`."""
        r = np.hypot(radius, height)
        mu, sin = height / r, radius / r
        log_r = np.log(np.clip(r, *self._limits))
        legendre = legvander(mu, self._order[-1])
        # P'_l = P'_(l-2) + (2l - 1) P_(l-1)
        odd = legendre[..., 1::2] * (2 * self._order[1:] - 1)
        slope = np.concatenate([np.zeros_like(r)[..., None], np.cumsum(odd, axis=-1)], axis=-1)
        along_r = np.sum(self._radial(log_r) * legendre[..., ::2], axis=-1)
        along_mu = np.sum(self._potential(log_r) * slope, axis=-1)
        return (
            sin * (along_r - mu * along_mu) / r,
            (mu * along_r + sin**2 * along_mu) / r,
        )


def decaying_sum(values: FloatArray, rate: NDArray[np.int_], step: float) -> FloatArray:
    """``int_0^t values(s) exp(-rate (t - s)) ds`` at every sample, `values` linear in between.

    Parameters
    ----------
    values : ndarray (n, n_order)
        Samples at ``t = 0, step, 2 step, ...``.
    rate : ndarray (n_order,)
        Not negative.
    step : float

    Returns
    -------
    ndarray (n, n_order)
    """
    x = np.maximum(rate, 1) * step
    decay = np.exp(-x)
    new = step * np.where(rate > 0, 1.0 / x - (1.0 - decay) / x**2, 0.5)
    old = step * np.where(rate > 0, (1.0 - decay) / x**2 - decay / x, 0.5)
    keep = np.where(rate > 0, decay, 1.0)
    total = np.zeros_like(values)
    for i in range(1, len(values)):
        total[i] = keep * total[i - 1] + new * values[i] + old * values[i - 1]
    return total


def jeans_moments(
    tracer: Spheroid, forces: Sequence[Force], radius: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Isotropic rotator at given points (equations: docstring of this file).

    Parameters
    ----------
    tracer : Spheroid
        Density of the stars, up to a factor.
    forces : sequence of Force
        Everything that pulls.
    radius, height : ndarray (n,)
        R >= 0 and z >= 0, pc; not both zero.

    Returns
    -------
    sigma_squared, v_phi_squared : ndarray (n,)
        km2 s-2; `v_phi_squared` is negative where no isotropic rotator exists.
    """
    q = tracer.axis_ratio
    a = tracer.ellipsoidal_radius(radius, height)
    # z' = z + q a (e^t - 1): steps that grow with the distance from the cusp.
    node, weight = leggauss(96)
    t_end = np.log1p(MAX_HEIGHT_PC / (q * a))
    t = 0.5 * t_end[:, None] * (node + 1.0)
    weight = 0.5 * t_end[:, None] * weight * (q * a)[:, None] * np.exp(t)
    z = height[:, None] + (q * a)[:, None] * np.expm1(t)
    r = np.broadcast_to(radius[:, None], z.shape)
    pulls = [force(r, z) for force in forces]
    pull_r, pull_z = (np.sum(parts, axis=0) for parts in zip(*pulls, strict=True))
    along = tracer.ellipsoidal_radius(r, z)
    per_length = tracer.density_slope(along) / along  # dnu/dR = R x this, dnu/dz = z/q^2 x this
    here = tracer.density(a)
    sigma_squared = np.sum(weight * tracer.density(along) * pull_z, axis=1) / here
    torque = per_length * (r * pull_z - z / q**2 * pull_r)
    return sigma_squared, radius * np.sum(weight * torque, axis=1) / here


def defaults() -> GalacticModel:
    """Return the default model; the old table may not fit it, so its velocities are not read."""
    return load_galactic_model(nsc_kinematics="nuclear_disc")


def model_forces() -> tuple[Spheroid, list[Force]]:
    """Tracer of the model and what pulls its stars: black hole, cluster, nuclear disc, bar."""
    parameters = read_toml("nuclear_cluster.toml")
    shape = parameters["density"]
    cluster = Spheroid(
        shape["mass_msun"], shape["inner_slope"], shape["scale_radius_pc"], shape["axis_ratio"]
    )
    galaxy = defaults().components
    disc = AxisymmetricExpansion(azimuthal_mean(galaxy["nsd"]), 32, 1500, 256)
    bar = AxisymmetricExpansion(azimuthal_mean(galaxy["bar"]), 12, 400, 64)
    hole = PointMass(parameters["kinematics"]["black_hole_mass_msun"])
    return cluster, [hole, cluster, disc, bar]


def grid_nodes() -> FloatArray:
    """Nodes (N_NODE + 1,) of both axes, pc: 0, then logarithmic from the inner radius to 200 pc."""
    inner = read_toml("nuclear_cluster.toml")["kinematics"]["inner_radius_pc"]
    return np.concatenate([[0.0], np.geomspace(inner, OUTER_NODE_PC, N_NODE)])


def grid_moments(
    tracer: Spheroid, forces: Sequence[Force], radius: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Table values at points (n,): v_phi clipped at 0 and sigma, km/s.

    At the origin, where sigma diverges, the values are those on the axis at the innermost node.
    """
    origin = (radius == 0.0) & (height == 0.0)
    height = np.where(origin, grid_nodes()[1], height)
    sigma_squared, v_phi_squared = jeans_moments(tracer, forces, radius, height)
    return np.sqrt(np.maximum(v_phi_squared, 0.0)), np.sqrt(sigma_squared)


def build(output_dir: Path, input_dir: Path | None = None) -> Path:
    """Write ``nuclear_cluster_moments.npz``.

    Parameters
    ----------
    output_dir : Path
        Directory of the file.
    input_dir : Path, optional
        Not used (every table builder is called alike): the input is the packaged parameters and
        the packaged table of the nuclear disc.

    Returns
    -------
    Path
        The file: ``R_pc`` and ``z_pc`` (n,), ``v_phi`` and ``sigma`` (n, n) in km/s with axes R and
        ``|z|``, and the parameters behind them.
    """
    tracer, forces = model_forces()
    nodes = grid_nodes()
    columns = [grid_moments(tracer, forces, np.full_like(nodes, radius), nodes) for radius in nodes]
    v_phi, sigma = (np.array(part, dtype=np.float32) for part in zip(*columns, strict=True))
    output = output_dir / "nuclear_cluster_moments.npz"
    kinematics = read_toml("nuclear_cluster.toml")["kinematics"]
    np.savez_compressed(
        output,
        R_pc=nodes,
        z_pc=nodes,
        v_phi=v_phi,
        sigma=sigma,
        units="pc, km/s",
        model=kinematics["source"],
        gravitational_constant=GRAVITY,
        **moment_sources(defaults().components),
    )
    return output


def main() -> None:
    """Command line: ``[OUTPUT_DIR]``, by default the package's data directory."""
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA))


if __name__ == "__main__":
    main()
