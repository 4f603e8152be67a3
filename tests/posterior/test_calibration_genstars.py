"""Calibration on stars drawn by an independent program, genstars."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

N_PER_FIELD = 400


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "calibration.py"
    spec = importlib.util.spec_from_file_location("benchmark_calibration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    sys.path.remove(str(path.parent))
    return module


def measure(benchmark: ModuleType, shared_dir: Path, row: Any) -> Any:
    return benchmark.measure(row, shared_dir, N_PER_FIELD, workers=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stars", "map_value", "largest_brier"),
    [("cellmean", "cell_mean", 0.155), ("subcell", "subcell", 0.165)],
)
def test_calibrated(
    benchmark: ModuleType, shared_dir: Path, stars: str, map_value: str, largest_brier: float
) -> None:
    scores = measure(benchmark, shared_dir, benchmark.Row("", "", stars, map_value))
    assert scores.n > 1900
    assert scores.brier <= largest_brier
    assert scores.ece <= 0.04
    assert 0.64 <= scores.coverage <= 0.72
    assert scores.ks < 0.06


@pytest.mark.slow
def test_default_scatter_keeps_the_probabilities(benchmark: ModuleType, shared_dir: Path) -> None:
    """The truth has no scatter within a sub-cell, so intervals are too wide, never too narrow."""
    row = benchmark.Row("", "", "subcell", "subcell", residual_scatter_mag=0.05)
    scores = measure(benchmark, shared_dir, row)
    assert scores.brier <= 0.165
    assert scores.ece <= 0.04
    assert 0.64 <= scores.coverage <= 0.80


@pytest.mark.slow
def test_control_fails(benchmark: ModuleType, shared_dir: Path) -> None:
    """Sub-cell stars under the cell mean without scatter: confidently wrong."""
    scores = measure(benchmark, shared_dir, benchmark.Row("", "", "subcell", "cell_mean"))
    assert scores.brier > 0.2
    assert scores.coverage < 0.4
