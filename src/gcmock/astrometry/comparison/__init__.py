"""A solution against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.astrometry.comparison.compare import Comparison as Comparison
    from gcmock.astrometry.comparison.compare import Errors as Errors

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "compare": ["Comparison", "Errors"],
    },
)
