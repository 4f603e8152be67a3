"""Memory and time of a solution, estimated before it starts."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gcmock.astrometry.solver.elimination import GROUP_SIZE
from gcmock.errors import InputError

DIRECT_LARGEST: Final = 5000
"""Unknowns of the reduced matrix up to which the direct solver is taken: a minute, 1 GB."""

SWEEP_S = 0.4e-6
"""Time of one observation in a sweep, per thread [s]; measured on a 2.5 GHz core."""

READ_S: Final = 3.7e-6
"""Time of reading one observation and putting it into its strip [s]: 5 us for primary stars among
ten times as many others, 2.7 us where all are primary."""

PASS_S: Final = 84e-9
"""Time of one place of an observation in a pass with one right-hand side, per thread [s], so that
the primary stars of a season (48 s) and of the mission (252 s) come out right to a third."""

LANE_S: Final = 31e-9
"""The same for one of eight right-hand sides, in a half pass."""

BASE_BYTES = 0.35e9
"""Interpreter, libraries and compiled functions."""


@dataclass(frozen=True)
class Size:
    """Size of a solution.

    Attributes
    ----------
    n_primary, n_secondary, n_visit, n_block, n_term : int
    n_observation : int
        Two-dimensional observations, of primary and secondary stars.
    """

    n_primary: int
    n_secondary: int
    n_visit: int
    n_block: int
    n_term: int
    n_observation: int

    @property
    def n_instrument(self) -> int:
        """Unknowns of attitude and distortion."""
        return 3 * self.n_visit + self.n_block * self.n_term

    @property
    def order(self) -> str:
        """The order that leaves the smaller matrix."""
        return "sources" if self.n_instrument <= 5 * self.n_primary else "instrument"


@dataclass(frozen=True)
class Plan:
    """What a solution needs.

    Attributes
    ----------
    order : str
    n_reduced : int
        Side of the reduced matrix.
    memory_gb, minutes : float
    solver : str
        ``direct`` or ``iterative``.
    """

    order: str
    n_reduced: int
    memory_gb: float
    minutes: float
    solver: str = "direct"


def estimate(size: Size, order: str = "auto", gflops: float | None = None) -> Plan:
    """Estimate memory and time of a solution.

    Parameters
    ----------
    size : Size
    order : str
        ``sources``, ``instrument`` or ``auto``.
    gflops : float, optional
        Speed of matrix products [1e9 operations per second]; measured if not given.

    Notes
    -----
    A star is taken to be in n_observation / n_star visits; a group of stars sees half as many
    again, and all blocks. The reduced matrix of n unknowns costs n^3 / 3 operations to factorise
    and 2 n^3 / 3 to invert.
    """
    order = size.order if order == "auto" else order
    n_i, n_s = size.n_instrument, 5 * size.n_primary
    n = n_i if order == "sources" else n_s
    n_star = size.n_primary + size.n_secondary
    seen = min(1.0, 1.5 * size.n_observation / max(n_star * size.n_visit, 1))
    columns = seen * 3 * size.n_visit + size.n_block * size.n_term
    # In memory 40 bytes each, and what the reader holds meanwhile.
    observations = 60.0 * size.n_observation
    rows = 5 * min(GROUP_SIZE, n_star)
    working = 8.0 * (3 * rows * columns + columns**2)
    matrix = 8.0 * n**2
    flops = n**3 + 10.0 * n_star * columns**2
    if order == "sources":
        flops += 5.0 * size.n_primary * columns**2
    else:
        per_visit = 5.0 * seen * size.n_primary
        working = 8.0 * (3 * GROUP_SIZE * per_visit + per_visit**2 + 4500.0 * n_s)
        flops += 3.0 * size.n_visit * per_visit**2 + size.n_block * size.n_term * float(n_s) ** 2
        flops += 2.0 * n_i * float(n_s) ** 2
        if size.n_secondary:
            matrix += 8.0 * (2 * n_i * n_s + float(n_i) ** 2)
            working += 8.0 * columns**2
            flops += 2.0 * n_s * float(n_i) ** 2
    sweeps = 12.0 * size.n_observation * SWEEP_S
    speed = gflops or measured_gflops()
    return Plan(
        order,
        n,
        (BASE_BYTES + observations + working + matrix + 1500.0 * n_star) / 1e9,
        (flops / speed / 1e9 + sweeps) / 60.0,
    )


def estimate_iterative(size: Size, workers: int, *, robust: bool = False) -> Plan:
    """Estimate memory and time of a solution with conjugate gradients.

    Parameters
    ----------
    size : Size
    workers : int
        Threads.
    robust : bool
        Whether there are robust weights.

    Notes
    -----
    A star is taken to be in n_observation / n_star visits. Tiles of sixteen stars that reach over
    the edge of one of four detectors leave places empty: with f the fraction of the visits that see
    a star, a tile is 8 / sqrt(n_star f) sides of a detector large.
    """
    n_star = size.n_primary + size.n_secondary
    per_star = size.n_observation / max(n_star, 1)
    seen = per_star / max(size.n_visit, 1)
    places = 0.0
    for n in (size.n_primary, size.n_secondary):
        side = 8.0 / math.sqrt(max(n * seen, 1e-9))
        places += per_star * n * (1.0 + side) ** 2 if n else 0.0
    primary = places * size.n_primary * per_star / max(size.n_observation, 1)
    observations = (16.5 if robust else 12.5) * places + 300.0 * min(size.n_observation, 1_000_000)
    n_mode = 60.0 if primary > 5e7 else 115.0
    vectors = 8.0 * size.n_instrument * (8.0 * n_mode + 200.0)
    sweeps = n_mode * LANE_S + 45.0 * PASS_S * (2.0 if robust else 1.0)
    seconds = READ_S * size.n_observation
    seconds += (primary * sweeps + places * (2.0 * n_mode * LANE_S + 10.0 * PASS_S)) / workers
    return Plan(
        "sources",
        size.n_instrument,
        (BASE_BYTES + observations + vectors + 3500.0 * n_star) / 1e9,
        seconds / 60.0,
        "iterative",
    )


def measured_gflops() -> float:
    """Speed of a product of two 1000 x 1000 matrices [1e9 operations per second]."""
    a = np.ones((1000, 1000))
    best = np.inf
    for _ in range(2):
        begin = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - begin)
    return 2.0 / best


def available_gb() -> float:
    """Memory that is free now, or all there is where the system does not say [GB]."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 / 1e9
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        # Windows does not say: nothing is refused unless a limit is given.
        return math.inf


def check(
    size: Size,
    order: str,
    limit_gb: float | None,
    *,
    solver: str = "direct",
    robust: bool = False,
    workers: int = 1,
) -> Plan:
    """Choose the solver, and refuse a solution that would not fit into memory.

    Parameters
    ----------
    size : Size
    order : str
    limit_gb : float, optional
        Memory that may be used [GB]; nine tenths of what is free if not given.
    solver : str
        ``direct``, ``iterative``, or ``auto``: direct if the reduced matrix has at most
        `DIRECT_LARGEST` unknowns or an order is given.
    robust : bool
        Whether there are robust weights.
    workers : int
        Threads.

    Raises
    ------
    InputError
        With the estimate, the limit, and what would need less.
    """
    limit = 0.9 * available_gb() if limit_gb is None else limit_gb
    if solver == "iterative" and order != "auto":
        raise InputError(f"--order {order} is for --solver direct; leave one of them out")
    if solver == "auto":
        n = size.n_instrument if size.order == "sources" else 5 * size.n_primary
        small = n <= DIRECT_LARGEST and not (size.n_secondary and size.n_instrument > 2 * n)
        solver = "direct" if small or order != "auto" else "iterative"
    if solver == "iterative":
        plan = estimate_iterative(size, workers, robust=robust)
        if plan.memory_gb <= limit:
            return plan
        raise InputError(
            f"the solution needs about {plan.memory_gb:.1f} GB, allowed are {limit:.1f} GB; try "
            "fewer stars (--primary-limit with --no-secondaries) or fewer visits (gcmock observe), "
            "or raise --memory-limit"
        )
    plan = estimate(size, order)
    if plan.memory_gb <= limit:
        return plan
    advice = [f"--solver iterative ({estimate_iterative(size, workers).memory_gb:.1f} GB)"]
    for other in ("sources", "instrument"):
        found = estimate(size, other, 1.0)
        if other != plan.order and found.memory_gb < plan.memory_gb:
            advice.append(f"--order {other} ({found.memory_gb:.1f} GB)")
    advice += [
        "fewer primary stars (--primary-limit)",
        "longer calibration blocks or fewer visits (gcmock observe)",
    ]
    if size.n_secondary:
        advice.append("no secondary stars (--no-secondaries)")
    raise InputError(
        f"the solution needs about {plan.memory_gb:.1f} GB ({plan.n_reduced:,} unknowns stay after "
        f"the elimination of the {'stars' if plan.order == 'sources' else 'instrument'}), allowed "
        f"are {limit:.1f} GB; try {', '.join(advice)}, or raise --memory-limit"
    )
