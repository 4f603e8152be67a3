"""Where stars are seen: space motion, parallax, the observer, light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.directions.apparent import MovingStars as MovingStars
    from gcmock.astrometry.directions.apparent import apparent_directions as apparent_directions
    from gcmock.astrometry.directions.ephemeris import Observer as Observer
    from gcmock.astrometry.directions.ephemeris import observer as observer
    from gcmock.astrometry.directions.ephemeris import read_orbit as read_orbit
    from gcmock.astrometry.directions.propagate import PropagateSummary as PropagateSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "apparent": ["MovingStars", "apparent_directions"],
        "ephemeris": ["Observer", "observer", "read_orbit"],
        "propagate": ["PropagateSummary"],
    },
)
