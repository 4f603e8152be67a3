"""The astrometric solution: problem, normal equations, elimination, covariances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.solver.solution import SolutionSet as SolutionSet
    from gcmock.astrometry.solver.solution import open_solution as open_solution
    from gcmock.astrometry.solver.solve import SolveSummary as SolveSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "solution": ["SolutionSet", "open_solution"],
        "solve": ["SolveSummary"],
    },
)
