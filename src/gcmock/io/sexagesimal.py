"""Positions in base 60: ``17:45:40.04``, ``17 45 40.04``, ``17h45m40.04s``, ``-29d00m28s``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.errors import InputError

_FIELDS: Final = (
    r"^\s*(?P<sign>[+-]?)\s*(?P<first>[0-9]{1,3})\s*[:hd°\s]\s*(?P<minutes>[0-9]{1,2})"
    r"\s*[:m'′\s]\s*(?P<seconds>[0-9]{1,2}(?:\.[0-9]*)?)\s*(?:s|\"|″)?\s*$"
)


def is_sexagesimal(text: str) -> bool:
    """Whether a text looks like a position in base 60."""
    import re

    return re.match(_FIELDS, text) is not None


def degrees(path: object, column: str, texts: NDArray[np.str_], in_hours: bool) -> Floats:
    """Return positions in base 60 as degrees.

    Parameters
    ----------
    path : str or Path
        For error messages.
    column : str
        Name in the file, for error messages.
    texts : ndarray of str, shape (n_row,)
        Empty where missing.
    in_hours : bool
        Whether the first field counts hours (of 15 degrees).

    Returns
    -------
    ndarray of float64, shape (n_row,)
        [deg]; NaN where missing.

    Raises
    ------
    InputError
        If a text is no position in base 60, or a field is too large.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts: Any = pc.extract_regex(pa.array(texts), _FIELDS)
    empty = np.char.strip(texts) == ""
    found = parts.is_valid().to_numpy(zero_copy_only=False)

    def field(name: str) -> Floats:
        column = pc.fill_null(pc.struct_field(parts, name), "nan")
        return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)

    first, minutes, seconds = field("first"), field("minutes"), field("seconds")
    bad = ~found | (minutes >= 60.0) | (seconds > 60.0) | (first >= (24.0 if in_hours else 361.0))
    bad &= ~empty
    if bad.any():
        form = "hours:minutes:seconds" if in_hours else "degrees:minutes:seconds"
        raise InputError(
            f"{path}: column {column!r} holds {str(texts[np.argmax(bad)])!r}, which is neither a "
            f"number nor {form}"
        )
    value = first + minutes / 60.0 + seconds / 3600.0
    negative = pc.equal(pc.fill_null(pc.struct_field(parts, "sign"), ""), "-")
    value = np.where(negative.to_numpy(zero_copy_only=False), -value, value)
    value[empty] = np.nan
    return value * 15.0 if in_hours else value
