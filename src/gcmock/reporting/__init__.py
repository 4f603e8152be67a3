"""What a person reads: listings and summaries in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.reporting.demo import DemoResult as DemoResult
    from gcmock.reporting.page.content import Listing as Listing
    from gcmock.reporting.page.content import Numbers as Numbers
    from gcmock.reporting.page.content import PageSection as PageSection
    from gcmock.reporting.page.content import Picture as Picture
    from gcmock.reporting.page.content import Text as Text
    from gcmock.reporting.page.write import ReportSummary as ReportSummary

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "demo": ["DemoResult"],
        "page.content": ["Listing", "Numbers", "PageSection", "Picture", "Text"],
        "page.write": ["ReportSummary"],
    },
)
