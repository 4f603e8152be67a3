"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import settings
from made_once import made_once

from gcmock.posterior.kernel import arrangement, lattice

# The same examples every time, so that a change is judged by what it changed; new ones are tried
# with HYPOTHESIS_PROFILE=search.
settings.register_profile("same", derandomize=True)
settings.register_profile("search", max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Every model makes the tables of its posterior afresh, half a second for each kind of star. Here
# the same nodes give the same table; replaced before other modules take the functions by name.
arrangement.coordinates = made_once(arrangement.coordinates)
lattice.sort_nodes = made_once(lattice.sort_nodes)
lattice.build_lattice = made_once(lattice.build_lattice)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: a worker that takes one last would work alone."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker("slow")
    n_slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -n_slow[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give whole files to the workers of ``-n auto``: what a file shares is then made once."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with the specifications and reference numbers, next to the project."""
    shared = Path(__file__).resolve().parents[2] / "shared"
    if not (shared / "reference").is_dir():
        pytest.skip(f"reference numbers not found in {shared / 'reference'}")
    return shared


@pytest.fixture(scope="session")
def few_stars() -> Callable[..., Table]:
    """Make tables of stars that are quick to infer: two bands, large errors, a small field."""

    def make(n: int, seed: int = 1, size_deg: float = 0.02) -> Table:
        rng = np.random.default_rng(seed)
        table = Table({"source_id": rng.permutation(10 * n)[:n]})
        table["l"] = 0.3 + size_deg * rng.random(n)
        table["b"] = -0.21 + size_deg * rng.random(n)
        table["phot_ks_mag"] = rng.uniform(11.0, 14.0, n)
        table["phot_h_mag"] = table["phot_ks_mag"] + rng.uniform(0.8, 1.4, n)
        table["phot_h_mag_error"] = table["phot_ks_mag_error"] = 0.1
        return table

    return make
