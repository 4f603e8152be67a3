"""Tables in and out: Parquet, FITS, VOTable, ECSV and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.io.metadata import read_metadata as read_metadata
    from gcmock.io.readers.opening import open_table as open_table
    from gcmock.io.readers.source import TableSource as TableSource
    from gcmock.io.writers.writer import Writer as Writer
    from gcmock.io.writers.writer import open_writer as open_writer

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "metadata": ["read_metadata"],
        "readers.opening": ["open_table"],
        "readers.source": ["TableSource"],
        "writers.writer": ["Writer", "open_writer"],
    },
)
