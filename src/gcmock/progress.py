"""What long work tells its caller: types of the functions that are called with its progress."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Literal

Progress = Callable[[int, int], None]
"""Called with the numbers of what is done and of all there is."""

Stage = Callable[[str], Progress | None]
"""Called with the name of what begins; returns what is called with its progress, if wanted."""

StagedProgress = Callable[[str, int, int], None]
"""Called with the name of what is done, and with the numbers of what is done and of all."""


LOUDNESS: Final[ContextVar[Literal["quiet", "usual", "verbose"]]] = ContextVar(
    "LOUDNESS", default="usual"
)
"""How much a command says while it works: nothing, bars on a terminal, or lines as well."""


def silent(_: str) -> None:
    """Say nothing: a `Stage`."""
