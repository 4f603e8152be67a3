"""Magnitudes of 2MASS that are no measurements: upper limits, told by a letter or by no error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.io.columns import ColumnMatch
from gcmock.words.bands import SURVEY_BANDS, magnitude_error_name, magnitude_name

QUALITY: Final = "photometric_quality"
"""Column of the letters, one for each of J, H, Ks."""

_NO_MEASUREMENT: Final = "UXux"
_TWOMASS: Final = re.compile(
    rf"(?i)^(?:tmass_|2mass_)?(?:{'|'.join(SURVEY_BANDS)}|k)_?m(?:ag)?(?:_2mass|_tmass)?$"
)


def no_measurement(
    chunk: Mapping[str, NDArray[Any]], matches: Mapping[str, ColumnMatch], n_star: int
) -> NDArray[np.bool_]:
    """Whether magnitudes are upper limits by their letter, shape (n_star, 3) for J, H, Ks.

    Parameters
    ----------
    chunk : mapping of str to ndarray, shape (n_star,)
        Columns of the file.
    matches : mapping of str to ColumnMatch
    n_star : int
    """
    found = np.zeros((n_star, len(SURVEY_BANDS)), dtype=bool)
    if QUALITY not in matches:
        return found
    letters = chunk[matches[QUALITY].name]
    if letters.dtype.kind == "U":
        texts = np.char.ljust(letters, len(SURVEY_BANDS))
        cut = np.ascontiguousarray(texts.astype(f"U{len(SURVEY_BANDS)}"))
        codes = cut.view(np.uint32).reshape(n_star, len(SURVEY_BANDS))
        found = np.isin(codes, [ord(letter) for letter in _NO_MEASUREMENT])
    return found


def limits_without_error(matches: Mapping[str, ColumnMatch], band: str) -> bool:
    """Whether a magnitude without an error is an upper limit: those of 2MASS are."""
    name, error = magnitude_name(band), magnitude_error_name(band)
    return name in matches and error in matches and bool(_TWOMASS.match(matches[name].name))
