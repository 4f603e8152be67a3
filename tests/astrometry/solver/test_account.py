"""The account of a solution: what it says of modes. The rest is tested through files."""

from __future__ import annotations

import numpy as np
from synthetic import make

from gcmock.astrometry.solver.account import _modes, peak_memory_gb
from gcmock.astrometry.solver.gauss_newton import iterate


def test_free_modes_have_no_error():
    problem, _, start = make(n_source=60, n_visit=20, n_block=2, references=0.0)
    rows = {m["name"]: m for m in _modes(iterate(problem, start))}
    assert rows["offset_ra"]["error"] is None
    assert rows["offset_ra"]["determined_by"] == "start values"
    assert rows["parallax"]["error"] > 0.0
    problem, _, start = make(n_source=60, n_visit=20, n_block=2)
    rows = {m["name"]: m for m in _modes(iterate(problem, start))}
    assert rows["offset_ra"]["error"] > 0.0
    assert rows["offset_ra"]["determined_by"] == "references"


def test_memory_is_a_number_where_the_system_says():
    peak = peak_memory_gb()
    assert peak is None or np.isfinite(peak)
