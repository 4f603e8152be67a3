"""Marks of suspect rows, from the flags of each survey.

A flag says one of three things: the magnitude of a band is doubtful, a band is none, or the source
is none. The first is a mark (`Quality.DOUBTFUL`, `Quality.ON_EXTENDED`) and a larger error; the
second takes the band away; only the third is `Quality.ARTEFACT` or `Quality.EXTENDED`.

Sources: 2MASS, Explanatory Supplement to the All-Sky Data Release, section II.2.a: small letters of
cc_flg are stars whose photometry may be contaminated, capitals are artefacts; gal_contam 1 is an
extended source, 2 a star within the profile of one. VISTA: table of the error bits "ppErrBits" of
the VISTA Science Archive, as VizieR II/367 gives it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.surveys.source_table import DOUBTFUL, UPPER_LIMIT, Quality
from gcmock.words.bands import SURVEY_BANDS

Marks = NDArray[np.int32]

_N_LETTER: Final = len(SURVEY_BANDS)
_UNSET: Final = ("", "0", "f", "false", "n", "no")
_EXTENDED_ITSELF: Final = ("1", "t", "true", "y", "yes")
_DEBLENDED: Final = 1 << 4
_NEAR_SATURATION: Final = 1 << 16
# A diffraction spike; bright on the tile, and on none of the images of which it is made.
_NO_SOURCE: Final = 1 << 20 | 1 << 26


def letters(values: Any) -> NDArray[np.uint32]:
    """Return the three characters of a flag as code points (n_row, 3).

    A flag of digits may have been read as a number: 022 as 22. A missing flag is all blanks.

    Parameters
    ----------
    values : ndarray of str, shape (n_row,) or numbers, which may be masked; or Arrow array of text
    """
    if isinstance(values, pa.Array):
        values = pc.fill_null(values, "")
        padded = pc.utf8_rpad(pc.utf8_slice_codeunits(values, 0, _N_LETTER), _N_LETTER)
        if pc.all(pc.equal(pc.binary_length(padded), _N_LETTER)).as_py():
            n_byte, start = _N_LETTER * len(padded), _N_LETTER * padded.offset
            codes = np.frombuffer(padded.buffers()[2], np.uint8, n_byte, start)
            return codes.reshape(len(padded), _N_LETTER).astype(np.uint32)
        values = np.array(values.to_pylist())
    data = np.ma.getdata(values)
    if data.dtype.kind in "iuf":
        missing = np.ma.getmaskarray(values) | ~np.isfinite(data.astype(np.float64))
        number = np.where(missing, 0, data).astype(np.int64)
        digits = np.stack([number // 100 % 10, number // 10 % 10, number % 10], axis=1)
        return np.where(missing[:, None], ord(" "), digits + ord("0")).astype(np.uint32)
    data = np.where(np.ma.getmaskarray(values), "", data.astype(f"U{_N_LETTER}"))
    # numpy fills short text with NUL.
    text = np.ascontiguousarray(np.char.ljust(data, _N_LETTER).astype(f"U{_N_LETTER}"))
    return text.view(np.uint32).reshape(len(text), _N_LETTER)


def _is(codes: NDArray[np.uint32], which: str) -> NDArray[np.bool_]:
    """Whether characters are one of `which`; the shape of `codes`."""
    return np.isin(codes, np.array([ord(letter) for letter in which], dtype=np.uint32))


def _nonzero(values: Any) -> NDArray[np.bool_]:
    """Whether a number, a truth value or its text is set; a missing one is not."""
    if isinstance(values, pa.Array):
        unset = pc.is_in(pc.utf8_lower(values), pa.array(_UNSET))
        return ~unset.to_numpy(zero_copy_only=False)
    data = np.ma.getdata(values)
    if data.dtype.kind == "U":
        return ~np.isin(np.char.lower(data), _UNSET)
    set_ = np.nan_to_num(data.astype(np.float64)) != 0
    return set_ & ~np.ma.getmaskarray(values)


def twomass_marks(values: dict[str, Any], magnitudes: dict[str, Floats], marks: Marks) -> None:
    """Mark rows by the flags of 2MASS; magnitudes that are no measurements become NaN.

    Parameters
    ----------
    values : dict of str to ndarray, shape (n_row,)
        Native values by role.
    magnitudes : dict of str to ndarray of float64, shape (n_row,)
        By band; changed in place.
    marks : ndarray of int32, shape (n_row,)
        Changed in place.
    """
    quality, read = (
        letters(values[role]) if role in values else None
        for role in ("photometric_quality", "read_flag")
    )
    for i, band in enumerate(SURVEY_BANDS):
        limit = np.zeros(len(marks), dtype=bool)
        no_value = np.zeros(len(marks), dtype=bool)
        if quality is not None:
            limit |= _is(quality[:, i], "U")
            no_value |= _is(quality[:, i], "X")
        if read is not None:
            limit |= _is(read[:, i], "06")
            no_value |= _is(read[:, i], "9")
            marks[_is(read[:, i], "3")] |= Quality.SATURATED
        marks[limit] |= UPPER_LIMIT[band]
        magnitudes[band][limit | no_value] = np.nan
    if "confusion_flag" in values:
        confusion = letters(values["confusion_flag"])
        marks[_is(confusion, "cbCB").any(axis=1)] |= Quality.BLENDED
        for i, band in enumerate(SURVEY_BANDS):
            doubtful = _is(confusion[:, i], "pds") & np.isfinite(magnitudes[band])
            marks[doubtful] |= DOUBTFUL[band]
        _without(_is(confusion, "PDS"), magnitudes, marks)
    if "blend_flag" in values:
        marks[_is(letters(values["blend_flag"]), "23456789").any(axis=1)] |= Quality.BLENDED
    if "galaxy_flag" in values:
        near, itself = _nonzero(values["galaxy_flag"]), _is_extended(values["galaxy_flag"])
        marks[near & itself] |= Quality.EXTENDED
        marks[near & ~itself] |= Quality.ON_EXTENDED
    if "minor_planet_flag" in values:
        marks[_nonzero(values["minor_planet_flag"])] |= Quality.EXTENDED


def _is_extended(values: Any) -> NDArray[np.bool_]:
    """Whether 2MASS gal_contam is 1, as a number, a truth value or its text."""
    if isinstance(values, pa.Array):
        return _is_extended(np.array(values.to_pylist(), dtype=np.str_))
    data = np.ma.getdata(values)
    if data.dtype.kind == "U":
        return np.isin(np.char.lower(np.char.strip(data)), _EXTENDED_ITSELF)
    return np.asarray(data.astype(np.float64) == 1.0)


def _without(bad: NDArray[np.bool_], magnitudes: dict[str, Floats], marks: Marks) -> None:
    """Take away bands (n_row, n_band) that are no sources; a row in which all are is an artefact.

    It keeps its magnitudes, so that one can see what it was.
    """
    there = np.column_stack([np.isfinite(magnitudes[band]) for band in SURVEY_BANDS])
    bad = bad & there
    every = bad.any(axis=1) & (bad == there).all(axis=1)
    marks[every] |= Quality.ARTEFACT
    for i, band in enumerate(SURVEY_BANDS):
        magnitudes[band][bad[:, i] & ~every] = np.nan


def vista_marks(values: dict[str, Any], magnitudes: dict[str, Floats], marks: Marks) -> None:
    """Mark rows by the error bits of the bands in which they have a magnitude."""
    bad = np.zeros((len(marks), len(SURVEY_BANDS)), dtype=bool)
    for i, band in enumerate(SURVEY_BANDS):
        role = f"{band}_error_bits"
        if role not in values:
            continue
        bits = np.where(np.ma.getmaskarray(values[role]), 0, np.ma.getdata(values[role]))
        # The archive's own mark of a missing number is a large negative one.
        bits = np.nan_to_num(bits.astype(np.float64))
        bits = np.where((bits > 0) & np.isfinite(magnitudes[band]), bits, 0).astype(np.int64)
        marks[bits & _DEBLENDED != 0] |= Quality.BLENDED
        marks[bits & _NEAR_SATURATION != 0] |= Quality.SATURATED
        marks[bits & ~(_DEBLENDED | _NEAR_SATURATION | _NO_SOURCE) != 0] |= DOUBTFUL[band]
        bad[:, i] = bits & _NO_SOURCE != 0
    _without(bad, magnitudes, marks)


def duplicate_marks(values: dict[str, Any], marks: Marks) -> None:
    """Mark rows of which the survey says that they repeat another row."""
    if "duplicate" in values:
        marks[_nonzero(values["duplicate"])] |= Quality.DUPLICATE


def saturation_marks(limits: dict[str, float], magnitudes: dict[str, Floats], marks: Marks) -> None:
    """Mark rows that are brighter than the survey can measure."""
    for band, limit in limits.items():
        marks[magnitudes[band] < limit] |= Quality.SATURATED
