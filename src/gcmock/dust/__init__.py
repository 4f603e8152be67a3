"""Dust: extinction laws, the map of the reddening and its growth along a line of sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.dust.extinction_map import ExtinctionMap as ExtinctionMap
    from gcmock.dust.laws import ExtinctionLaw as ExtinctionLaw
    from gcmock.dust.laws import load_law as load_law

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "extinction_map": ["ExtinctionMap"],
        "laws": ["ExtinctionLaw", "load_law"],
    },
)
