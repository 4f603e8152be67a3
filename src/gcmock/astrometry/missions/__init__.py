"""Missions as data: windows, instruments, passbands, catalogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.missions.export import ExportSummary as ExportSummary
    from gcmock.astrometry.missions.mission import MISSIONS as MISSIONS
    from gcmock.astrometry.missions.mission import Mission as Mission
    from gcmock.astrometry.missions.mission import load_mission as load_mission

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "export": ["ExportSummary"],
        "mission": ["MISSIONS", "Mission", "load_mission"],
    },
)
