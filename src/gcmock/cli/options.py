"""Types of options whose words the parser alone would understand too generously."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter, Token

_WHOLE: Final = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
_LONGEST: Final = 40


def _whole_number(kind: Any, tokens: Sequence[Token]) -> int:
    """Return a whole number: 1.5 is not rounded, and no number has thousands of digits."""
    text = tokens[0].value.strip()
    if len(text) > _LONGEST or _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no whole number.")
    return int(text)


Whole = Annotated[int, Parameter(converter=_whole_number)]
"""A whole number."""

WholeIfGiven = Annotated[int | None, Parameter(converter=_whole_number)]
"""A whole number, if the option is given."""

MissionName = Literal["gaianir", "jasmine", "roman-gbtds", "roman-gbtds-2025"] | str
"""A mission of the package, which the shell completes, or the path of a file that defines one."""
