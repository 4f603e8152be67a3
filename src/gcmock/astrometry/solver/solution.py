"""The folder of a solution: what ``gcmock solve`` writes and ``gcmock compare`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gcmock.arrays import Columns
from gcmock.astrometry.observations.folder import (
    ATTITUDE_COLUMNS,
    CALIBRATION_COLUMNS,
    PARAMETERS,
    REFERENCE_COLUMNS,
    SOURCE_COLUMNS,
    correlation_names,
    read_folder_table,
)
from gcmock.astrometry.solver.problem import Floats
from gcmock.errors import InputError
from gcmock.io.disk import write_text
from gcmock.io.json_file import Kinds, checked_object, read_object
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import Column

SOLUTION: Final = "solution.json"

_NUMBER: Final = (int, float, type(None))
_ACCOUNT: Final[Mapping[str, Kinds]] = {
    "observations": str,
    "observations_provenance": dict,
    "reference": str,
    "primary_limit": _NUMBER,
    "modes": list,
}
"""What a comparison needs of the account of a solution."""

_HW = next(c for c in SOURCE_COLUMNS if c.name == "phot_hw_mag")

SOLVED_COLUMNS: Final = (
    *(c for c in REFERENCE_COLUMNS if c.name != "phot_g_mean_mag"),
    _HW,
    Column("n_visits", "int32", "", "meta.number", "Visits that saw the star"),
    Column(
        "chi2", "float64", "", "stat.fit.chi2", "Sum of squares of the residuals over their errors"
    ),
    Column("primary", "bool", "", "meta.code", "Solved together with the instrument"),
    Column("used_reference", "bool", "", "meta.code", "The star has a prior"),
)
"""Five parameters of every star, with errors and correlations."""

ROTATION_AXES: Final = ("x", "y", "z")

SOLVED_ATTITUDE_COLUMNS: Final = (
    *ATTITUDE_COLUMNS,
    *(
        Column(
            f"rotation_{axis}_error",
            "float64",
            "mas",
            "stat.error;pos.posAng",
            f"Error of the rotation about the instrument's {axis} axis",
        )
        for axis in ROTATION_AXES
    ),
    Column("n_stars", "int32", "", "meta.number", "Primary stars of the visit"),
)
"""Attitude of every visit that was used."""

SOLVED_CALIBRATION_COLUMNS: Final = (
    *CALIBRATION_COLUMNS,
    Column("coefficient_error", "float64", "mas", "stat.error", "Error of the coefficient"),
)
"""Distortion of every block that was used."""

SOLUTION_TABLES: Final = {
    "sources.parquet": SOLVED_COLUMNS,
    "attitude.parquet": SOLVED_ATTITUDE_COLUMNS,
    "calibration.parquet": SOLVED_CALIBRATION_COLUMNS,
}


def parameter_columns(values: Floats, covariance: Floats) -> Columns:
    """Columns of five parameters, their errors and ten correlations.

    Parameters
    ----------
    values : ndarray, shape (n, 5)
    covariance : ndarray, shape (n, 5, 5)
    """
    error = np.sqrt(np.einsum("nii->ni", covariance))
    table = dict(zip(PARAMETERS, values.T, strict=True))
    table |= {f"{name}_error": error[:, k] for k, name in enumerate(PARAMETERS)}
    for i, j, name in correlation_names():
        table[name] = covariance[:, i, j] / error[:, i] / error[:, j]
    return table


def covariance_matrices(table: Columns) -> Floats:
    """Covariances (n, 5, 5) from the columns of `parameter_columns`."""
    error = np.column_stack([table[f"{name}_error"] for name in PARAMETERS])
    return _correlations(table) * error[:, :, None] * error[:, None, :]


def _correlations(table: Columns) -> Floats:
    """Matrices of the correlations, shape (n, 5, 5)."""
    matrix = np.zeros((len(table["ra"]), 5, 5))
    matrix[:, np.arange(5), np.arange(5)] = 1.0
    for i, j, name in correlation_names():
        matrix[:, i, j] = matrix[:, j, i] = table[name]
    return matrix


def write_tables(folder: Path, tables: dict[str, Columns], account: dict[str, Any]) -> None:
    """Write the tables and `SOLUTION` into a folder."""
    # No date: equal solutions have equal tables.
    keys = ("observations", "reference", "creator")
    metadata = {key: str(account[key]) for key in keys if key in account}
    for name, columns in SOLUTION_TABLES.items():
        with open_writer(folder / name, columns, metadata) as writer:
            writer.write(tables[name])
    text = json.dumps(account, indent=2, allow_nan=False)
    write_text(folder / SOLUTION, text + "\n")


@dataclass(frozen=True)
class SolutionSet:
    """An opened solution.

    Attributes
    ----------
    path : Path
    account : dict
        Content of `SOLUTION`.
    """

    path: Path
    account: dict[str, Any]

    def table(self, name: str) -> Columns:
        """Read one of `SOLUTION_TABLES` whole.

        Raises
        ------
        InputError
            If it cannot be what ``gcmock solve`` wrote.
        """
        return read_folder_table(self.path / name, SOLUTION_TABLES[name])

    def stars(self) -> Columns:
        """Read the solved stars.

        Raises
        ------
        InputError
            If there are none, one occurs twice, or one has no covariance.
        """
        path, table = self.path / "sources.parquet", self.table("sources.parquet")
        ids = table["source_id"]
        if not len(ids):
            raise InputError(f"{path}: has no stars")
        if not table["primary"].any():
            raise InputError(f"{path}: has no primary stars; solve with a fainter --primary-limit")
        if ids.dtype.kind not in "iu" or len(np.unique(ids)) != len(ids):
            raise InputError(f"{path}: needs source_id that are integers, each once")
        matrix = _correlations(table)
        error = np.column_stack([table[f"{name}_error"] for name in PARAMETERS])
        good = np.asarray((error > 0.0).all(axis=1))
        good &= np.asarray(np.linalg.eigvalsh(matrix)[:, 0] > 0.0)
        if not good.all():
            raise InputError(
                f"{path}: {(~good).sum():,} stars have errors and correlations that are no "
                f"covariance (first: source_id {ids[~good][0]})"
            )
        return table


def open_solution(path: str | Path) -> SolutionSet:
    """Open a folder that ``gcmock solve`` wrote.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    SolutionSet

    Raises
    ------
    InputError
        If it is no such folder.
    """
    path = Path(path)
    missing = [name for name in (SOLUTION, *SOLUTION_TABLES) if not (path / name).is_file()]
    if missing:
        raise InputError(
            f"{path}: is not a solution (no {', '.join(missing)}); give the output of gcmock solve"
        )
    account = read_object(path / SOLUTION, _ACCOUNT)
    provenance = account["observations_provenance"]
    checked_object(f"{path / SOLUTION}: observations_provenance", provenance, {"realisation": int})
    for mode in account["modes"]:
        checked_object(f"{path / SOLUTION}: modes", mode, {"name": str, "error": _NUMBER})
    if "terms" in account:
        name = f"{path / SOLUTION}: terms"
        checked_object(name, account["terms"], {"terms": list})
        for row in account["terms"]["terms"]:
            checked_object(name, row, {"name": str, "solved": bool})
    return SolutionSet(path, account)
