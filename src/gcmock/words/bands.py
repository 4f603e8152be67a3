"""Photometric bands, each defined once."""

from __future__ import annotations

from typing import Final

BANDS: Final = ("j", "h", "ks", "hw")
"""Names of the bands, in the order of every `n_band` axis."""


def magnitude_name(band: str) -> str:
    """Name of the magnitude column of a band."""
    return f"phot_{band}_mag"


def magnitude_error_name(band: str) -> str:
    """Name of the column of the magnitude error of a band."""
    return f"phot_{band}_mag_error"
