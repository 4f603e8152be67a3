"""What was learned from the stars of a list: the reading side of ``gcmock calibrate``.

Extinction, law, numbers of stars, errors, cases of measurements and the zero point of parallaxes,
as `gcmock.calibration` writes them. What is not in the list, or could not be learned from it, has a
prior whose width enters the posterior in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gcmock.arrays import Floats
from gcmock.dust.extinction_map import MAP_VALUES, ExtinctionMap, MapValue
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.cases import CASES, usual_fractions
from gcmock.words.components import COMPONENTS, PARTS
from gcmock.words.limits import Limit, parse_limits

__all__ = ["Learned", "load_learned", "nothing_learned"]

MAP_FACTOR_ERROR: Final = 0.05
"""Error of a map's reddening as a whole, over the reddening: an assumption of the order of what
maps of the same sky differ by."""

MAP_SCATTER_MAG: Final = 0.1
"""Scatter of single stars about a map where none of them was looked at [mag in E(J-Ks)], an
assumption: 100 VVV stars of one field in the plane scatter by more, those of the bulge at b = -2
deg by less."""

PROFILE_SCATTER: Final = 0.7
PROFILE_SCATTER_ERROR: Final = 0.2
"""Scatter of the dust in front of the stars about a smooth layer, as a fraction of it, and the
width of the prior of that. E(J-Ks) of six open clusters at 0.9 to 2.3 kpc within a few degrees of
the centre (Cantat-Gaudin et al. 2020, A&A 640, A1) is 0.43 to 1.5 times that of the layer: 0.42
r.m.s., over a mean (1 - s)² of 0.62 (`gcmock.dust.profile.scatter_at`)."""

CELLS_PER_FIELD, FIELDS_IN_B = 8, 100_000
"""Cells along the side of a field (0.2 deg), and the factor in its number."""

_FACTORS: Final = (0.05, 20.0)
_SCATTERS: Final = (0.0, 10.0)

SAME_STAR_DEG: Final = 0.03 / 3600.0
"""A star this close to one that was learned from is that star."""

USUAL_WEIGHTS: Final = np.array([1.0] * len(COMPONENTS) + [0.0] * (len(PARTS) - len(COMPONENTS)))
"""Factors on the numbers of stars of the parts where nothing was learned."""
USUAL_WEIGHTS.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Learned:
    """What the stars of a list say about themselves.

    Parameters
    ----------
    path : str
        File that it comes from.
    sha256 : str
        Its checksum.
    map_value : str
        Value of the map that the factors refer to (`ExtinctionMap.value`).
    law : ExtinctionLaw
        The law that was fitted, or the one that was assumed.
    cell : ndarray of int64, shape (n_cell,)
        Flat indices of the cells of the map that were learned, increasing.
    factor, scatter : ndarray, shape (n_cell,)
        Mean and standard deviation of the reddening over the map's, the latter with the error of
        the mean.
    place : ndarray, shape (n_star, 2)
        Stars that refine their surroundings: (l cos b, b) [deg].
    star : ndarray, shape (5, n_star)
        Factor and scatter of the star from its neighbours, the same at its place with itself, and
        the radius to which that holds [deg].
    weights : ndarray, shape (n_part,)
        Factors on the numbers of stars of the parts.
    error_scale, error_floor_mag : ndarray, shape (n_linear,)
        Factors on the stated errors of J, H, Ks, and what is added in quadrature [mag].
    case_fraction : ndarray, shape (n_case,)
        Fractions of the cases of measurements.
    zero_point_mas, parallax_scale : float
        Zero point of the parallaxes [mas] and factor on their errors.
    doubt_class, doubt_limit : ndarray, shapes (n_class,) and (n_class, n_bin)
        Which stars are worth a look at other cases, see `gcmock.posterior.doubt`.
    limits : tuple of Limit
        What the list was cut at, as it shows.
    zero_point_error_mas : float
        Standard error of the zero point of the parallaxes [mas].
    profile_scatter : float
        Scatter of the dust in front of the stars, as a fraction of it
        (`gcmock.dust.profile.scatter_at`).
    frame_masyr, frame_error_masyr : ndarray, shape (2,)
        Offset of the frame of the proper motions in pm_l cos b and pm_b, and its standard errors
        [mas/yr].
    motion_scale : float
        Factor on the errors of the proper motions.
    """

    path: str
    sha256: str
    map_value: MapValue
    law: ExtinctionLaw
    cell: NDArray[np.int64]
    factor: Floats
    scatter: Floats
    place: Floats
    star: Floats
    weights: Floats
    error_scale: Floats
    error_floor_mag: Floats
    case_fraction: Floats
    zero_point_mas: float
    parallax_scale: float
    doubt_class: NDArray[np.int64]
    doubt_limit: Floats
    limits: tuple[Limit, ...] = ()
    zero_point_error_mas: float = 0.0
    profile_scatter: float = PROFILE_SCATTER
    frame_masyr: Floats = field(default_factory=lambda: np.zeros(2))
    frame_error_masyr: Floats = field(default_factory=lambda: np.zeros(2))
    motion_scale: float = 1.0

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.place)

    def reddening(
        self, sky: ExtinctionMap, l_deg: Floats, b_deg: Floats, e_jks: Floats, scatter: Floats
    ) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the reddening.

        Parameters
        ----------
        sky : ExtinctionMap
        l_deg, b_deg : ndarray, shape (n_star,)
            Galactic coordinates, l in -180 ... 180 [deg].
        e_jks, scatter : ndarray, shape (n_star,)
            What the map says, `map_value` of it [mag].

        Returns
        -------
        e_jks, tau : ndarray, shape (n_star,)
            [mag]. Where nothing was learned: the map, with what maps are wrong by.
        """
        tau = np.sqrt(scatter**2 + (MAP_FACTOR_ERROR * e_jks) ** 2 + MAP_SCATTER_MAG**2)
        factor = np.ones_like(e_jks)
        relative = np.full_like(e_jks, np.nan)
        at, known = self._of_cell(sky.cell_index(l_deg, b_deg))
        factor[known], relative[known] = self.factor[at[known]], self.scatter[at[known]]
        if len(self.place):
            xy = np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])
            inside = np.flatnonzero(np.isfinite(xy).all(axis=1) & known)
            distance, near = self._tree.query(xy[inside])
            own = distance < SAME_STAR_DEG
            beside = ~own & (distance < self.star[4, near])
            for which, row in ((own, 0), (beside, 2)):
                factor[inside[which]] = self.star[row, near[which]]
                relative[inside[which]] = self.star[row + 1, near[which]]
        tau = np.where(np.isfinite(relative), relative * e_jks, tau)
        return factor * e_jks, tau

    def knows(self, sky: ExtinctionMap, l_deg: ArrayLike, b_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether the reddening at positions [deg] was learned, shape (n_star,)."""
        return self._of_cell(sky.cell_index(l_deg, b_deg))[1]

    def _of_cell(self, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Places of cells in `cell`, and whether they are there."""
        if not self.cell.size:
            return np.zeros(index.shape, np.int64), np.zeros(index.shape, np.bool_)
        at = np.minimum(np.searchsorted(self.cell, index), self.cell.size - 1)
        return at, self.cell[at] == index


def nothing_learned(
    map_value: MapValue,
    law: ExtinctionLaw,
    weights: Floats | None = None,
    profile_scatter: float = PROFILE_SCATTER,
) -> Learned:
    """Return what is known without any stars: priors everywhere.

    Parameters
    ----------
    map_value : str
        Value of the map that is used.
    law : ExtinctionLaw
        Law that is assumed.
    weights : ndarray, shape (n_part,), optional
        Factors on the numbers of stars; `USUAL_WEIGHTS` if not given.
    profile_scatter : float
        Scatter of the dust in front, as a fraction of it.

    Returns
    -------
    Learned
    """
    none, whole = np.zeros(0), np.zeros(0, np.int64)
    return Learned(
        "", "", map_value, law, whole, none, none, np.zeros((0, 2)), np.zeros((5, 0)),
        np.array(USUAL_WEIGHTS if weights is None else weights), np.ones(len(LINEAR_BANDS)),
        np.zeros(len(LINEAR_BANDS)), usual_fractions(), 0.0, 1.0, whole, np.zeros((0, 1)),
        profile_scatter=profile_scatter,
    )  # fmt: skip


def field_number(sky: ExtinctionMap, cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the field of cells (flat index): squares of `CELLS_PER_FIELD` cells."""
    il, ib = np.divmod(cell, sky.mean.shape[1])
    return np.asarray((il // CELLS_PER_FIELD) * FIELDS_IN_B + ib // CELLS_PER_FIELD)


def load_learned(path: str | Path) -> Learned:
    """Read what was learned.

    Parameters
    ----------
    path : str or Path
        FITS file that ``gcmock calibrate`` or ``gcmock build`` wrote.

    Returns
    -------
    Learned

    Raises
    ------
    InputError
        If the file cannot be read or is none.
    """
    file = Path(path)
    try:
        stat = file.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not file.is_file():
        raise InputError(f"{path}: is no file; give the FITS file that gcmock calibrate wrote")
    return _load(str(file), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _load(path: str, _changed: int, _size: int) -> Learned:
    try:
        return learned_from(Path(path).read_bytes(), path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def learned_from(content: bytes, path: str = "") -> Learned:
    """Read what was learned from the bytes of a file; see `load_learned`."""
    from astropy.io import fits

    try:
        with catch_warnings():
            simplefilter("ignore")
            with fits.open(BytesIO(content)) as hdus:
                found = _from_tables(path, sha256(content).hexdigest(), hdus)
    except InputError:
        raise
    # astropy's readers raise almost anything on a damaged file.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{path}: is not what was learned from stars: {reason}. Give the FITS file that gcmock "
            "calibrate or build wrote; those of gcmock 0.1 must be made again"
        ) from error
    _check_values(found)
    return found


def _check_values(found: Learned) -> None:
    """Refuse numbers that no stars teach: every star would be reddened by them.

    Raises
    ------
    InputError
        If a value is not finite or outside its range, or a cell occurs twice.
    """
    # A mean of the reddening off by more than a factor of ten is no refinement of the map.
    checks = (
        ("factor", found.factor, _FACTORS),
        ("scatter", found.scatter, _SCATTERS),
        ("factor of STARS", found.star[[0, 2]], _FACTORS),
        ("scatter of STARS", found.star[[1, 3]], _SCATTERS),
        ("radius", found.star[4], (0.0, 10.0)),
        ("l or b of STARS", found.place, (-360.0, 360.0)),
        ("extinction of LAW", found.law.rows, (1e-3, 20.0)),
        ("weight", found.weights, (0.0, 1e3)),
        ("cell", found.cell, (0, 2**31)),
        ("scale of ERRORS", found.error_scale, (0.1, 10.0)),
        ("floor of ERRORS", found.error_floor_mag, (0.0, 2.0)),
        ("fraction of CASES", found.case_fraction, (0.0, 1.0)),
        ("zero_point", np.array([found.zero_point_mas]), (-10.0, 10.0)),
        ("error_scale", np.array([found.parallax_scale]), (0.1, 100.0)),
        ("zero_point_error", np.array([found.zero_point_error_mas]), (0.0, 10.0)),
        ("profile_scatter", np.array([found.profile_scatter]), (0.0, 2.0)),
        ("offset of MOTION", found.frame_masyr, (-50.0, 50.0)),
        ("offset_error of MOTION", found.frame_error_masyr, (0.0, 50.0)),
        ("error_scale of MOTION", np.array([found.motion_scale]), (0.1, 100.0)),
    )
    for name, values, (low, high) in checks:
        bad = ~((values >= low) & (values <= high))
        if bad.any():
            raise InputError(
                f"{found.path}: is not what was learned from stars: {name} = {values[bad][0]:g}; "
                f"expected {low:g} to {high:g}"
            )
    if (np.diff(found.cell) == 0).any():
        raise InputError(f"{found.path}: is not what was learned from stars: a cell is there twice")


def _from_tables(path: str, digest: str, hdus: Any) -> Learned:
    cells, stars, law = hdus["CELLS"].data, hdus["STARS"].data, hdus["LAW"].data
    order = np.argsort(cells["cell"])

    def numbers(table: str, name: str) -> Floats:
        return np.asarray(hdus[table].data[name], np.float64)

    rows = np.column_stack([np.asarray(law[f"a_{b}"], np.float64) for b in LINEAR_BANDS])
    if len(rows) not in (1, len(QUADRANTS)):
        raise ValueError(f"the table LAW has {len(rows)} rows")
    rows.flags.writeable = False
    source = str(hdus["LAW"].header.get("LAWNAME", "unknown"))
    l_deg, b_deg = (np.asarray(stars[name], np.float64) for name in ("l", "b"))
    names = ("factor", "scatter", "factor_all", "scatter_all", "radius")
    _check_names(path, "parts", hdus["PARTS"].data["part"], [part.name for part in PARTS])
    _check_names(path, "cases", hdus["CASES"].data["case"], [case.name for case in CASES])
    parallax = hdus["PARALLAX"].data
    return Learned(
        path,
        digest,
        _map_value(hdus["CELLS"].header["MAPVALUE"]),
        ExtinctionLaw(f"learned ({source})", rows, f"gcmock calibrate, sha256 {digest}"),
        np.asarray(cells["cell"])[order].astype(np.int64),
        numbers("CELLS", "factor")[order],
        np.hypot(numbers("CELLS", "scatter"), numbers("CELLS", "factor_error"))[order],
        np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg]),
        np.stack([np.asarray(stars[name], np.float64) for name in names]),
        numbers("PARTS", "weight"),
        numbers("ERRORS", "scale"),
        numbers("ERRORS", "floor"),
        numbers("CASES", "fraction"),
        float(parallax["zero_point"][0]),
        float(parallax["error_scale"][0]),
        np.asarray(hdus["DOUBT"].data["class"], np.int64),
        np.atleast_2d(numbers("DOUBT", "limit")),
        parse_limits(str(text).strip() for text in hdus["SELECTION"].data["limit"]),
        float(parallax["zero_point_error"][0]),
        float(hdus["DUST"].data["profile_scatter"][0]),
        numbers("MOTION", "offset"),
        numbers("MOTION", "offset_error"),
        float(hdus["MOTION"].data["error_scale"][0]),
    )


def _map_value(given: Any) -> MapValue:
    for value in MAP_VALUES:
        if value == str(given).strip():
            return value
    raise ValueError(f"value of the map {given!r}")


def _check_names(path: str, what: str, given: Any, expected: list[str]) -> None:
    """Refuse a file of another model."""
    of_file = [str(name).strip() for name in given]
    if of_file != expected:
        raise InputError(
            f"{path}: has the {what} {', '.join(of_file)}, but those of the model are "
            f"{', '.join(expected)}: calibrate again"
        )
