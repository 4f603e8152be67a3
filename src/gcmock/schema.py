"""The words of the project: components, bands and columns, each defined once."""

from __future__ import annotations

from typing import Final

COMPONENTS: Final = (
    "thin1",
    "thin2",
    "thin3",
    "thin4",
    "thin5",
    "thin6",
    "thin7",
    "thick",
    "bar",
    "nsd",
    "nsc",
)
"""Names of the eleven components, in the order of every `n_component` axis."""

BANDS: Final = ("j", "h", "ks", "hw")
"""Names of the bands, in the order of every `n_band` axis."""
