"""Where stars are and how they move: the components of the Galactic model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.galaxy.component import Component as Component
    from gcmock.galaxy.galactic_model import GalacticModel as GalacticModel
    from gcmock.galaxy.galactic_model import Observables as Observables
    from gcmock.galaxy.galactic_model import load_galactic_model as load_galactic_model
    from gcmock.galaxy.sun import Sun as Sun
    from gcmock.galaxy.sun import load_sun as load_sun

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "component": ["Component"],
        "galactic_model": ["GalacticModel", "Observables", "load_galactic_model"],
        "sun": ["Sun", "load_sun"],
    },
)
