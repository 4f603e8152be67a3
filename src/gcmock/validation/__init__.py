"""Tests of the science: is the model right, and are its posteriors, as numbers with thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.validation.result import Check as Check
    from gcmock.validation.run import Validation as Validation

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "result": ["Check"],
        "run": ["Validation"],
    },
)
