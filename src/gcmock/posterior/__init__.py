"""What is known of a star: its posterior over component and distance, and draws from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.posterior.engine import Posterior as Posterior
    from gcmock.posterior.grid import DistanceGrid as DistanceGrid
    from gcmock.posterior.grid import distance_grid as distance_grid
    from gcmock.posterior.observations import Observations as Observations

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "engine": ["Posterior"],
        "grid": ["DistanceGrid", "distance_grid"],
        "observations": ["Observations"],
    },
)
