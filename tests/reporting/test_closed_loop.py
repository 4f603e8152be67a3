"""Accounts of solutions and of comparisons in the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from gcmock.astrometry.comparison.tables import GOALS
from gcmock.reporting.closed_loop import closed_loop_stages, print_comparison, print_solution


def lines_of(capsys):
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def account():
    step = {"chi2": 1234.5, "largest_shift_mas": 0.5, "largest_attitude_shift_mas": 2.0}
    return {
        "n_primary": 1000, "n_secondary": 2500, "n_reference_primary": 10,
        "n_reference_secondary": 20, "reference": "/data/gaia.fits", "n_visit": 40, "n_block": 5,
        "n_unknown": 5200, "order": "sources", "n_reduced": 200, "robust": "none",
        "chi2_per_freedom": 1.0123, "n_freedom": 90000, "condition": 3.2e6,
        "downweighted_fraction": 0.0123, "variance_factor": 1.02,
        "passes": [step | {"factorised": True}, step | {"factorised": False}],
        "modes": [
            {"name": "turn", "eigenvalue_observations": 1e-9, "error": None,
             "determined_by": "nothing"},
            {"name": "scale", "eigenvalue_observations": 0.5, "error": 0.0123,
             "determined_by": "references"},
        ],
        "remarks": ["few [references]"], "seconds": {"read": 1.0, "solve": 3.0},
        "memory_peak_gb": None, "minutes_estimated": 0.5, "memory_estimated_gb": 1.5,
    }  # fmt: skip


def test_solution(account, capsys):
    print_solution(Path("solution"), account)
    lines = lines_of(capsys)
    for line in (
        "stars 1,000 primary, 2,500 secondary",
        "references (gaia.fits) 10 primary, 20 secondary",
        "left when the stars are eliminated 200",
        "chi2 / degrees of freedom 1.0123 (90,000)",
        "condition of the scaled matrix 3.2e+06",
        # A star marks passes with a factorisation of their own.
        "1 * 1234.5 0.5 2",
        "2 1234.5 0.5 2",
        "turn 1.0e-09 free nothing",
        "scale 5.0e-01 0.0123 references",
        "note: few [references]",
        "solution: 4.0 s (estimated 30 s, 1.50 GB)",
    ):
        assert line in lines
    assert not any("less weight" in line for line in lines)


def test_robust_solution_that_eliminates_the_instrument(account, capsys):
    print_solution(
        Path("s"), account | {"robust": "huber", "order": "instrument", "memory_peak_gb": 0.25}
    )
    lines = lines_of(capsys)
    assert "left when the instrument are eliminated 200" in lines
    assert "chi2 / degrees of freedom, full weights 1.0123 (90,000)" in lines
    assert "observations with less weight (huber) 1.23%" in lines
    assert "factor on variances 1.020" in lines
    assert "s: 4.0 s, 0.25 GB (estimated 30 s, 1.50 GB)" in lines


def comparison(**more):
    account = {
        "common_modes": [
            {"name": "turn", "removed": 0.5, "primary_stars": 0.25, "primary_stars_error": None},
            {"name": "scale", "removed": 1.0, "primary_stars": 2.0, "primary_stars_error": 0.125},
        ],
        "chi2": [{"stars": "primary", "n": 300, "as_is": 1.5, "without_modes": 1.25}],
        "joint_chi2": None,
        "pulls": [
            {"parameter": "parallax", "mean_as_is": 0.1, "std_as_is": 1.1,
             "mean_without_modes": 0.0, "std_without_modes": 1.0},
        ],
    }  # fmt: skip
    tables = {
        "by_magnitude": {
            "phot_hw_mag": np.array([GOALS["parallax"][0] - 0.25, GOALS["parallax"][0] + 0.25]),
            "n_star": np.array([1200, 3400]),
            "parallax_formal": np.array([0.02, 0.03]),
            "parallax_robust": np.array([0.021, 0.033]),
        }
    }
    return account | more, tables


def test_comparison(capsys):
    print_comparison(*comparison())
    lines = lines_of(capsys)
    for line in (
        "turn 0.5 0.25 free",
        "scale 1 2 0.125",
        # Five parameters of every star.
        "single stars: primary 1,500 1.5000 1.2500",
        "parallax 0.100 1.100 0.000 1.000",
        # The goal is for stars brighter than 12.5 mag only.
        "12.0 - 12.5 1,200 20.0 21.0 25",
        "12.5 - 13.0 3,400 30.0 33.0",
    ):
        assert line in lines
    assert not any("jointly" in line or "NSD" in line for line in lines)


def test_joint_chi2_and_separation(capsys):
    joint = {
        "n_unknown": 1000, "all_unknowns": 1100.0, "all_without_modes": 990.0, "n_shared": 5,
        "shared": 10.0, "shared_without_modes": 3.0, "n_mode": 10,
    }  # fmt: skip
    account, tables = comparison(joint_chi2=joint)
    tables["separation"] = {
        "measure": ["parallax"], "hw_max": [14.5], "n_nsd": [1234], "found_50": [0.5],
        "purity_50": [0.75], "found_90": [0.25], "purity_90": [1.0],
    }  # fmt: skip
    print_comparison(account, tables)
    lines = lines_of(capsys)
    assert "jointly: all unknowns 1,000 1.1000 1.0000" in lines
    # Fewer shared unknowns than modes: divided by one at least.
    assert "jointly: attitude and distortion 5 2.0000 3.0000" in lines
    assert "parallax 14.5 1,234 50.0% 75.0% 25.0% 100.0%" in lines


def test_stages_of_a_terminal_and_of_none(monkeypatch):
    with closed_loop_stages() as stage:
        assert stage("reading") is None

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with closed_loop_stages() as stage:
        stage("reading")(1, 2)
        stage("solving")(2, 2)
    assert "solving" in terminal.getvalue()
