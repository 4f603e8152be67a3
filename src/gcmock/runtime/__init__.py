"""Many processes and machines: the only place that knows Dask and HATS catalogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.runtime.cluster import connect as connect

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "cluster": ["connect"],
    },
)
