"""One catalogue out of several surveys: match, clean, choose magnitudes and astrometry, count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.catalogue.columns import MERGED_COLUMNS as MERGED_COLUMNS
    from gcmock.catalogue.columns import REJECTED_COLUMNS as REJECTED_COLUMNS
    from gcmock.catalogue.learn.completeness import Completeness as Completeness
    from gcmock.catalogue.learn.completeness import load_completeness as load_completeness
    from gcmock.catalogue.summary import MergeSummary as MergeSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "columns": ["MERGED_COLUMNS", "REJECTED_COLUMNS"],
        "learn.completeness": ["Completeness", "load_completeness"],
        "summary": ["MergeSummary"],
    },
)
