"""One catalogue out of several surveys: match, clean, choose magnitudes and astrometry, count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.catalogue.columns import merged_columns as merged_columns
    from gcmock.catalogue.columns import rejected_columns as rejected_columns
    from gcmock.catalogue.learn.completeness import Completeness as Completeness
    from gcmock.catalogue.learn.completeness import load_completeness as load_completeness
    from gcmock.catalogue.order import linking_order as linking_order
    from gcmock.catalogue.order import packaged_order as packaged_order
    from gcmock.catalogue.summary import MergeSummary as MergeSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "columns": ["merged_columns", "rejected_columns"],
        "learn.completeness": ["Completeness", "load_completeness"],
        "order": ["linking_order", "packaged_order"],
        "summary": ["MergeSummary"],
    },
)
