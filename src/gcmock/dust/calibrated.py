"""Reddening that was calibrated from stars: the reading side of ``gcmock calibrate``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gcmock.arrays import Floats
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError, shown
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.components import COMPONENTS, MERGED_GROUPS

FALLBACK_SCATTER = 0.07
"""Scatter of the reddening over its mean where nothing was calibrated: what the map is wrong by."""

CELLS_PER_FIELD, FIELDS_IN_B = 8, 100_000
"""Cells along the side of a field (0.2 deg), and the factor in its number."""

_FACTORS: Final = (0.05, 20.0)
_SCATTERS: Final = (0.0, 10.0)
_MAP_VALUES: Final = ("subcell", "subcell_mean", "cell_mean")

SAME_STAR_DEG = 0.03 / 3600.0
"""A star this close to one that calibrated is that star."""


@dataclass(frozen=True, eq=False)
class CalibratedReddening:
    """Mean and scatter of the reddening in units of the map.

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
        Flat indices of the calibrated cells of the map, increasing.
    factor, scatter : ndarray, shape (n_cell,)
        Mean and standard deviation of the reddening over the map's.
    place : ndarray, shape (n_star, 2)
        Stars that refine their surroundings: (l cos b, b) [deg].
    star : ndarray, shape (5, n_star)
        Factor and scatter of the star from its neighbours, the same at its place with itself, and
        the radius to which that holds [deg].
    weights : ndarray, shape (n_component,)
        Factors on the numbers of stars of the components.
    field : ndarray of int64, shape (n_field,)
        Fields with factors of their own, increasing; see `field_number`.
    field_weights : ndarray, shape (n_field, n_component)
    """

    path: str
    sha256: str
    map_value: str
    law: ExtinctionLaw
    cell: NDArray[np.int64]
    factor: Floats
    scatter: Floats
    place: Floats
    star: Floats
    weights: Floats
    field: NDArray[np.int64]
    field_weights: Floats

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.place)

    def apply(
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
            [mag]. Where nothing was calibrated: the map, with a scatter of 7 % in quadrature.
        """
        tau = np.hypot(scatter, FALLBACK_SCATTER * e_jks)
        factor = np.ones_like(e_jks)
        relative = np.full_like(e_jks, np.nan)
        index = sky.cell_index(l_deg, b_deg)
        at = np.minimum(np.searchsorted(self.cell, index), self.cell.size - 1)
        known = self.cell[at] == index
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

    def component_weights(self, sky: ExtinctionMap, l_deg: ArrayLike, b_deg: ArrayLike) -> Floats:
        """Return factors on the numbers of stars at positions [deg], shape (n, n_component)."""
        cell = sky.cell_index(l_deg, b_deg)
        out = np.tile(self.weights, (cell.size, 1))
        if self.field.size:
            number = field_number(sky, cell)
            at = np.minimum(np.searchsorted(self.field, number), self.field.size - 1)
            known = self.field[at] == number
            out[known] = self.field_weights[at[known]]
        return out


def field_number(sky: ExtinctionMap, cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the field of cells (flat index): squares of `CELLS_PER_FIELD` cells."""
    il, ib = np.divmod(cell, sky.mean.shape[1])
    return np.asarray((il // CELLS_PER_FIELD) * FIELDS_IN_B + ib // CELLS_PER_FIELD)


def load_calibration(path: str | Path) -> CalibratedReddening:
    """Read a calibration.

    Parameters
    ----------
    path : str or Path
        FITS file that ``gcmock calibrate`` wrote.

    Returns
    -------
    CalibratedReddening

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
def _load(path: str, _changed: int, _size: int) -> CalibratedReddening:
    from astropy.io import fits

    try:
        digest = sha256(Path(path).read_bytes()).hexdigest()
        with catch_warnings():
            simplefilter("ignore")
            with fits.open(path, memmap=False) as hdus:
                found = _from_tables(path, digest, hdus)
    except InputError:
        raise
    # astropy's readers raise almost anything on a damaged file.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{path}: is not a calibration: {reason}. Give the FITS file that gcmock calibrate "
            "wrote"
        ) from error
    _check_values(found)
    return found


def _check_values(found: CalibratedReddening) -> None:
    """Refuse numbers that no calibration finds: every star would be reddened by them.

    Raises
    ------
    InputError
        If a value is not finite or outside its range, a cell occurs twice, or a name is unknown.
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
        ("weight of FIELDS", found.field_weights, (0.0, 1e3)),
        ("cell", found.cell, (0, 2**31)),
        ("field", found.field, (0, 2**40)),
    )
    for name, values, (low, high) in checks:
        bad = ~((values >= low) & (values <= high))
        if bad.any():
            raise InputError(
                f"{found.path}: is not a calibration: {name} = {values[bad][0]:g}; expected "
                f"{low:g} to {high:g}"
            )
    if not found.cell.size or (np.diff(found.cell) == 0).any():
        raise InputError(f"{found.path}: is not a calibration: needs cells, each once")
    if (np.diff(found.field) <= 0).any():
        raise InputError(f"{found.path}: is not a calibration: needs fields that increase")
    if found.map_value not in _MAP_VALUES:
        raise InputError(
            f"{found.path}: is not a calibration: MAPVALUE = {shown(found.map_value)}; expected "
            f"one of {', '.join(_MAP_VALUES)}"
        )


def _from_tables(path: str, digest: str, hdus: Any) -> CalibratedReddening:
    cells, stars, law = hdus["CELLS"].data, hdus["STARS"].data, hdus["LAW"].data
    order = np.argsort(cells["cell"])

    def of_cell(name: str) -> Any:
        return np.asarray(cells[name])[order]

    rows = np.column_stack([np.asarray(law[f"a_{b}"], np.float64) for b in LINEAR_BANDS])
    if len(rows) not in (1, len(QUADRANTS)):
        raise ValueError(f"the table LAW has {len(rows)} rows")
    rows.flags.writeable = False
    source = str(hdus["LAW"].header.get("LAWNAME", "unknown"))
    l_deg, b_deg = (np.asarray(stars[name], np.float64) for name in ("l", "b"))
    names = ("factor", "scatter", "factor_all", "scatter_all", "radius")
    weights = np.asarray(hdus["FRACTIONS"].data["weight"], np.float64)
    fields = hdus["FIELDS"].data
    group = np.asarray(hdus["FRACTIONS"].data["group"], np.int64)
    of_file = tuple(str(name).strip() for name in hdus["FRACTIONS"].data["component"])
    if of_file != COMPONENTS:
        raise InputError(
            f"{path}: has weights of the components {', '.join(of_file)}, but those of the model "
            f"are {', '.join(COMPONENTS)}: calibrate again"
        )
    of_field = np.stack(
        [np.asarray(fields[f"weight_{name}"], np.float64) for name in MERGED_GROUPS], axis=1
    )
    return CalibratedReddening(
        path,
        digest,
        str(hdus["CELLS"].header["MAPVALUE"]),
        ExtinctionLaw(f"calibrated ({source})", rows, f"gcmock calibrate, sha256 {digest}"),
        of_cell("cell").astype(np.int64),
        of_cell("factor").astype(np.float64),
        of_cell("scatter").astype(np.float64),
        np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg]),
        np.stack([np.asarray(stars[name], np.float64) for name in names]),
        weights,
        np.asarray(fields["field"], np.int64),
        of_field[:, group],
    )
