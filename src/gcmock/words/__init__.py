"""The words of the project: bands, components, columns and flags, each defined once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.words.bands import BANDS as BANDS
    from gcmock.words.columns import INPUT_COLUMNS as INPUT_COLUMNS
    from gcmock.words.columns import OUTPUT_COLUMNS as OUTPUT_COLUMNS
    from gcmock.words.columns import POSTERIOR_COLUMNS as POSTERIOR_COLUMNS
    from gcmock.words.columns import TRUTH_COLUMNS as TRUTH_COLUMNS
    from gcmock.words.columns import Column as Column
    from gcmock.words.components import COMPONENTS as COMPONENTS
    from gcmock.words.components import GROUPS as GROUPS
    from gcmock.words.flags import Flag as Flag

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bands": ["BANDS"],
        "columns": [
            "Column",
            "INPUT_COLUMNS",
            "OUTPUT_COLUMNS",
            "POSTERIOR_COLUMNS",
            "TRUTH_COLUMNS",
        ],
        "components": ["COMPONENTS", "GROUPS"],
        "flags": ["Flag"],
    },
)
