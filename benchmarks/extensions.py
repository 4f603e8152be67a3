"""What proper motions, calibrated extinction and fitted fractions gain, on simulated stars.

Stars of four fields with known component, distance and motion, drawn by ``gcmock simulate``, get
noise, are calibrated and inferred, and compared with the truth. Every line of the table has a
threshold. One realisation of stars and noise says little about a line near its threshold: with
several seeds the table has means and their standard errors. Run
``python benchmarks/extensions.py --help``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.calibration.calibrate import Calibration, Options, calibrate_stars
from gcmock.calibration.calibration_file import write_calibration
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.curves import FACTORS, GROUP_OF_PART, GROUPS
from gcmock.calibration.selection import expected_density
from gcmock.calibration.weights import fit_weights, usual_weights
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import load_law
from gcmock.frames import icrs_to_galactic_proper_motion
from gcmock.learned import load_learned
from gcmock.mock.simulate import simulate
from gcmock.model import Model, load_model
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.validation.scores import (
    area_under_curve,
    expected_calibration_error,
    ks_uniform,
    ranks,
)
from gcmock.words.components import COMPONENTS, MERGED_GROUPS

Floats = NDArray[np.float64]

FIELDS = ((0.75, -0.35), (-0.55, 0.25), (-0.95, -0.25), (0.40, 0.35))
"""Lower corners of the fields, 0.05 deg wide: one in every quadrant."""

WIDTH, NOISE, KS_MAX, MARGIN = 0.05, 0.05, 15.0, 0.4
"""Width of a field [deg], noise [mag], faint limit, and how much fainter stars are drawn [mag]."""

J_LIMIT = 17.0
"""Stars fainter than this in J have no J where it is cut [mag]."""

ALL_MAG = (-50.0, 60.0)
"""Limits that every star is between [mag]."""

N_DRAWS = 64
NUCLEAR = [COMPONENTS.index(name) for name in MERGED_GROUPS["nuclear"]]


class Sample(NamedTuple):
    """Stars with noise, their truth (with pm_l cos b and pm_b), and the cell of the map."""

    data: Observations
    distance_pc: Floats
    component: NDArray[np.int64]
    motion: Floats
    cell: NDArray[np.int64]
    limits: tuple[float, float]

    def take(self, rows: NDArray[Any]) -> Sample:
        """Return some of the stars."""
        return Sample(
            self.data.take(rows), self.distance_pc[rows], self.component[rows],
            self.motion[rows], self.cell[rows], self.limits,
        )  # fmt: skip

    @property
    def nuclear(self) -> NDArray[np.bool_]:
        """Whether a star is one of the nuclear components."""
        return np.isin(self.component, NUCLEAR)


class Scores(NamedTuple):
    """Scores of P(NSD + NSC) and of the distance."""

    n: int
    brier: float
    ece: float
    coverage: float
    ks: float
    auc: float


@dataclass(frozen=True)
class Posteriors:
    """Posteriors of a sample: P(nuclear), squared errors, ranks of the true distance."""

    sample: Sample
    probability: Floats
    covered: NDArray[np.bool_]
    rank: Floats
    nsd_mean_pc: Floats
    nsd_std_pc: Floats

    @property
    def squared(self) -> Floats:
        """Squared error of P(nuclear) of every star."""
        return (self.probability - self.sample.nuclear) ** 2

    def scores(self) -> Scores:
        """Summary."""
        nuclear = self.sample.nuclear
        return Scores(
            nuclear.size,
            float(self.squared.mean()),
            expected_calibration_error(self.probability, nuclear),
            float(self.covered.mean()),
            ks_uniform(self.rank),
            area_under_curve(self.probability, nuclear),
        )


def make_model(law: str = "wang_chen_2019", map_value: str = "subcell_mean") -> Model:
    """Model with the populations of one age, no error of its own and no residual scatter."""
    return load_model(
        config=load_config(
            None,
            {
                "populations.name": "koshimoto2021",
                "extinction.law": law,
                "extinction.map_value": map_value,
                "extinction.residual_scatter_mag": 0.0,
                "photometry.error_floor_mag": 0.0,
                "run.workers": 2,
            },
        )
    )


def wrong_map(model: Model, factor: float) -> Model:
    """Model whose map says `factor` times the truth."""
    sky = model.extinction_map
    scaled = ExtinctionMap(
        sky.mean * factor, sky.subcell, sky.subcell_cell, sky.l_min_deg, sky.b_min_deg,
        sky.step_deg, sky.subcell_per_mag / factor,
    )  # fmt: skip
    return replace(model, extinction_map=scaled)


def draw_sample(options: Any, law: str = "wang_chen_2019") -> Sample:
    """Stars of the fields with sub-cell extinction and noise, cut at the limit in observed Ks."""
    model = make_model(law, "subcell")
    seed = options.seed
    rng = np.random.default_rng(seed)
    if options.shared is not None:
        return genstars_sample(options.shared, model, rng)
    parts = [
        simulate(model, (l, l + WIDTH), (b, b + WIDTH), ks_max=KS_MAX + MARGIN, seed=seed)
        for l, b in FIELDS
    ]
    table = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    motion = np.column_stack(
        icrs_to_galactic_proper_motion(table["ra"], table["dec"], table["pmra"], table["pmdec"])
    )
    mag = np.column_stack([table[f"phot_{b}_mag"] for b in ("j", "h", "ks")])
    return observed(
        model, table["l"], table["b"], mag, table["distance_pc"], table["component"], motion, rng
    )


def genstars_sample(shared: Path, model: Model, rng: np.random.Generator) -> Sample:
    """Stars that genstars drew, in four fields; another law is put on by their reddening."""
    table = pq.read_table(shared / "reference" / "stars_subcell.parquet").to_pydict()
    field = np.array(table["field"]).astype(str)
    rows = np.flatnonzero(field != "T3")

    def column(name: str) -> Any:
        return np.asarray(table[name])[rows]

    l_deg, b_deg = column("l"), column("b")
    mag = np.column_stack([column(f"phot_{b}_mag") for b in ("j", "h", "ks")])
    drawn_with = load_law("wang_chen_2019").kappa(l_deg, b_deg)
    reddening = (column("a_ks") / drawn_with[:, 2])[:, None]
    mag = mag + (model.law.kappa(l_deg, b_deg) - drawn_with) * reddening
    motion = np.column_stack([column("pm_l_cosb"), column("pm_b")])
    return observed(
        model, l_deg, b_deg, mag, column("distance_pc"), column("component").astype(str), motion,
        rng,
    )  # fmt: skip


def observed(
    model: Model, l_deg: Floats, b_deg: Floats, true_mag: Floats, distance_pc: Floats, names: Any,
    motion: Floats, rng: np.random.Generator,
) -> Sample:  # fmt: skip
    """Add noise to true stars and cut them at the limit."""
    n = l_deg.size
    noisy = true_mag + rng.normal(0.0, NOISE, true_mag.shape)
    mag = np.column_stack([noisy, np.full(n, np.nan)])
    missing = np.full(n, np.nan)
    error = np.where(np.isfinite(mag), NOISE, np.nan)
    data = Observations(l_deg, b_deg, mag, error, missing, missing, missing, missing)
    component = np.array([COMPONENTS.index(name) for name in names])
    cell = model.extinction_map.cell_index(l_deg, b_deg)
    sample = Sample(data, distance_pc, component, motion, cell, (-np.inf, KS_MAX))
    return sample.take(np.flatnonzero(mag[:, 2] < KS_MAX))


def with_motions(sample: Sample, error: float, seed: int) -> Sample:
    """Give stars measured proper motions with an error [mas/yr]."""
    noise = np.random.default_rng(seed + 77).normal(0.0, error, sample.motion.shape)
    pm_l, pm_b = (sample.motion + noise).T
    covariance = (np.full(pm_l.size, x) for x in (error**2, 0.0, error**2))
    missing = np.full(pm_l.size, np.nan)
    motion = MeasuredMotion(pm_l, pm_b, *covariance, missing, missing)
    return sample._replace(data=sample.data._replace(motion=motion))


def split(sample: Sample, n_calibrate: int, n_infer: int, seed: int = 3) -> tuple[Any, Any]:
    """Disjoint random stars of every cell: to calibrate, and to infer."""
    rng = np.random.default_rng(seed)
    first, second = [], []
    for cell in np.unique(sample.cell):
        rows = rng.permutation(np.flatnonzero(sample.cell == cell))
        n = min(n_calibrate, max(rows.size - n_infer, rows.size // 2))
        first.append(rows[:n])
        second.append(rows[n : n + n_infer])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))


def on_map(stars: Sample, model: Model) -> Observations:
    """Observations with the reddening that the map of a model says."""
    kind = model.config.extinction.map_value
    e_jks = model.extinction_map.value(stars.data.l_deg, stars.data.b_deg, kind)[0]
    return stars.data._replace(e_jks_rc=e_jks, tau=np.zeros(e_jks.size))


def calibrated(sample: Sample, rows: NDArray[Any], model: Model, options: Options) -> Calibration:
    """Calibrate from some stars of a sample."""
    stars = sample.take(rows)
    cells, counts = np.unique(sample.cell, return_counts=True)
    given = Calibrators(
        on_map(stars, model), stars.cell, stars.limits, cells, counts,
        {"rows": sample.cell.size, "calibrate": stars.cell.size}, np.ones(stars.cell.size, bool),
    )  # fmt: skip
    return calibrate_stars(given, model, options, model.config.run.n_workers, lambda *_: None)


def with_calibration(model: Model, result: Calibration) -> Model:
    """Model that uses a calibration, by way of its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calibration.fits"
        write_calibration(result, path, {"name": "simulated", "sha256": ""})
        return model.with_learned(load_learned(path))


def infer(
    sample: Sample, model: Model, e_jks: Floats | None = None, tau: Floats | None = None
) -> Posteriors:
    """Posteriors of stars under the reddening of a model, or under the one that is given."""
    mean, scatter = model.reddening(sample.data.l_deg, sample.data.b_deg)
    data = sample.data._replace(
        e_jks_rc=mean if e_jks is None else e_jks, tau=scatter if tau is None else tau
    )
    ids = np.arange(sample.cell.size)
    keys = np.column_stack([star_key(5, ids, r) for r in range(N_DRAWS)])
    summary, draws = model.posterior.infer(data, keys, 2)
    rank = ranks(draws.distance_pc, sample.distance_pc, seed=9)
    quantile = summary.distance_quantile_pc
    covered = (sample.distance_pc >= quantile[:, 1]) & (sample.distance_pc <= quantile[:, 3])
    probability = summary.probability[:, NUCLEAR].sum(axis=1).astype(np.float64)
    mean, std = nsd_distances(model, data)
    return Posteriors(sample, probability, covered, rank, mean, std)


def nsd_distances(model: Model, data: Observations) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the distance of stars, were they of the nuclear disc [pc]."""
    means, stds = [], []
    d = model.grid.centre_pc
    for start in range(0, data.l_deg.size, 400):
        joint, _ = model.posterior.joint(data.take(slice(start, start + 400)))
        p = joint[:, NUCLEAR].sum(axis=1)
        p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-30)
        mean = p @ d
        means.append(mean)
        stds.append(np.sqrt(np.maximum(p @ d**2 - mean**2, 0.0)))
    return np.concatenate(means), np.concatenate(stds)


def near_far_auc(found: Posteriors, r0_pc: float) -> float:
    """How well the mean distance tells the near from the far side, for stars of the disc."""
    of_disc = found.sample.nuclear
    far = found.sample.distance_pc > r0_pc
    return area_under_curve(found.nsd_mean_pc[of_disc], far[of_disc])


def difference(a: Posteriors, b: Posteriors) -> tuple[float, float]:
    """Paired difference of the Brier scores, and its standard error."""
    d = a.squared - b.squared
    return float(d.mean()), float(d.std() / np.sqrt(d.size))


class Line(NamedTuple):
    """A line of the table: a number and the range in which it should lie."""

    test: str
    quantity: str
    value: float
    low: float
    high: float

    @property
    def threshold(self) -> str:
        """The range in words."""
        if np.isinf(self.low):
            return f"< {self.high:g}"
        if np.isinf(self.high):
            return f"> {self.low:g}"
        return f"{self.low:g} to {self.high:g}"

    @property
    def measured(self) -> str:
        """The number."""
        return f"{self.value:.4f}"


def row(lines: list[Line]) -> tuple[str, bool]:
    """Row of the table from the same line of several seeds, and whether it fails.

    It fails if the mean is outside its range by more than two standard errors; outside by less it
    is undecided. With one seed there is no error.
    """
    values = np.array([line.value for line in lines])
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0
    first = lines[0]
    outside = max(first.low - mean, mean - first.high)
    verdict = "ok" if outside < 0.0 else "undecided" if outside < 2.0 * error else "**fails**"
    measured = f"{mean:.4f} ± {error:.4f}" if values.size > 1 else f"{mean:.4f}"
    text = f"| {first.test} | {first.quantity} | {first.threshold} | {measured} | {verdict} |"
    return text, outside >= 2.0 * error and outside >= 0.0


def check(test: str, quantity: str, value: float, low: float, high: float) -> Line:
    """Return a line of the table."""
    return Line(test, quantity, float(value), low, high)


def reddening_of_cells(options: Any, n_stars: int, factor: float) -> Iterator[Line]:
    """Mean factor and error bars of cells, from a wrong map."""
    sample = draw_sample(options)
    model = wrong_map(make_model(), factor)
    rows, _ = split(sample, n_stars, 0, options.seed)
    result = calibrated(sample, rows, model, Options(law="none", local=False))
    own = result.source == 0
    error = result.fit.factor[own] - 1.0 / factor
    name = f"factor of a cell, {n_stars} stars, map x {factor:g}"
    bias, sd = (0.012, 0.025) if n_stars <= 30 else (0.007, 0.015)
    yield check(name, "bias", abs(float(error.mean())), -np.inf, bias)
    yield check(name, "sd over cells", float(error.std()), -np.inf, sd)
    if n_stars >= 100:
        chi = float(np.sqrt(np.mean((error / result.fit.factor_error[own]) ** 2)))
        yield check(name, "error over error bar", chi, 0.5, 1.6)


def posterior_after(options: Any, n_stars: int, factor: float) -> Iterator[Line]:
    """Posteriors with the calibrated extinction, and the control without."""
    sample = draw_sample(options)
    truth = make_model()
    model = wrong_map(truth, factor)
    rows, others = split(sample, n_stars, options.per_cell, options.seed)
    stars = sample.take(others)
    result = calibrated(sample, rows, model, Options(law="none", local=False))
    found = infer(stars, with_calibration(model, result))
    mean, scatter = truth.extinction_map.value(stars.data.l_deg, stars.data.b_deg, "subcell_mean")
    best = infer(stars, truth, mean, scatter)
    control = infer(stars, model, factor * mean, factor * scatter)
    name = f"posterior, {n_stars} stars a cell, map x {factor:g}"
    s = found.scores()
    if options.shared is not None:
        # Set for the fields of those lists: it depends on how many of their stars are nuclear.
        yield check(name, "Brier", s.brier, -np.inf, 0.185)
    yield check(name, "ECE", s.ece, -np.inf, 0.055)
    yield check(name, "68 % interval covers", s.coverage, 0.63, 0.72)
    yield check(name, "KS of the PIT", s.ks, -np.inf, 0.05)
    yield check(name, "Brier less true extinction", difference(found, best)[0], -np.inf, 0.006)
    if factor < 1.0:
        yield check(name, "KS of the control", control.scores().ks, 0.12, np.inf)


def local_reddening(options: Any) -> Iterator[Line]:
    """Neighbours against the Gaussian of the cell, all stars of the lists."""
    sample = draw_sample(options)
    model = wrong_map(make_model(), 0.93)
    cells = [np.unique(sample.cell[part])[0] for part in _by_field(sample)]
    rows = np.flatnonzero(np.isin(sample.cell, cells))
    both = calibrated(sample, rows, model, Options(law="none"))
    alone = calibrated(sample, rows, model, Options(law="none", local=False))
    rng = np.random.default_rng(options.seed)
    some = np.sort(rng.permutation(rows)[: 4 * options.per_cell * 2])
    stars = sample.take(some)
    found, cell = (infer(stars, with_calibration(model, r)) for r in (both, alone))
    s = found.scores()
    name = "local, nearest neighbours"
    yield check(name, "Brier less cell Gaussian", difference(found, cell)[0], -np.inf, -0.010)
    yield check(name, "68 % interval covers", s.coverage, 0.63, 0.74)
    yield check(name, "KS of the PIT", s.ks, -np.inf, 0.06)


def _by_field(sample: Sample) -> list[NDArray[np.int64]]:
    """Rows of the stars of every field: one in every quadrant."""
    quadrant = 2 * (sample.data.l_deg > 0.0) + (sample.data.b_deg > 0.0)
    return [np.flatnonzero(quadrant == q) for q in range(4)]


def wrong_law(options: Any) -> Iterator[Line]:
    """Stars reddened by the laws of the quadrants, calibrated from another law."""
    name = "law of the quadrants, start Wang & Chen"
    sample = draw_sample(options, "nishiyama_2009_quadrants")
    truth, model = make_model("nishiyama_2009_quadrants"), make_model()
    rows, others = split(sample, 60, options.per_cell, options.seed)
    result = calibrated(sample, rows, model, Options(law="quadrants", local=False))
    for row in sorted(result.law_fits):
        true, fitted = truth.law.rows[row], result.law.rows[row]
        # Both in units of the same colour excess.
        error = fitted[2] / (fitted[0] - fitted[2]) - true[2] / (true[0] - true[2])
        yield check(name, f"error of A_Ks/E, quadrant {row}", abs(float(error)), -np.inf, 0.04)
    stars = sample.take(others)
    mean, scatter = truth.extinction_map.value(stars.data.l_deg, stars.data.b_deg, "subcell_mean")
    found, best = infer(stars, with_calibration(model, result)), infer(stars, truth, mean, scatter)
    yield check(name, "KS of the PIT", found.scores().ks, -np.inf, 0.09)
    yield check(name, "Brier less true law", difference(found, best)[0], -np.inf, 0.006)


def law_of_fields(options: Any) -> Iterator[Line]:
    """Fit the law of every field by itself, from as few stars as are allowed."""
    name = "law of each field, 80 stars, start Wang & Chen"
    sample = draw_sample(options, "nishiyama_2009_quadrants")
    truth, model = make_model("nishiyama_2009_quadrants"), make_model()
    errors = []
    for rows in _by_field(sample):
        field = sample.take(rows)
        some, _ = split(field, 22, 0, options.seed)
        result = calibrated(field, some, model, Options(law="one", local=False))
        if not result.law_fits:
            continue
        place = field.data.l_deg[:1], field.data.b_deg[:1]
        true, fitted = truth.law.kappa(*place)[0], result.law.rows[0]
        error = fitted[2] / (fitted[0] - fitted[2]) - true[2] / (true[0] - true[2])
        errors.append(error * (fitted[0] - fitted[2]) / result.law_fits[0].kappa_error[2])  # type: ignore[attr-defined]
        yield check(name, f"error of A_Ks/E, field {len(errors)}", abs(error), -np.inf, 0.04)
    chi = float(np.sqrt(np.mean(np.square(errors))))
    yield check(name, "error over error bar", chi, -np.inf, 2.5)


def without_j(options: Any) -> Iterator[Line]:
    """Stars without J, inferred from what they have: nothing is made of the non-detection."""
    sample = draw_sample(options)
    _, rows = split(sample, 0, options.per_cell, options.seed)
    stars = sample.take(rows)
    mag = stars.data.mag.copy()
    faint = mag[:, 0] >= J_LIMIT
    mag[faint, 0] = np.nan
    error = np.where(np.isfinite(mag), stars.data.mag_error, np.nan)
    cut = stars._replace(data=stars.data._replace(mag=mag, mag_error=error))
    for extinction, model in (("known", make_model(map_value="subcell")), ("cell", make_model())):
        s = infer(cut.take(np.flatnonzero(faint)), model).scores()
        name = f"stars without J (J > {J_LIMIT:g}), {extinction} extinction"
        yield check(name, "ECE", s.ece, -np.inf, 0.06)
        yield check(name, "68 % interval covers", s.coverage, 0.63, 0.72)


def without_selection(stars: Sample, result: Calibration, model: Model) -> Calibration:
    """Return a calibration with weights from a selection that knows nothing of the limits.

    It takes all stars of a line of sight, however faint, for equally likely to be in the sample.
    """
    l_deg, b_deg = model.extinction_map.cell_centre(result.cell)
    density = expected_density(model, l_deg, b_deg, result.e_map, ALL_MAG)
    of_star = density[np.searchsorted(result.cell, stars.cell)]
    calibrated_model = with_calibration(model, replace_weights(result))
    mean, scatter = calibrated_model.reddening(stars.data.l_deg, stars.data.b_deg)
    data = stars.data._replace(e_jks_rc=mean, tau=scatter)
    parts = calibrated_model.posterior.part_evidence(data, 2)
    z = np.zeros((data.n_star, len(GROUPS)))
    for part, group in enumerate(GROUP_OF_PART):
        z[:, group] += parts[:, part]
    # Nothing is too faint, whatever the reddening.
    expected = of_star[:, :, FACTORS.size // 2]
    found = fit_weights(lambda scale: (z, expected), np.zeros(data.n_star), free_scale=False)
    return replace(result, weights=found)


def fractions(options: Any, dropped: float, known: bool) -> Iterator[Line]:
    """Weights of the components, with part of the nuclear disc missing in the truth."""
    map_value = "subcell" if known else "subcell_mean"
    sample = draw_sample(options)
    rng = np.random.default_rng(options.seed + 1)
    missing = np.isin(sample.component, NUCLEAR) & (rng.random(sample.cell.size) < dropped)
    sample = sample.take(np.flatnonzero(~missing))
    model = make_model(map_value=map_value)
    rows, others = split(sample, options.fraction_stars, options.per_cell, options.seed)
    stars = sample.take(others)
    with_weights = Options(law="none", local=not known, fractions=True, extinction=not known)
    result = calibrated(sample, rows, model, with_weights)
    plain = infer(stars, with_calibration(model, replace_weights(result)))
    found = infer(stars, with_calibration(model, result))
    name = f"fractions, {dropped:.0%} of NSD missing, {'known' if known else 'cell'} extinction"
    ratio, error = result.weights.ratio
    s = found.scores()
    if dropped:
        low, high, ece_max = (0.57, 0.87, 0.035) if known else (0.48, 0.98, 0.05)
        yield check(name, "nuclear over bar", ratio, low, high)
        off = abs(np.log(ratio / (1.0 - dropped))) * ratio / error
        yield check(name, "error over error bar", float(off), -np.inf, 2.5)
        yield check(name, "ECE", s.ece, -np.inf, ece_max)
    else:
        low, high = (0.8, 1.25) if known else (0.7, 1.45)
        yield check(name, "nuclear over bar", ratio, low, high)
        yield check(name, "ECE less prior's", s.ece - plain.scores().ece, -np.inf, 0.015)
        wrong = without_selection(sample.take(rows), result, model)
        without = infer(stars, with_calibration(model, wrong)).scores()
        yield check(name, "ECE, selection without limits", without.ece, 0.08, np.inf)


def replace_weights(result: Calibration) -> Calibration:
    """Return the same calibration with weights of one."""
    return replace(result, weights=usual_weights())


def motions(options: Any) -> Iterator[Line]:
    """Proper motions, with known extinction and with the scatter of a cell."""
    sample = draw_sample(options)
    _, rows = split(sample, 0, options.per_cell, options.seed)
    stars = sample.take(rows)
    known, scattered = make_model(map_value="subcell"), make_model()
    r0 = known.galaxy.sun.r0_pc
    for extinction, model in (("known", known), ("cell", scattered)):
        plain = infer(stars, model)
        for error in (1.0, 0.3) if extinction == "known" else (1.0,):
            name = f"motions, {error:g} mas/yr, {extinction} extinction"
            found = infer(with_motions(stars, error, options.seed), model)
            s = found.scores()
            if error == 1.0 and extinction == "known":
                gain = difference(found, plain)[0]
                yield check(name, "Brier less no motion", gain, -np.inf, -0.025)
                yield check(name, "AUC", s.auc, 0.91, np.inf)
                yield check(name, "ECE", s.ece, -np.inf, 0.035)
                yield check(name, "68 % interval covers", s.coverage, 0.64, 0.72)
            elif error == 1.0:
                gain = difference(found, plain)[0]
                yield check(name, "Brier less no motion", gain, -np.inf, -0.020)
                of_disc = stars.nuclear
                ratio = float((found.nsd_std_pc[of_disc] / plain.nsd_std_pc[of_disc]).mean())
                yield check(name, "width of NSD distances, ratio", ratio, -np.inf, 0.88)
                yield check(name, "near or far, AUC", near_far_auc(found, r0), 0.76, np.inf)
                yield check(name, "ECE", s.ece, -np.inf, 0.055)
                yield check(name, "KS of the PIT", s.ks, -np.inf, 0.05)
            else:
                yield check(name, "Brier", s.brier, -np.inf, 0.105)
                yield check(name, "near or far, AUC", near_far_auc(found, r0), 0.89, np.inf)


def experiments(options: Any) -> list[tuple[str, Callable[[], Iterator[Line]]]]:
    """All of them, by name."""
    todo: list[tuple[str, Callable[[], Iterator[Line]]]] = [
        ("motions", lambda: motions(options)),
        ("without_j", lambda: without_j(options)),
    ]
    for factor in (0.93, 1.07):
        for n in (30, 100):
            todo.append(
                ("cells", lambda n=n, f=factor: reddening_of_cells(options, n, f))  # type: ignore[misc]
            )
        todo.append(("posterior", lambda f=factor: posterior_after(options, 30, f)))  # type: ignore[misc]
    todo.append(("local", lambda: local_reddening(options)))
    todo.append(("law", lambda: wrong_law(options)))
    todo.append(("law_of_fields", lambda: law_of_fields(options)))
    for dropped in (0.3, 0.0):
        for known in (True, False):
            todo.append(
                ("fractions", lambda d=dropped, k=known: fractions(options, d, k))  # type: ignore[misc]
            )
    return todo


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument(
        "--seeds", type=int, nargs="+", default=[41, 42, 43, 44], help="seeds of stars and noise"
    )
    found.add_argument("--per-cell", type=int, default=80, help="stars a cell that are inferred")
    found.add_argument(
        "--fraction-stars", type=int, default=225, help="stars a cell that weights are fitted to"
    )
    names = "motions without_j cells posterior local law law_of_fields fractions"
    found.add_argument("--only", nargs="*", default=[], help=names)
    found.add_argument(
        "--shared", type=Path, help="take stars of genstars from this folder, not of simulate"
    )
    return found


def main() -> None:
    options = parser().parse_args()
    print("| test | quantity | threshold | measured | |\n|---|---|---|---|---|")
    tables = [
        experiments(argparse.Namespace(**vars(options) | {"seed": seed})) for seed in options.seeds
    ]
    failed = total = 0
    for same in zip(*tables, strict=True):
        name = same[0][0]
        if options.only and name not in options.only:
            continue
        begin = time.process_time()
        for lines in zip(*(list(run()) for _, run in same), strict=True):
            text, fails = row(list(lines))
            print(text, flush=True)
            failed, total = failed + fails, total + 1
        print(f"{name}: {time.process_time() - begin:.0f} s of processor time", file=sys.stderr)
    print(f"{failed} of {total} lines fail", file=sys.stderr)


if __name__ == "__main__":
    main()
