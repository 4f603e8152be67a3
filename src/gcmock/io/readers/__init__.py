"""Readers: a table of any format, streamed in chunks of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.io.readers.opening import open_table as open_table
    from gcmock.io.readers.source import TableSource as TableSource

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "opening": ["open_table"],
        "source": ["TableSource"],
    },
)
