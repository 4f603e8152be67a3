"""From the magnitudes of a survey to 2MASS and back, with errors.

Relations are linear in one colour. With all three bands they are one matrix. A missing band enters
through the colour only: it is replaced by what a giant behind dust would have, so that the relation
of the bands that are there is again a matrix, which is inverted exactly.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import AfterValidator, ConfigDict

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.words.bands import BAND_TABLE, SURVEY_BANDS


def _survey_band(name: str) -> str:
    if name not in SURVEY_BANDS:
        raise ValueError(f"expected one of {', '.join(SURVEY_BANDS)}")
    return name


SurveyBand = Annotated[str, AfterValidator(_survey_band)]
"""Name of a band that surveys measure."""

Colour = tuple[SurveyBand, SurveyBand]
"""Blue and red band of a colour."""

_GIANT = "giant_behind_dust"
_LARGEST = 2.0
_SINGULAR = 0.05


@dataclass(frozen=True)
class PhotometricSystem:
    """m = m_2MASS + slope (blue - red)_2MASS + offset, for J, H, Ks.

    Parameters
    ----------
    name : str
        Name in ``photometric_systems.toml``, or that of the survey whose definition has it.
    colours : tuple of 3 pairs of str
        Blue and red band of the colour of each band.
    slopes, offsets, scatter_mag : tuple of 3 floats
        Colour term, zero-point difference [mag] and scatter of stars about the relation [mag].
    valid_j_minus_ks : tuple of 2 floats
        2MASS colours for which the relation was measured [mag].
    source, status : str
        Where it comes from and how far to trust that.
    """

    name: str
    colours: tuple[Colour, Colour, Colour]
    slopes: tuple[float, float, float]
    offsets: tuple[float, float, float]
    scatter_mag: tuple[float, float, float]
    valid_j_minus_ks: tuple[float, float]
    source: str
    status: str

    # A survey of one's own can have its system in its definition.
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", allow_inf_nan=False)

    def __post_init__(self) -> None:
        """Refuse relations that are none between neighbouring systems, or cannot be inverted."""
        if any(abs(x) > _LARGEST for x in (*self.slopes, *self.offsets, *self.scatter_mag)):
            raise ValueError(f"slopes, offsets and scatter_mag: expected at most {_LARGEST:g} mag")
        if min(self.scatter_mag) < 0.0:
            raise ValueError("scatter_mag: expected zero or more")
        if self.valid_j_minus_ks[0] >= self.valid_j_minus_ks[1]:
            raise ValueError("valid_j_minus_ks: expected the smaller value first")
        if abs(np.linalg.det(self.matrix)) < _SINGULAR:
            raise ValueError("slopes: give magnitudes from which those of 2MASS do not follow")

    @property
    def matrix(self) -> Floats:
        """Matrix from 2MASS to this system, shape (3, 3)."""
        matrix = np.eye(len(SURVEY_BANDS))
        for band, ((blue, red), slope) in enumerate(zip(self.colours, self.slopes, strict=True)):
            matrix[band, SURVEY_BANDS.index(blue)] += slope
            matrix[band, SURVEY_BANDS.index(red)] -= slope
        return matrix


@cache
def _tables() -> dict[str, Any]:
    text = files("gcmock").joinpath("photometric_systems.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def system_names() -> tuple[str, ...]:
    """Return the names of the known systems."""
    return tuple(name for name in _tables() if name != _GIANT)


@cache
def load_system(name: str) -> PhotometricSystem:
    """Load a photometric system by name.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if name not in system_names():
        raise InputError(
            f"unknown photometric system {name!r}: expected one of {', '.join(system_names())}"
        )
    entry = _tables()[name]
    numbers: Any = {
        key: tuple(entry[key]) for key in ("slopes", "offsets", "scatter_mag", "valid_j_minus_ks")
    }
    colours: Any = tuple((blue, red) for blue, red in entry["colours"])
    return PhotometricSystem(
        name=name, colours=colours, source=entry["source"], status=entry["status"], **numbers
    )


class Filling(NamedTuple):
    """All three 2MASS magnitudes from those of some bands: ``m = matrix m_seen + offset``.

    Attributes
    ----------
    matrix : ndarray, shape (3, n_seen)
    offset : ndarray, shape (3,)
        [mag].
    sigma : ndarray, shape (3,)
        Standard deviation of the estimate of a missing band [mag], 0 for the others.
    """

    matrix: Floats
    offset: Floats
    sigma: Floats


@cache
def filling(seen: tuple[bool, bool, bool]) -> Filling:
    """Return how a giant behind dust fills missing bands, in the 2MASS system.

    Its colours are (J-H)0 + r E and (H-Ks)0 + E with E = E(H-Ks); see
    ``photometric_systems.toml`` for the numbers and their sources.

    Parameters
    ----------
    seen : tuple of 3 bool
        Whether J, H, Ks are there; at least one.
    """
    giant = _tables()[_GIANT]
    jh, hks, ratio = giant["j_minus_h"], giant["h_minus_ks"], giant["ratio_e_jh_over_e_hks"]
    # Magnitudes relative to Ks: intrinsic colour and reddening per E(H-Ks).
    intrinsic, growth = np.array([jh + hks, hks, 0.0]), np.array([1.0 + ratio, 1.0, 0.0])
    rows = np.flatnonzero(seen)
    missing = ~np.array(seen)
    matrix, offset = np.zeros((len(seen), rows.size)), np.zeros(len(seen))
    matrix[rows, np.arange(rows.size)] = 1.0
    if rows.size == 1:
        colour = intrinsic + growth * giant["e_hks"]
        matrix[missing] = 1.0
        offset[missing] = (colour - colour[rows[0]])[missing]
        width = giant["e_hks_scatter_mag"] * np.abs(growth - growth[rows[0]])
        return Filling(matrix, offset, np.hypot(width, giant["scatter_mag"]) * missing)
    if rows.size == 2:
        first, second = rows
        step = 1.0 / (growth[first] - growth[second])
        for band in np.flatnonzero(missing):
            along = (growth[band] - growth[second]) * step
            matrix[band] = along, 1.0 - along
            offset[band] = (
                intrinsic[band] - along * intrinsic[first] - (1.0 - along) * intrinsic[second]
            )
    return Filling(matrix, offset, giant["scatter_mag"] * missing)


class _Relation(NamedTuple):
    """``m = matrix m_2MASS + offset`` for the bands that are seen, and its variance [mag²]."""

    matrix: Floats
    offset: Floats
    variance: Floats


@cache
def _relation(system: PhotometricSystem, seen: tuple[bool, bool, bool]) -> _Relation:
    fill = filling(seen)
    rows = np.flatnonzero(seen)
    whole = system.matrix[rows]
    offset = whole @ fill.offset + np.array(system.offsets)[rows]
    variance = (whole**2 @ fill.sigma**2) + np.array(system.scatter_mag)[rows] ** 2
    return _Relation(whole @ fill.matrix, offset, variance)


def from_2mass(
    system: str | PhotometricSystem, mag: ArrayLike, error: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Turn 2MASS magnitudes into those of another system.

    Parameters
    ----------
    system : str or PhotometricSystem
        A system, or one of `system_names`.
    mag : ndarray, shape (n_star, 3)
        J, H, Ks in the 2MASS system [mag]; NaN where missing.
    error : ndarray, shape (n_star, 3), optional
        Their standard errors [mag], independent; 0 by default.

    Returns
    -------
    mag, error : ndarray, shape (n_star, 3)
        NaN where `mag` is. The error contains the scatter of stars about the relation and, where a
        band is missing, the uncertainty of its estimate.

    Raises
    ------
    InputError
        If the system is unknown or the shapes are wrong.
    """
    return _convert(system, mag, error, inverse=False)


def to_2mass(
    system: str | PhotometricSystem, mag: ArrayLike, error: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Turn magnitudes of a system into 2MASS magnitudes: the exact inverse of `from_2mass`.

    Parameters
    ----------
    system, mag, error
        See `from_2mass`; the magnitudes are those of `system`.

    Returns
    -------
    mag, error : ndarray, shape (n_star, 3)
        In the 2MASS system; see `from_2mass`.

    Raises
    ------
    InputError
        If the system is unknown or the shapes are wrong.
    """
    return _convert(system, mag, error, inverse=True)


def _convert(
    system: str | PhotometricSystem, mag: ArrayLike, error: ArrayLike | None, *, inverse: bool
) -> tuple[Floats, Floats]:
    chosen = load_system(system) if isinstance(system, str) else system
    given = np.asarray(mag, dtype=np.float64)
    sigma = np.asarray(np.zeros_like(given) if error is None else error, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(SURVEY_BANDS) or sigma.shape != given.shape:
        labels = [one.label for one in BAND_TABLE if one.name in SURVEY_BANDS]
        raise InputError(
            f"magnitudes of shape {given.shape}, errors of shape {sigma.shape}: "
            f"expected (n_star, {len(SURVEY_BANDS)}) for {', '.join(labels)}"
        )
    there = np.isfinite(given)
    # The first band has the highest place, as in the order of `product`.
    pattern = there @ (1 << np.arange(len(SURVEY_BANDS))[::-1])
    out, out_error = np.full_like(given, np.nan), np.full_like(given, np.nan)
    for number, seen in enumerate(product((False, True), repeat=len(SURVEY_BANDS))):
        stars = np.flatnonzero(pattern == number)
        if not number or not stars.size:
            continue
        rows = np.flatnonzero(seen)
        matrix, offset, variance = _relation(chosen, seen)
        if inverse:
            matrix = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
            offset, variance = -matrix @ offset, matrix**2 @ variance
        at = np.ix_(stars, rows)
        out[at] = _times(given[at], matrix) + offset
        out_error[at] = np.sqrt(_times(sigma[at] ** 2, matrix**2) + variance)
    return out, out_error


def _times(values: Floats, matrix: Floats) -> Floats:
    """``values @ matrix.T``, in which no star depends on how many there are.

    The matrix product of the library rounds differently for different numbers of rows.
    """
    columns = [sum(values[:, k] * row[k] for k in range(len(row))) for row in matrix]
    return np.column_stack(columns)
