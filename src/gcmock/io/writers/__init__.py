"""Writers: a table in chunks to any format, complete or absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.io.writers.writer import Writer as Writer
    from gcmock.io.writers.writer import open_writer as open_writer

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "writer": ["Writer", "open_writer"],
    },
)
