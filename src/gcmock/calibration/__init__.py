"""Extinction and fractions of the components, calibrated from the stars themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.calibration.calibrate import Calibration as Calibration
    from gcmock.calibration.calibrate import Options as Options

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "calibrate": ["Calibration", "Options"],
    },
)
