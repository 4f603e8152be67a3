"""Missions as data: windows, instruments, passbands, catalogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.missions.export import ExportSummary as ExportSummary
    from gcmock.astrometry.missions.mission import Mission as Mission
    from gcmock.astrometry.missions.mission import load_mission as load_mission
    from gcmock.astrometry.missions.mission import mission_names as mission_names

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "export": ["ExportSummary"],
        "mission": ["Mission", "load_mission", "mission_names"],
    },
)
