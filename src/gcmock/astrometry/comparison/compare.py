"""A solution against the mock catalogue that was observed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.astrometry.comparison.joint import JointChi2, joint_chi2, true_coefficients
from gcmock.astrometry.comparison.tables import (
    binned_errors,
    pull_table,
    residual_map,
    separated,
)
from gcmock.astrometry.directions.true_catalogue import TRUE_ASTROMETRY, integer_ids, open_catalogue
from gcmock.astrometry.observations.folder import (
    ATTITUDE_COLUMNS,
    PARAMETERS,
    ObservationSet,
    open_observations,
)
from gcmock.astrometry.solver.assembly import Campaign, read_campaign
from gcmock.astrometry.solver.modes import FRAME_MODES, amplitudes, patterns
from gcmock.astrometry.solver.priors import load_references, moved_sources
from gcmock.astrometry.solver.problem import Floats, Unknowns, source_shift
from gcmock.astrometry.solver.solution import SolutionSet, covariance_matrices, open_solution
from gcmock.errors import InputError
from gcmock.io.file_names import check_input_name
from gcmock.io.provenance import creator
from gcmock.notebook import Outcome, listing_of

_ATTITUDE: Final = tuple(c.name for c in ATTITUDE_COLUMNS if c.name != "visit")
TRUE_COLUMNS: Final = ("source_id", *TRUE_ASTROMETRY, "phot_hw_mag", "component")


@dataclass(frozen=True)
class Errors:
    """Errors of solved stars.

    Attributes
    ----------
    source_id : ndarray of int64, shape (n,)
    ra, dec, hw : ndarray, shape (n,)
        [deg, deg, mag].
    component : ndarray of str, shape (n,)
    primary, used_reference : ndarray of bool, shape (n,)
    measured, true : ndarray, shape (n, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    error, without_modes : ndarray, shape (n, 5)
        Solution minus truth [mas, mas/yr], as it is and without the fitted common modes.
    covariance : ndarray, shape (n, 5, 5)
    """

    source_id: NDArray[np.int64]
    ra: Floats
    dec: Floats
    hw: Floats
    component: NDArray[Any]
    primary: NDArray[np.bool_]
    used_reference: NDArray[np.bool_]
    measured: Floats
    true: Floats
    error: Floats
    without_modes: Floats
    covariance: Floats

    @property
    def sigma(self) -> Floats:
        """Formal errors, shape (n, 5)."""
        return np.sqrt(np.einsum("nii->ni", self.covariance))


@dataclass(frozen=True, repr=False)
class Comparison(Outcome):
    """Result of a comparison.

    Attributes
    ----------
    account : dict
        Numbers, for ``comparison.json``.
    errors : Errors
    tables : dict of str to columns
        ``by_magnitude``, ``map``, ``separation``.
    files : tuple of Path
        What was written of it.
    """

    account: dict[str, Any]
    errors: Errors
    tables: dict[str, Columns]
    files: tuple[Path, ...] = ()

    def listing(self) -> list[tuple[str, str]]:
        """Return the numbers of stars and their chi-square per degree of freedom."""
        names = ("solution", "mock", "reference", "n_star", "n_primary")
        chi2 = {row["stars"]: float(row["as_is"]) for row in self.account["chi2"]}
        found = [(name, self.account[name]) for name in names]
        return listing_of([*found, ("chi2 per degree", chi2), ("files", self.files)])


def compare(
    solution: str | Path, mock: str | Path, observations: str | Path | None = None
) -> Comparison:
    """Compare a solution with the truth.

    Parameters
    ----------
    solution : str or Path
        Folder that ``gcmock solve`` wrote.
    mock : str or Path
        The mock catalogue that was observed.
    observations : str or Path, optional
        The folder that was solved, for the joint chi-square of all unknowns; the one that the
        solution names if it is still there.

    Raises
    ------
    InputError
        If the files do not fit together or lack columns.
    """
    opened = open_solution(solution)
    errors, amplitude = _errors(opened, Path(mock))
    account: dict[str, Any] = {
        "solution": str(opened.path),
        "mock": str(mock),
        "reference": opened.account["reference"],
        "n_star": len(errors.hw),
        "n_primary": int(errors.primary.sum()),
        "common_modes": _mode_rows(opened, errors, amplitude),
        "chi2": _star_chi2(errors),
        "pulls": pull_table(errors),
    }
    folder = Path(observations) if observations else Path(opened.account["observations"])
    check_input_name(folder)
    # With terms of the whole mission the observations have other equations than these.
    found = opened.account.get("terms", {}).get("terms", ())
    alone = not any(row["solved"] for row in found)
    if alone and (observations or folder.is_dir()):
        joint = _joint(opened, folder)
        account["joint_chi2"] = asdict(joint)
    else:
        account["joint_chi2"] = None
    tables = {"by_magnitude": binned_errors(errors), "map": residual_map(errors)}
    separation = separated(errors)
    if separation is not None:
        tables["separation"] = separation
    return Comparison(account, errors, tables)


def _errors(solution: SolutionSet, mock: Path) -> tuple[Errors, Floats]:
    table = solution.stars()
    realisation = solution.account["observations_provenance"]["realisation"]
    catalogue = open_catalogue(
        mock, TRUE_COLUMNS, realisation=realisation, need="the comparison needs the true astrometry"
    )
    chunks = list(catalogue.chunks(1_000_000))
    truth = {name: np.concatenate([c[name] for c in chunks]) for name in TRUE_COLUMNS}
    ids = integer_ids(mock, truth["source_id"])
    order = np.argsort(ids, kind="stable")
    at = np.minimum(np.searchsorted(ids[order], table["source_id"]), max(len(ids) - 1, 0))
    found = ids[order][at] == table["source_id"] if len(ids) else np.zeros(len(at), bool)
    if not found.all():
        raise InputError(
            f"{mock}: lacks {(~found).sum():,} of the {len(found):,} solved stars (first: "
            f"source_id {table['source_id'][~found][0]}); give the catalogue that was observed"
        )
    rows = order[at]
    truth = {name: values[rows] for name, values in truth.items()}
    values = np.column_stack([truth[name] for name in PARAMETERS])
    if not np.isfinite(values).all():
        raise InputError(f"{mock}: some true parameters of solved stars are not finite")
    years = table["ref_epoch"] - truth["ref_epoch"]
    true = moved_sources(values, truth["radial_velocity"], years)
    measured = np.column_stack([table[name] for name in PARAMETERS])
    error = source_shift(measured, true)
    covariance = covariance_matrices(table)
    found_modes = {name: p for name, p in patterns(true).items() if name in FRAME_MODES}
    amplitude = amplitudes(error, found_modes, np.asarray(np.linalg.inv(covariance), np.float64))
    without = error - np.einsum("k,kni->ni", amplitude, np.array(list(found_modes.values())))
    return (
        Errors(
            table["source_id"],
            true[:, 0],
            true[:, 1],
            truth["phot_hw_mag"],
            truth["component"].astype(str),
            table["primary"].astype(bool),
            table["used_reference"].astype(bool),
            measured,
            true,
            error,
            without,
            covariance,
        ),
        amplitude,
    )


def _mode_rows(solution: SolutionSet, errors: Errors, removed: Floats) -> list[dict[str, Any]]:
    """Amplitudes of the common modes: those that are removed, and those with a formal error.

    The first are fitted to all stars with the weights of their covariances; the second, without
    weights, to the primary stars, for which the solution knows the covariance of such a fit.
    """
    formal = {mode["name"]: mode for mode in solution.account["modes"]}
    lacking = [name for name in FRAME_MODES if name not in formal]
    if lacking:
        raise InputError(f"{solution.path}: solution.json lacks the modes {', '.join(lacking)}")
    chosen = errors.primary
    found = patterns(errors.true[chosen])
    primary = amplitudes(errors.error[chosen], found)[: len(FRAME_MODES)]
    return [
        {
            "name": name,
            "description": words,
            "removed": float(value),
            "primary_stars": float(own),
            "primary_stars_error": formal[name]["error"],
        }
        for (name, words), value, own in zip(FRAME_MODES.items(), removed, primary, strict=True)
    ]


def _star_chi2(errors: Errors) -> list[dict[str, Any]]:
    """Mean of e'C^-1 e over five, for groups of stars: correlations between stars are left out."""
    inverse = np.linalg.inv(errors.covariance)
    rows = []
    for name, chosen in (
        ("primary", errors.primary),
        ("primary, no reference", errors.primary & ~errors.used_reference),
        ("secondary", ~errors.primary),
        ("secondary, no reference", ~errors.primary & ~errors.used_reference),
    ):
        n = int(chosen.sum())
        if not n:
            continue
        row: dict[str, Any] = {"stars": name, "n": n}
        for key, e in (("as_is", errors.error), ("without_modes", errors.without_modes)):
            e = e[chosen]
            row[key] = float(np.einsum("ni,nij,nj->", e, inverse[chosen], e) / (5 * n))
        rows.append(row)
    return rows


def _joint(solution: SolutionSet, path: Path) -> JointChi2:
    """Joint chi-square of the primary solution, from the observations that it was made of."""
    folder = open_observations(path)
    account = solution.account
    campaign = read_campaign(
        folder,
        lambda epoch: load_references(account["reference"], folder, epoch),
        primary_limit=account["primary_limit"],
        secondaries=False,
    )
    problem = campaign.problem(primary=True)
    stars = solution.stars()
    at = np.searchsorted(stars["source_id"], campaign.store.source_id)
    solved_stars = np.column_stack([stars[name] for name in PARAMETERS])
    attitude = solution.table("attitude.parquet")
    if not (
        np.array_equal(stars["source_id"][np.minimum(at, len(stars["source_id"]) - 1)],
                       campaign.store.source_id)
        and np.array_equal(attitude["visit"], campaign.visit_number)
    ):  # fmt: skip
        raise InputError(f"{solution.path}: is not a solution of {path}")
    shape = (campaign.distortion.n_block, campaign.distortion.n_term)
    coefficients = solution.table("calibration.parquet")["coefficient"]
    if coefficients.size != shape[0] * shape[1]:
        raise InputError(
            f"{solution.path / 'calibration.parquet'}: has {coefficients.size} coefficients, but "
            f"the observations {shape[0]} blocks of {shape[1]} terms"
        )
    solved = Unknowns(
        solved_stars[at],
        np.column_stack([attitude[name] for name in _ATTITUDE]),
        coefficients.reshape(shape),
    )
    return joint_chi2(problem, solved, _true_unknowns(folder, campaign))


def _true_unknowns(folder: ObservationSet, campaign: Campaign) -> Unknowns:
    """Truth of the stars, visits and blocks of a campaign."""
    truth = folder.table("truth/sources.parquet")
    by_id = np.argsort(truth["source_id"], kind="stable")
    at = np.searchsorted(truth["source_id"][by_id], campaign.store.source_id)
    row = by_id[np.minimum(at, max(len(by_id) - 1, 0))] if len(by_id) else at
    if not (len(by_id) and np.array_equal(truth["source_id"][row], campaign.store.source_id)):
        raise InputError(f"{folder.path}: truth/sources.parquet lacks stars that were observed")
    values = np.column_stack([truth[name] for name in PARAMETERS])
    years = campaign.epoch - truth["ref_epoch"]
    real = folder.table("truth/attitude.parquet")
    if not np.array_equal(real["visit"], np.arange(len(folder.table("visits.parquet")["visit"]))):
        raise InputError(f"{folder.path}: truth/attitude.parquet lacks visits")
    coefficients = folder.table("truth/calibration.parquet")
    return Unknowns(
        moved_sources(values, truth["radial_velocity"], years)[row],
        np.column_stack([real[name][campaign.visit_number] for name in _ATTITUDE]),
        true_coefficients(coefficients, campaign.block_number, campaign.distortion.terms),
    )


def dumps(comparison: Comparison) -> str:
    """Return the account as JSON."""
    account = {"creator": creator(), **comparison.account}
    return json.dumps(account, indent=2, allow_nan=False) + "\n"
