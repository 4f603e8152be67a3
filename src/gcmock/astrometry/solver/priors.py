"""Reference stars: what is known of some stars before the solution, at its epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.astrometry.directions.geometry import MAS, triad
from gcmock.astrometry.observations.folder import (
    PARAMETERS,
    REFERENCE_COLUMNS,
    ObservationSet,
    correlation_names,
)
from gcmock.astrometry.solver.problem import Floats, Prior, shifted_sources, source_shift
from gcmock.errors import InputError
from gcmock.io.known_columns import check_columns, check_units
from gcmock.io.readers.opening import open_table
from gcmock.units import K

EXACT_ERROR: Final = 1e-4
"""Standard error of exact references [mas, mas/yr]: 0.1 micro-arcsec."""


@dataclass(frozen=True)
class References:
    """Reference stars at the epoch of a solution.

    Attributes
    ----------
    name : str
        What they are.
    source_id : ndarray of int64, shape (n,)
        Ascending.
    values : ndarray, shape (n, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    covariance : ndarray, shape (n, 5, 5)
        [mas, mas/yr].
    radial_velocity : ndarray, shape (n,)
        [km/s]; zero if unknown.
    """

    name: str
    source_id: NDArray[np.int64]
    values: Floats
    covariance: Floats
    radial_velocity: Floats

    def places(self, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of stars among the references, -1 for others."""
        if not len(self.source_id):
            return np.full(len(source_id), -1)
        at = np.minimum(np.searchsorted(self.source_id, source_id), len(self.source_id) - 1)
        return np.where(self.source_id[at] == source_id, at, -1)

    def has(self, source_id: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether stars are references."""
        return self.places(source_id) >= 0

    def radial_velocity_of(self, source_id: NDArray[np.int64]) -> Floats:
        """Radial velocities [km/s], zero if unknown."""
        at = self.places(source_id)
        out = np.zeros(len(at))
        out[at >= 0] = self.radial_velocity[at[at >= 0]]
        return out


def source_priors(references: References, source_id: NDArray[np.int64]) -> Prior:
    """Priors of stars; without one where they are no references."""
    at = references.places(source_id)
    known = at >= 0
    mean, precision = np.zeros((len(at), 5)), np.zeros((len(at), 5, 5))
    mean[known] = references.values[at[known]]
    covariance = references.covariance[at[known]]
    scale = np.sqrt(np.einsum("nii->ni", covariance))
    scaled = covariance / scale[:, :, None] / scale[:, None, :]
    precision[known] = np.linalg.inv(scaled) / scale[:, :, None] / scale[:, None, :]
    return Prior(mean, 0.5 * (precision + precision.transpose(0, 2, 1)))


def load_references(kind: str, folder: ObservationSet, epoch: float) -> References:
    """Load reference stars and propagate them to an epoch.

    Parameters
    ----------
    kind : str
        ``gaia-like``: the reference catalogue of the folder, with its covariances. ``exact``: the
        truth of the same stars, with errors of `EXACT_ERROR`. ``none``: no stars. Anything else is
        the name of a file with the columns of the reference catalogue.
    folder : ObservationSet
    epoch : float
        Julian year.

    Raises
    ------
    InputError
        If there is no such table, it lacks columns, or has no usable star.
    """
    empty = np.zeros(0)
    if kind == "none":
        return References(kind, np.zeros(0, np.int64), np.zeros((0, 5)), np.zeros((0, 5, 5)), empty)
    if kind == "exact":
        return _exact(folder, epoch)
    path = folder.path / "reference_gaia_like.parquet" if kind == "gaia-like" else Path(kind)
    table = _read(path)
    ok = np.isfinite(np.column_stack([table[n] for n in (*PARAMETERS, *_errors())])).all(axis=1)
    for name in ("ref_epoch", *(name for _, _, name in correlation_names())):
        gaps = ok & ~np.isfinite(table[name])
        if gaps.any():
            raise InputError(
                f"{path}: {name} is missing for {gaps.sum():,} stars with five parameters (first: "
                f"source_id {table['source_id'][gaps][0]}); complete or remove them"
            )
    if not ok.any():
        raise InputError(
            f"{path}: has no star with five parameters; give another file, or --reference none"
        )
    table = {name: values[ok] for name, values in table.items()}
    order = np.argsort(table["source_id"], kind="stable")
    table = {name: values[order] for name, values in table.items()}
    if (np.diff(table["source_id"]) == 0).any():
        raise InputError(f"{path}: a source_id occurs more than once")
    values = np.column_stack([table[name] for name in PARAMETERS])
    covariance = _covariance(path, table)
    zero = np.zeros(len(values))
    years = epoch - table["ref_epoch"]
    moved, covariance = propagated_priors(values, covariance, zero, years)
    return References(kind, table["source_id"].astype(np.int64), moved, covariance, zero)


def _exact(folder: ObservationSet, epoch: float) -> References:
    truth = folder.table("truth/sources.parquet")
    if len(np.unique(truth["source_id"])) != len(truth["source_id"]):
        raise InputError(f"{folder.path}: a source_id of truth/sources.parquet occurs twice")
    keep = np.ones(len(truth["source_id"]), bool)
    if (folder.path / "reference_gaia_like.parquet").is_file():
        listed = folder.table("reference_gaia_like.parquet")["source_id"]
        keep = np.isin(truth["source_id"], listed)
        if not keep.any():
            raise InputError(f"{folder.path}: the reference catalogue has no stars")
    order = np.flatnonzero(keep)[np.argsort(truth["source_id"][keep], kind="stable")]
    truth = {name: values[order] for name, values in truth.items()}
    values = np.column_stack([truth[name] for name in PARAMETERS])
    velocity = truth["radial_velocity"]
    moved = moved_sources(values, velocity, epoch - truth["ref_epoch"])
    covariance = np.broadcast_to(EXACT_ERROR**2 * np.eye(5), (len(order), 5, 5)).copy()
    return References("exact", truth["source_id"], moved, covariance, velocity)


def _errors() -> tuple[str, ...]:
    return tuple(f"{name}_error" for name in PARAMETERS)


def _read(path: Path) -> Columns:
    source = open_table(path)
    correlations = [name for _, _, name in correlation_names()]
    needed = ["source_id", *PARAMETERS, *_errors(), *correlations, "ref_epoch"]
    missing = [name for name in needed if name not in source.columns]
    if missing:
        raise InputError(f"{path}: a reference catalogue needs the columns {', '.join(missing)}")
    chunks = list(source.chunks(2_000_000, needed))
    columns = [c for c in REFERENCE_COLUMNS if c.name in needed]
    check_units(path, source.units, columns)
    table = {name: np.ma.concatenate([c[name] for c in chunks]) for name in needed}
    check_columns(path, table, columns, may_miss=needed[1:])
    if table["source_id"].dtype.kind not in "iu":
        raise InputError(f"{path}: source_id must be integers, as in the observations")
    table = {name: _plain(values) for name, values in table.items()}
    return {
        name: values.astype(np.int64 if name == "source_id" else np.float64)
        for name, values in table.items()
    }


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return values with NaN where they are masked."""
    if not np.ma.getmaskarray(values).any():
        return np.asarray(np.ma.getdata(values))
    return np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)


def _covariance(path: Path, table: Columns) -> Floats:
    error = np.column_stack([table[name] for name in _errors()])
    matrix = np.zeros((len(error), 5, 5))
    matrix[:, np.arange(5), np.arange(5)] = 1.0
    for i, j, name in correlation_names():
        matrix[:, i, j] = matrix[:, j, i] = table[name]
    good = np.asarray((error > 0).all(axis=1))
    good[good] &= np.linalg.eigvalsh(np.nan_to_num(matrix[good]))[:, 0] > 1e-12
    if not good.all():
        raise InputError(
            f"{path}: {(~good).sum():,} stars have errors and correlations that are no covariance "
            f"(first: source_id {table['source_id'][~good][0]})"
        )
    return matrix * error[:, :, None] * error[:, None, :]


def moved_sources(values: Floats, radial_velocity: Floats, years: Floats) -> Floats:
    """Five parameters of uniformly moving stars at another epoch.

    With f = |r + t (mu + r mu_r)|^-1: position f (r + t (mu + r mu_r)), parallax f plx, proper
    motion f^3 (mu (1 + t mu_r) - r mu^2 t), resolved along the new east and north (ESA 1997, The
    Hipparcos and Tycho Catalogues, vol. 1, 1.5.5; Butkevich & Lindegren 2014, A&A 570, A62).

    Parameters
    ----------
    values : ndarray, shape (n, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    radial_velocity : ndarray, shape (n,)
        [km/s].
    years : ndarray, shape (n,) or float
        Julian years.

    Returns
    -------
    ndarray, shape (n, 5)
    """
    t = np.broadcast_to(np.asarray(years, dtype=np.float64), len(values))
    ra, dec, parallax, pmra, pmdec = values.T
    a, d, m = pmra * MAS, pmdec * MAS, radial_velocity * parallax / K * MAS
    growth = 1.0 + t * m
    # Displacement as a gnomonic offset keeps all digits of the position.
    f = 1.0 / np.sqrt(growth**2 + t**2 * (a**2 + d**2))
    out = values.copy()
    zero = np.zeros_like(ra)
    shift = np.column_stack([t * a / growth / MAS, t * d / growth / MAS, zero, zero, zero])
    out[:, :2] = shifted_sources(values, shift)[:, :2]
    out[:, 2] = parallax * f
    p, q, r = np.array(triad(ra, dec)).reshape(3, 3, -1)
    p1, q1, _ = np.array(triad(out[:, 0], out[:, 1])).reshape(3, 3, -1)
    motion = f**3 * ((p * a + q * d) * growth - r * (a**2 + d**2) * t)
    out[:, 3] = (p1 * motion).sum(axis=0) / MAS
    out[:, 4] = (q1 * motion).sum(axis=0) / MAS
    return out


def propagated_priors(
    values: Floats, covariance: Floats, radial_velocity: Floats, years: Floats
) -> tuple[Floats, Floats]:
    """Five parameters and their covariances at another epoch: C becomes J C J'.

    The Jacobian J of `moved_sources` comes from central differences, exact to 1e-9 for a motion
    that is so nearly linear.

    Parameters
    ----------
    values : ndarray, shape (n, 5)
    covariance : ndarray, shape (n, 5, 5)
        [mas, mas/yr].
    radial_velocity : ndarray, shape (n,)
        [km/s], taken as known.
    years : ndarray, shape (n,)

    Returns
    -------
    values : ndarray, shape (n, 5)
    covariance : ndarray, shape (n, 5, 5)
    """
    moved = moved_sources(values, radial_velocity, years)
    jacobian = np.empty_like(covariance)
    for k in range(5):
        step = np.zeros_like(values)
        step[:, k] = 10.0
        ends = [
            moved_sources(shifted_sources(values, sign * step), radial_velocity, years)
            for sign in (1.0, -1.0)
        ]
        difference = source_shift(ends[0], moved) - source_shift(ends[1], moved)
        jacobian[:, :, k] = difference / 20.0
    return moved, jacobian @ covariance @ jacobian.transpose(0, 2, 1)
