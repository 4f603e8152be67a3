"""Bits of the column `flags`."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.words.columns import OUTPUT_COLUMNS, columns_by_name
from gcmock.words.flags import Flag


def test_flags_are_single_documented_bits() -> None:
    for flag in Flag:
        assert flag.value.bit_count() == 1
        assert flag.description
    assert sum(Flag) == (1 << len(Flag)) - 1


def test_all_flags_fit_the_column() -> None:
    dtype = columns_by_name(OUTPUT_COLUMNS)["flags"].dtype
    assert sum(Flag) <= np.iinfo(dtype).max


def test_bits_of_written_catalogues_do_not_change() -> None:
    """Files that were written with them are still about."""
    assert {flag.name: flag.value for flag in Flag} == {
        "UNEXPLAINED": 1,
        "NO_PHOTOMETRY": 2,
        "PARALLAX_USED": 4,
        "PARALLAX_REJECTED": 8,
        "OUTSIDE_MAP": 16,
        "ERROR_ASSUMED": 32,
        "HW_USED": 64,
        "HW_REDUNDANT": 128,
        "HW_EXTRAPOLATED": 256,
        "NO_SUBCELL": 512,
        "MOTION_USED": 1024,
        "MOTION_REJECTED": 2048,
        "NOT_LEARNED": 4096,
        "ERRORS_INFLATED": 8192,
    }


def test_descriptions_differ_and_are_of_single_bits() -> None:
    assert len({flag.description for flag in Flag}) == len(Flag)
    with pytest.raises(KeyError):
        _ = (Flag.HW_USED | Flag.MOTION_USED).description
