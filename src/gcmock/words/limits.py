"""What a list was cut at: limits in a magnitude or a colour, and how they are written.

A limit such as ``j-h > 2.1`` or ``ks < 15 +- 0.3`` names a band or two, a side and a number; the
width behind ``+-`` is that of the step from what is never to what is always in the list: the errors
of the magnitudes by which it was cut, or the range in which its survey becomes incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from gcmock.words.bands import BANDS, mask_of

LEAST_WIDTH_MAG: Final = 0.01
"""Narrowest step [mag]: no magnitude is known better."""

USUAL_WIDTH_MAG: Final = 0.05
"""Width of the step where none is given: the usual error of a magnitude, of both in a colour."""

_RANGE: Final = (-10.0, 40.0)
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_PATTERN: Final = re.compile(
    rf"\s*(\w+)\s*(?:-\s*(\w+)\s*)?([<>])=?\s*({_NUMBER})\s*(?:(?:\+-|\+/-|±)\s*({_NUMBER})\s*)?"
)


class Limit(NamedTuple):
    """A limit in a magnitude or a colour.

    Attributes
    ----------
    blue, red : str
        Bands of the colour; `red` is empty for a magnitude.
    above : bool
        Whether the list has what is above the limit.
    value, width : float
        Where it is, and the standard deviation of the step [mag].
    """

    blue: str
    red: str
    above: bool
    value: float
    width: float

    def __str__(self) -> str:
        """Return the limit as it is written in settings."""
        of = f"{self.blue}-{self.red}" if self.red else self.blue
        return f"{of} {'>' if self.above else '<'} {self.value:g} +- {self.width:g}"

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of its bands."""
        return (self.blue, self.red) if self.red else (self.blue,)

    @property
    def mask(self) -> int:
        """Its bands as a set."""
        return mask_of(*self.bands)


def parse_limit(text: str) -> Limit:
    """Read a limit.

    Parameters
    ----------
    text : str
        ``BAND < NUMBER`` or ``BLUE-RED > NUMBER``, with ``+- WIDTH`` behind it if it is not the
        usual one.

    Returns
    -------
    Limit

    Raises
    ------
    ValueError
        With what was given and what is expected.
    """
    found = _PATTERN.fullmatch(text.lower())
    if not found:
        raise ValueError(
            f"{text!r} is no limit; expected a magnitude or a colour, such as 'ks < 15', "
            "'j-h > 2.1' or 'hw < 14.5 +- 0.1'"
        )
    blue, red, side, value, width = found.groups()
    for name in filter(None, (blue, red)):
        if name not in BANDS:
            raise ValueError(f"{text!r}: {name!r} is no band; expected {', '.join(BANDS)}")
    if blue == red:
        raise ValueError(f"{text!r}: expected two different bands in a colour")
    usual = USUAL_WIDTH_MAG * (2.0**0.5 if red else 1.0)
    step = round(usual, 3) if width is None else float(width)
    limit = Limit(blue, red or "", side == ">", float(value), step)
    if not _RANGE[0] <= limit.value <= _RANGE[1]:
        raise ValueError(f"{text!r}: expected a number from {_RANGE[0]:g} to {_RANGE[1]:g} mag")
    if not LEAST_WIDTH_MAG <= limit.width <= 3.0:
        raise ValueError(f"{text!r}: expected a width of {LEAST_WIDTH_MAG:g} to 3 mag")
    return limit


def parse_limits(texts: Iterable[str]) -> tuple[Limit, ...]:
    """Read several limits; see `parse_limit`."""
    return tuple(parse_limit(text) for text in texts)
