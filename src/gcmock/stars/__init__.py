"""What stars look like: masses, ages, magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.stars.bands import HwRelation as HwRelation
    from gcmock.stars.bands import load_hw_relation as load_hw_relation
    from gcmock.stars.populations import PopulationSet as PopulationSet
    from gcmock.stars.populations import load_populations as load_populations

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bands": ["HwRelation", "load_hw_relation"],
        "populations": ["PopulationSet", "load_populations"],
    },
)
