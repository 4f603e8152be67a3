"""Estimates of memory and time."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gcmock.astrometry.solver import plan
from gcmock.astrometry.solver.plan import Size, check, estimate
from gcmock.errors import InputError

SMALL = Size(1_000, 0, 500, 5, 17, 100_000)


def test_the_smaller_matrix_is_kept():
    assert SMALL.n_instrument == 3 * 500 + 5 * 17
    assert SMALL.order == "sources"
    many = Size(100, 0, 500, 5, 17, 100_000)
    assert many.order == "instrument"
    assert estimate(SMALL, gflops=1.0).n_reduced == SMALL.n_instrument
    assert estimate(many, gflops=1.0).n_reduced == 500
    assert estimate(SMALL, "instrument", 1.0).n_reduced == 5_000


def test_time_is_operations_over_speed():
    """Twice the speed halves what does not sweep over the observations."""
    sweeps = 12.0 * 100_000 * plan.SWEEP_S / 60.0
    slow, fast = (estimate(SMALL, gflops=g).minutes - sweeps for g in (1.0, 2.0))
    assert slow == pytest.approx(2.0 * fast)


@pytest.mark.parametrize("order", ["sources", "instrument"])
def test_memory_grows_with_everything(order):
    base = estimate(SMALL, order, 1.0).memory_gb
    for name in ("n_primary", "n_secondary", "n_visit", "n_block", "n_observation"):
        values = dict(vars(SMALL))
        values[name] = 2 * values[name] or 1_000
        # As many observations of a star in a visit as before.
        values["n_observation"] = 200_000
        assert estimate(Size(**values), order, 1.0).memory_gb > base


def test_speed_is_measured(monkeypatch):
    ticks = iter([0.0, 0.5, 1.0, 1.25])
    monkeypatch.setattr(plan.time, "perf_counter", lambda: next(ticks))
    # The better of two products of 2e9 operations: 0.25 s.
    assert plan.measured_gflops() == pytest.approx(8.0)


def test_free_memory_is_what_the_system_says(monkeypatch):
    text = "MemTotal:  4000 kB\nMemAvailable:   2000000 kB\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert plan.available_gb() == pytest.approx(2.048)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "nothing\n")
    monkeypatch.setattr(plan.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 10**6),
                        raising=False)  # fmt: skip
    assert plan.available_gb() == pytest.approx(4.096)
    monkeypatch.delattr(plan.os, "sysconf")
    assert plan.available_gb() == math.inf


def test_a_limit_is_nine_tenths_of_what_is_free(monkeypatch):
    monkeypatch.setattr(plan, "measured_gflops", lambda: 10.0)
    needed = estimate(SMALL).memory_gb
    monkeypatch.setattr(plan, "available_gb", lambda: needed / 0.89)
    assert check(SMALL, "auto", None) == estimate(SMALL)
    monkeypatch.setattr(plan, "available_gb", lambda: needed / 0.91)
    with pytest.raises(InputError, match="or raise --memory-limit"):
        check(SMALL, "auto", None)
    assert check(SMALL, "auto", needed).n_reduced == SMALL.n_instrument


def test_secondaries_are_blamed_where_there_are_any():
    size = Size(1_000, 5_000, 500, 5, 17, 100_000)
    with pytest.raises(InputError, match="no secondary stars") as caught:
        check(size, "auto", 0.01)
    assert "1,585 unknowns stay after the elimination of the stars" in str(caught.value)
    with pytest.raises(InputError) as caught:
        check(SMALL, "auto", 0.01)
    assert "secondary" not in str(caught.value)


def test_plans_grow_with_the_problem():
    size = Size(7_700, 69_000, 5_400, 90, 17, 31_000_000)
    assert size.order == "sources"
    plan = estimate(size, gflops=25.0)
    assert 3.0 < plan.memory_gb < 8.0
    assert plan.n_reduced == 17_730
    mission = Size(7_700, 69_000, 32_700, 549, 17, 186_000_000)
    assert mission.order == "instrument"
    assert 150.0 < estimate(mission, gflops=25.0).memory_gb < 230.0
    alone = estimate(Size(7_700, 0, 32_700, 549, 17, 19_000_000), gflops=25.0)
    assert 12.0 < alone.memory_gb < 18.0
    assert 3.5 < alone.minutes / 60.0 < 6.5
    with pytest.raises(InputError, match="--primary-limit"):
        check(mission, "auto", 8.0)
    with pytest.raises(InputError, match="--order instrument"):
        check(Size(1_000, 0, 32_700, 549, 17, 1_000_000), "sources", 8.0)


MISSION = Size(7_584, 67_908, 32_846, 555, 17, 216_537_567)
BILLION = Size(75_492, 0, 131_384, 555, 17, 1_000_000_000)


def test_large_problems_go_to_the_iterative_solver():
    assert check(SMALL, "auto", 20.0, solver="auto").solver == "direct"
    assert check(MISSION, "auto", 20.0, solver="auto", workers=2).solver == "iterative"
    assert check(SMALL, "auto", 20.0, solver="iterative").solver == "iterative"
    with pytest.raises(InputError, match="is for --solver direct"):
        check(SMALL, "sources", 20.0, solver="iterative")
    with pytest.raises(InputError, match=r"allowed are 0\.1 GB"):
        check(MISSION, "auto", 0.1, solver="iterative")
    with pytest.raises(InputError, match="--solver iterative"):
        check(MISSION, "auto", 1.0, solver="direct")


def test_observations_take_few_bytes():
    """A billion observations stay below 24 GB, those of the mission below 6 GB."""
    everything = Size(75_492, 0, 32_846, 555, 17, 216_537_567)
    assert plan.estimate_iterative(BILLION, 2).memory_gb < 24.0
    assert plan.estimate_iterative(everything, 2).memory_gb < 6.0
    robust = plan.estimate_iterative(everything, 2, robust=True)
    assert plan.estimate_iterative(everything, 2).memory_gb < robust.memory_gb
    alone, pair = (plan.estimate_iterative(MISSION, n).minutes for n in (1, 2))
    assert alone > pair
