"""observe, solve and compare: from a table in memory to a comparison."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import gcmock
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs


@pytest.fixture(scope="module")
def truth():
    """True stars spread over the JASMINE window, with units."""
    n, rng = 1200, np.random.default_rng(3)
    ra, dec = galactic_to_icrs(rng.uniform(-1.4, 0.7, n), rng.uniform(-0.6, 0.6, n))
    h = rng.uniform(10.0, 13.5, n)
    return QTable(
        {
            "source_id": np.arange(n),
            "ra": ra * u.deg,
            "dec": dec * u.deg,
            "ref_epoch": np.full(n, 2016.0) * u.yr,
            "parallax": rng.uniform(0.1, 1.0, n) * u.mas,
            "pmra": rng.normal(0.0, 4.0, n) * u.mas / u.yr,
            "pmdec": rng.normal(0.0, 4.0, n) * u.mas / u.yr,
            "radial_velocity": rng.normal(0.0, 100.0, n) * u.km / u.s,
            "component": np.full(n, "nsd"),
            "phot_j_mag": (h + 0.8) * u.mag,
            "phot_ks_mag": (h - 0.3) * u.mag,
            "phot_hw_mag": (h + 0.3) * u.mag,
        }
    )


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mission": "gaianir"}, "mission gaianir cannot be observed"),
        ({"faint": "all"}, "faint = 'all': expected one number in mag"),
        ({"set": {"schedule.visit": 3}}, "schedule.visit: unknown key; did you mean 'visits'"),
        ({"realisation": 3}, "has no column realisation, so there is only realisation 0"),
    ],
)
def test_errors_of_observe(truth, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        gcmock.observe(truth, tmp_path / "observations", **options)


def test_errors_of_solve_and_compare(truth, tmp_path):
    with pytest.raises(InputError, match="memory_limit = 'all': expected one number in Gbyte"):
        gcmock.solve(tmp_path, tmp_path / "solution", memory_limit="all")
    with pytest.raises(InputError, match=str(tmp_path)):
        gcmock.solve(tmp_path, tmp_path / "solution")
    with pytest.raises(InputError, match=str(tmp_path)):
        gcmock.compare(tmp_path, truth)
