"""The benchmark of calibration and motions, on small samples."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gcmock.calibration.local_reddening import N_NEIGHBOURS


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "extensions.py"
    spec = importlib.util.spec_from_file_location("benchmark_extensions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    # Two fields are enough, and quicker to simulate.
    module.FIELDS = module.FIELDS[:2]
    return module


@pytest.fixture(scope="module")
def options() -> Namespace:
    return Namespace(seed=31, per_cell=40, shared=None)


def by_quantity(lines) -> dict[str, float]:
    return {line.quantity: float(line.measured) for line in lines}


@pytest.mark.slow
@pytest.mark.parametrize("factor", [pytest.param(0.93, marks=pytest.mark.long), 1.07])
def test_cells_forget_a_wrong_map(benchmark, options, factor):
    """Half as many cells as the full run: the same scatter, a bias within its error."""
    found = by_quantity(benchmark.reddening_of_cells(options, 100, factor))
    assert found["bias"] < 0.015
    assert found["sd over cells"] < 0.025
    assert 0.4 < found["error over error bar"] < 1.8


@pytest.mark.slow
def test_posterior_recovers(benchmark, options):
    """320 stars: coverage to three standard errors; the control fails."""
    found = by_quantity(benchmark.posterior_after(options, 30, 0.93))
    assert found["ECE"] < 0.09
    assert 0.60 < found["68 % interval covers"] < 0.76
    assert found["KS of the PIT"] < 0.09
    assert found["Brier less true extinction"] < 0.012
    assert found["KS of the control"] > 0.12


@pytest.mark.slow
def test_motions_gain(benchmark, options):
    lines = list(benchmark.motions(options))
    known = by_quantity(x for x in lines if "1 mas/yr, known" in x.test)
    assert known["Brier less no motion"] < -0.01
    assert known["AUC"] > 0.88
    assert known["ECE"] < 0.06
    assert 0.60 < known["68 % interval covers"] < 0.76
    cell = by_quantity(x for x in lines if "1 mas/yr, cell" in x.test)
    assert cell["Brier less no motion"] < -0.01
    assert cell["width of NSD distances, ratio"] < 0.92
    assert cell["near or far, AUC"] > 0.70


@pytest.mark.slow
def test_evidence_knows_the_law(benchmark, options):
    """Stars reddened by another law: its evidence is far larger than that of the law of the map."""
    law = "nishiyama_2009_quadrants"
    sample, model = benchmark.draw_sample(options, law), benchmark.make_model()
    data = sample.data
    e_jks = model.extinction_map.value(data.l_deg, data.b_deg, "subcell_mean")[0]
    row = benchmark.make_model(law).law.row(data.l_deg, data.b_deg)
    seen = data._replace(e_jks_rc=e_jks, tau=np.full(e_jks.size, 0.12))
    seen = seen.take(np.flatnonzero(row == row[0])[:400])
    right, base = benchmark.make_model(law).posterior, model.posterior
    both = [posterior.log_evidence(seen) for posterior in (right, base)]
    known = np.isfinite(both).all(axis=0)
    assert known.mean() > 0.9
    assert (both[0] - both[1])[known].sum() > 5.0


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.2,), "**fails**"),
        ((0.05,), "ok"),
        ((0.09, 0.13), "undecided"),
        ((0.14, 0.16), "**fails**"),
        ((0.02, 0.12), "ok"),
    ],
)
def test_lines_are_judged_by_mean_and_error(benchmark, values, verdict):
    """Outside by less than two standard errors is undecided; one seed has no error."""
    lines = [benchmark.check("test", "quantity", v, -np.inf, 0.1) for v in values]
    text, fails = benchmark.row(lines)
    assert text.endswith(f"| {verdict} |")
    assert fails == (verdict == "**fails**")
    assert ("±" in text) == (len(values) > 1)


@pytest.mark.slow
def test_stars_without_j_are_calibrated(benchmark, options):
    """Nothing is made of the non-detection: what is left of the star is inferred without bias."""
    for line in benchmark.without_j(options):
        if line.quantity == "ECE":
            assert line.value < 0.11
        else:
            assert 0.58 < line.value < 0.78


def test_few_neighbours_are_tried():
    """More than ten reach into other sub-cells, and their widths become too small."""
    assert max(N_NEIGHBOURS) <= 10
