"""From a folder of observations to the arrays of a problem, without what cannot be solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.astrometry.directions.displacement import SPEED_OF_LIGHT_KMS
from gcmock.astrometry.directions.geometry import DistortionTerm, distortion_terms
from gcmock.astrometry.missions.focal_plane import detector_grid
from gcmock.astrometry.observations.folder import ObservationSet
from gcmock.astrometry.solver.instrument_first import reduced_terms
from gcmock.astrometry.solver.normal import Blocks, Linearisation
from gcmock.astrometry.solver.priors import References, source_priors
from gcmock.astrometry.solver.problem import Distortion, Floats, Problem, Unknowns, VisitData
from gcmock.astrometry.solver.store import Store, primary_of, read_store
from gcmock.errors import InputError
from gcmock.progress import Progress

MIN_VISITS: Final = 6
"""Visits that a star without prior needs: twelve equations for five unknowns."""

MIN_STARS: Final = 3
"""Primary stars that a visit needs: two determine the attitude, a third can contradict them."""

UNDETERMINED: Final = 1e-10
"""Smallest eigenvalue, in units of the diagonal, of what the observations determine."""


@dataclass(frozen=True)
class Campaign:
    """Everything that a solution starts from.

    Attributes
    ----------
    store : Store
    visits : VisitData
        Those that are used, without gaps; the visits of the store count them.
    distortion : Distortion
    visit_number, block_number : ndarray of int
        Numbers in the folder of the visits and blocks that are used.
    epoch : float
        Reference epoch of the solution [yr].
    start : ndarray, shape (n_source, 5)
        Start values of all stars of the store.
    references : References
        The reference stars.
    attitude : ndarray, shape (n_visit, 3)
        Nominal [deg].
    hw : ndarray, shape (n_source,)
        [mag].
    radial_velocity : ndarray, shape (n_source,)
        [km/s].
    remarks : tuple of str
        What was left out, and why.
    """

    store: Store
    visits: VisitData
    distortion: Distortion
    visit_number: NDArray[np.int64]
    block_number: NDArray[np.int64]
    epoch: float
    start: Floats
    references: References
    attitude: Floats
    hw: Floats
    radial_velocity: Floats
    remarks: tuple[str, ...]

    def problem(self, primary: bool) -> Problem:
        """Return the problem of the primary or of the secondary stars."""
        s = self.store
        part = slice(0, s.n_primary) if primary else slice(s.n_primary, None)
        stop = s.n_primary if primary else len(s.source_id)
        first = s.first[part.start : stop + 1]
        rows = slice(first[0], first[-1])
        return Problem(
            first - first[0],
            s.visit[rows],
            s.measured[rows],
            s.root_weight[rows],
            self.visits,
            self.distortion,
            source_priors(self.references, s.source_id[part]),
            self.radial_velocity[part],
        )

    def unknowns(self, primary: bool) -> Unknowns:
        """Start values of the primary or of the secondary stars, and of the instrument."""
        n = self.store.n_primary
        d = self.distortion
        start = self.start[:n] if primary else self.start[n:]
        return Unknowns(start, self.attitude, np.zeros((d.n_block, d.n_term)))


def read_campaign(
    folder: ObservationSet,
    references: Callable[[float], References],
    *,
    primary_limit: float | None = None,
    secondaries: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> Campaign:
    """Read a folder of observations and leave out what cannot be solved.

    Parameters
    ----------
    folder : ObservationSet
    references : callable
        Returns the reference stars at an epoch.
    primary_limit : float, optional
        Faintest Hw of primary stars; the column ``primary`` if not given [mag].
    secondaries : bool
        Whether to keep the other stars.
    workers : int
        Threads of the sweeps over the observations.
    progress : callable, optional
        Called with the numbers of rows read and in total; all rows are read twice.

    Raises
    ------
    InputError
        If tables lack columns or do not fit together, or nothing is left.
    """
    visits, catalogue = folder.table("visits.parquet"), folder.table("sources.parquet")
    check_numbers(folder, visits, catalogue)
    primary = primary_of(catalogue, primary_limit)
    order = np.lexsort((catalogue["source_id"], ~primary))
    n_primary = int(primary.sum())
    if not n_primary:
        raise InputError(f"{folder.path}: has no primary stars; raise --primary-limit")
    order = order if secondaries else order[:n_primary]
    store = read_store(
        folder,
        catalogue["source_id"][order],
        n_primary,
        len(visits["visit"]),
        progress,
        known=catalogue["source_id"],
    )
    epoch = float(np.mean(visits["time"]))
    known = references(epoch)
    remarks: list[str] = []
    state = _State(store, np.ones(len(visits["visit"]), bool), order, remarks)
    material = Material.of(folder, visits, catalogue, known)
    for _ in range(20):
        state.drop_few(known)
        if not state.store.n_primary or not state.used.any():
            break
        campaign = _campaign(material, state)
        # What is left out is remarked, and asks for another round.
        if not state.drop_undetermined(campaign, workers):
            return campaign
    reasons = "; ".join(remarks)
    raise InputError(f"{folder.path}: nothing that can be solved is left: {reasons}")


def check_numbers(folder: ObservationSet, visits: Columns, catalogue: Columns) -> None:
    """Check that visits, blocks and stars are numbered as they must be."""
    n_visit = len(visits["visit"])
    if not n_visit or not np.array_equal(visits["visit"], np.arange(n_visit)):
        raise InputError(f"{folder.path}: visits.parquet must have the visits 0, 1, 2, ...")
    if visits["block"].max() >= n_visit:
        raise InputError(
            f"{folder.path}: visits.parquet has block {visits['block'].max()}, but only {n_visit} "
            "visits; blocks are numbered from 0"
        )
    ids = catalogue["source_id"]
    if ids.dtype.kind not in "iu":
        raise InputError(f"{folder.path}: source_id of sources.parquet must be integers")
    if len(np.unique(ids)) != len(ids):
        raise InputError(f"{folder.path}: a source_id of sources.parquet occurs more than once")


class Material(NamedTuple):
    """What a campaign is made of, whatever is left out: visits and stars as the folder has them."""

    visits: Columns
    terms: tuple[DistortionTerm, ...]
    half_field: float
    aberration: bool
    deflection: bool
    epoch: float
    known: References
    start: Floats
    hw: Floats
    radial_velocity: Floats

    @classmethod
    def of(
        cls, folder: ObservationSet, visits: Columns, catalogue: Columns, known: References
    ) -> Material:
        """Collect what a folder has, and what is known at the mean time of its visits."""
        calibration = folder.mission.calibration
        return cls(
            visits,
            distortion_terms(calibration.degree, calibration.min_degree),
            float(detector_grid(folder.mission.focal_plane).half_field),
            bool(folder.provenance.get("aberration", False)),
            bool(folder.provenance.get("deflection", False)),
            float(np.mean(visits["time"])),
            known,
            start_values(catalogue, known),
            catalogue["phot_hw_mag"],
            known.radial_velocity_of(catalogue["source_id"]),
        )

    def visit_data(self, number: NDArray[np.int64]) -> tuple[VisitData, NDArray[np.int64]]:
        """Return what is known of some visits, and the numbers of their blocks."""
        visits = self.visits
        block_number, block = np.unique(visits["block"][number], return_inverse=True)
        observer = np.column_stack([visits[f"{axis}_au"][number] for axis in "xyz"])
        velocity = np.column_stack([visits[f"v{axis}_kms"][number] for axis in "xyz"])
        time = visits["time"][number]
        from_sun = _from_sun(time, observer) if self.deflection else 0.0 * observer
        data = VisitData(
            block.astype(np.int64),
            time - self.epoch,
            observer,
            from_sun,
            velocity / SPEED_OF_LIGHT_KMS,
            self.deflection,
            self.aberration,
        )
        return data, block_number.astype(np.int64)


class _State:
    """Stars and visits that are still in."""

    def __init__(
        self,
        store: Store,
        used: NDArray[np.bool_],
        order: NDArray[np.int64],
        remarks: list[str],
    ) -> None:
        self.store, self.used, self.order, self.remarks = store, used, order, remarks

    def _keep(self, source: NDArray[np.bool_]) -> None:
        self.store = self.store.kept(source, self.used)
        self.order = self.order[source]

    def drop_few(self, known: References) -> None:
        """Leave out stars with few visits and visits with few primary stars, until none is left."""
        for _ in range(1000):
            counts = np.diff(self.store.first)
            needed = np.where(known.has(self.store.source_id), 1, MIN_VISITS)
            few = counts < needed
            rows = slice(0, self.store.first[self.store.n_primary])
            of_primary = np.repeat(few[: self.store.n_primary], counts[: self.store.n_primary])
            seen = np.bincount(self.store.visit[rows][~of_primary], minlength=len(self.used))
            empty = self.used & (seen < MIN_STARS)
            self.remarks += remarks_of_few(self.store.source_id[few], empty)
            if not (few.any() or empty.any()):
                return
            self.used = self.used & ~empty
            self._keep(~few)

    def drop_undetermined(self, campaign: Campaign, workers: int) -> bool:
        """Leave out what is singular by itself; say whether there was any."""
        singular = np.zeros(len(self.store.source_id), bool)
        n = self.store.n_primary
        for primary, part in ((True, slice(0, n)), (False, slice(n, None))):
            problem = campaign.problem(primary)
            if not problem.n_source:
                continue
            here = Linearisation(problem, campaign.unknowns(primary), workers)
            singular[part] = smallest_eigenvalues(here.source_blocks()[0]) < UNDETERMINED
            if primary:
                visit, block = undetermined_instrument(here.blocks())
        self.remarks += remarks_of_undetermined(
            self.store.source_id[singular],
            campaign.block_number[block],
            campaign.distortion.n_term,
            campaign.visit_number[visit],
        )
        out = visit | block[campaign.visits.block]
        self.used[campaign.visit_number[out]] = False
        changed = bool(singular.any() or out.any())
        if changed:
            self._keep(~singular)
        return changed


def undetermined_instrument(blocks: Blocks) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which visits, and which calibration blocks, are singular by themselves."""
    visit = smallest_eigenvalues(blocks.visits) < UNDETERMINED
    root = np.linalg.pinv(blocks.visits, hermitian=True)
    left = reduced_terms(blocks, np.matmul(root, blocks.visit_terms))
    return visit, smallest_eigenvalues(left) < UNDETERMINED


def remarks_of_few(source_id: NDArray[np.int64], empty: NDArray[np.bool_]) -> list[str]:
    """Say which stars with few visits, and which visits with few stars, are left out."""
    remarks = []
    if source_id.size:
        remarks.append(
            f"{source_id.size:,} stars with fewer than {MIN_VISITS} visits and no reference "
            f"left out{examples('source_id', source_id)}"
        )
    if empty.any():
        remarks.append(
            f"{empty.sum():,} visits with fewer than {MIN_STARS} primary stars left out"
            f"{examples('visit', np.flatnonzero(empty))}"
        )
    return remarks


def remarks_of_undetermined(
    source_id: NDArray[np.int64],
    block: NDArray[np.int64],
    n_term: int,
    visit: NDArray[np.int64],
) -> list[str]:
    """Say which stars, blocks and visits are left out because they are singular."""
    remarks = []
    if source_id.size:
        remarks.append(
            f"{source_id.size:,} stars whose visits do not determine five parameters left out"
            f"{examples('source_id', source_id)}"
        )
    if block.size:
        remarks.append(
            f"{block.size:,} calibration blocks whose stars do not determine {n_term} terms left "
            f"out with their visits{examples('block', block)}"
        )
    if visit.size:
        remarks.append(
            f"{visit.size:,} visits whose stars do not determine the attitude left out"
            f"{examples('visit', visit)}"
        )
    return remarks


def examples(name: str, values: NDArray[Any]) -> str:
    """Return the smallest of some identifiers, in brackets."""
    values = np.sort(values)
    shown = ", ".join(str(v) for v in values[:5])
    return f" ({name} {shown}{', ...' if len(values) > 5 else ''})"


def smallest_eigenvalues(matrices: Floats) -> Floats:
    """Smallest eigenvalue of each matrix, scaled to a unit diagonal."""
    if not matrices.shape[-1]:
        return np.ones(len(matrices))
    diagonal = np.einsum("nii->ni", matrices)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.eigvalsh(scaled)[:, 0], np.float64)


def _campaign(material: Material, state: _State) -> Campaign:
    """Count the visits and blocks that are used, without gaps."""
    visits = material.visits
    number = np.flatnonzero(state.used)
    new = np.cumsum(state.used) - 1
    data, block_number = material.visit_data(number)
    return Campaign(
        replace(state.store, visit=new[state.store.visit].astype(np.int32)),
        data,
        Distortion(material.terms, material.half_field, len(block_number)),
        number,
        block_number,
        material.epoch,
        material.start[state.order],
        material.known,
        np.column_stack([visits[name][number] for name in ("ra", "dec", "roll")]),
        material.hw[state.order],
        material.radial_velocity[state.order],
        tuple(state.remarks),
    )


def _from_sun(time: Floats, observer: Floats) -> Floats:
    from gcmock.astrometry.directions.ephemeris import observer as earth

    state = earth(time)
    return observer - (state.position - state.from_sun)


def start_values(catalogue: Columns, known: References) -> Floats:
    """Positions of the input catalogue; all five parameters of the reference stars."""
    n = len(catalogue["source_id"])
    start = np.column_stack([catalogue["ra"], catalogue["dec"], np.zeros((n, 3))])
    if not np.isfinite(start).all():
        raise InputError("sources.parquet: some positions are not finite")
    where = known.places(catalogue["source_id"])
    start[where >= 0] = known.values[where[where >= 0]]
    return start
