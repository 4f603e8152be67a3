"""What stars look like: masses, ages, magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.stars.bands import SyntheticRelation as SyntheticRelation
    from gcmock.stars.bands import load_relation as load_relation
    from gcmock.stars.populations import PopulationSet as PopulationSet
    from gcmock.stars.populations import load_populations as load_populations

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bands": ["SyntheticRelation", "load_relation"],
        "populations": ["PopulationSet", "load_populations"],
    },
)
