"""Simulation-based calibration: the table of docs/results.md.

    python benchmarks/sbc.py

Simulates and infers the stars of `tests/validation/test_sbc.py`, which asserts that these numbers
are those of chance, and prints them. KS is the distance of the ranks of the true values among the
draws from a uniform distribution; its limit is that of the test. ECE is that of P(disc) and of
P(nsd) + P(nsc).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from gcmock.validation.scores import coverage, expected_calibration_error, ks_uniform, ranks
from printed import table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "validation"))

import test_sbc as sbc

HEAD = (
    "populations", "stars", "KS of distance (limit)", "KS of reddening", "68 %", "90 %", "ECE disc",
    "ECE nuclear", "nuclear stars, true / expected",
)  # fmt: skip


def cells(populations: str) -> list[str]:
    """Row of the table."""
    found = sbc.simulate_and_infer(populations)
    n = found.distance_pc.size
    distance, reddening = (
        ks_uniform(ranks(draws, truth))
        for draws, truth in (
            (found.draws.distance_pc, found.distance_pc),
            (found.draws.e_jks, found.e_jks),
        )
    )
    q, d = found.summary.distance_quantile_pc, found.distance_pc
    covered = [coverage(d, q[:, a], q[:, b]) for a, b in ((1, 3), (0, 4))]
    errors, counts = [], ""
    for group in (sbc.DISC, sbc.NUCLEAR):
        p = np.clip(found.summary.probability[:, group].sum(axis=1, dtype=np.float64), 0.0, 1.0)
        happened = np.isin(found.component, group)
        errors.append(expected_calibration_error(p, happened))
        counts = f"{happened.sum():,} / {p.sum():,.0f}"
    return [
        populations, f"{n:,}", f"{distance:.3f} ({1.6 / np.sqrt(n):.3f})", f"{reddening:.3f}",
        *(f"{x:.3f}" for x in (*covered, *errors)), counts,
    ]  # fmt: skip


if __name__ == "__main__":
    table(HEAD, map(cells, sbc.POPULATIONS))
