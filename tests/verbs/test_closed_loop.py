"""observe, solve and compare: from a table in memory to a comparison."""

from __future__ import annotations

import astropy.units as u
import pytest

import gcmock


@pytest.mark.long
def test_the_loop(truth, tmp_path, shown):
    settings = {"calibration.block_days": 120, "reference.g_max": 15.5}
    seen = gcmock.observe(
        truth, tmp_path / "observations", visits=150, primaries_max=12 * u.mag, set=settings
    )
    shown(seen, tmp_path / "observations", "150")
    solution = gcmock.solve(tmp_path / "observations", tmp_path / "solution", memory_limit=2 * u.GB)
    shown(solution, tmp_path / "solution", "primary")
    done = gcmock.compare(tmp_path / "solution", truth, tmp_path / "comparison")
    shown(done, "star", tmp_path / "comparison" / "comparison.json")
    assert len(done.files) >= 5
    assert gcmock.compare(tmp_path / "solution", truth.to_pandas()).files == ()
