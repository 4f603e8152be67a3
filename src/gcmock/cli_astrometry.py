"""Commands of the closed loop: propagate, observe, export, solve, compare.

`gcmock.cli` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable

COMMANDS: tuple[Callable[..., None], ...] = ()
"""Functions that become commands, in the order of the help."""
