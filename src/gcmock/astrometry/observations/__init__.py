"""Observations of a mission: schedule, visits, distortion, the folder of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.observations.folder import ObservationSet as ObservationSet
    from gcmock.astrometry.observations.folder import open_observations as open_observations
    from gcmock.astrometry.observations.observe import ObserveSummary as ObserveSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "folder": ["ObservationSet", "open_observations"],
        "observe": ["ObserveSummary"],
    },
)
