"""Components of the Galaxy and the groups in which they are shown, each defined once."""

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

GROUPS: Final = {
    "disc": (*(f"thin{i}" for i in range(1, 8)), "thick"),
    "bar": ("bar",),
    "nsd": ("nsd",),
    "nsc": ("nsc",),
}
"""Components that are shown together."""
