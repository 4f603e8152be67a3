"""Roles of native columns: what a column holds, whatever a survey calls it.

A role is a column of the common table (`gcmock.surveys.source_table.SOURCE_NAMES`), or one of
`OTHER_ROLES`, from which columns of it follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gcmock.surveys.source_table import SOURCE_COLUMNS
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

OTHER_ROLES: Final[Mapping[str, str]] = {
    "l": "Galactic longitude [deg]",
    "b": "Galactic latitude [deg]",
    "error_major": "major axis of the error ellipse of the position [mas]",
    "error_minor": "minor axis of the error ellipse of the position [mas]",
    "error_angle": "position angle of its major axis, from north through east [deg]",
    "astrometric_params": "number of astrometric parameters: 2 or 5",
    "duplicate": "not zero: another row is the same source",
    "photometric_quality": "2MASS ph_qual, a letter for each of J, H, Ks",
    "read_flag": "2MASS rd_flg, a digit for each of J, H, Ks",
    "blend_flag": "2MASS bl_flg, a digit for each of J, H, Ks",
    "confusion_flag": "2MASS cc_flg, a letter for each of J, H, Ks",
    "galaxy_flag": "2MASS gal_contam",
    "minor_planet_flag": "2MASS mp_flg",
    "plate": "name of the image",
    **{f"{band}_error_bits": "VISTA post-processing error bits" for band in SURVEY_BANDS},
    **{f"phot_{band}_mag_2": "magnitude of a second visit [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_mag_error_2": "its error [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_scatter": "standard deviation of the epochs [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_n_epochs": "epochs with a magnitude" for band in SURVEY_BANDS},
    **{f"{band}_{axis}": "place on the image [pix]" for band in SURVEY_BANDS for axis in "xy"},
    **{f"phot_{band}_flux_over_error": "mean flux over its error" for band in GAIA_BANDS},
}
"""Roles that are not columns of the common table, with their meaning and the unit of gcmock."""

FLAGS: Final = (
    *("duplicate", "photometric_quality", "read_flag", "blend_flag", "confusion_flag"),
    *("galaxy_flag", "minor_planet_flag"),
)
"""Roles of flags, which are read as they are written."""

_UNITS: Final = {column.name: column.unit for column in SOURCE_COLUMNS}
_IN_BRACKETS: Final = re.compile(r"\[(.*)\]")


def role_unit(role: str) -> str:
    """Return the unit of gcmock for a role; empty for numbers and text."""
    if role in _UNITS:
        return _UNITS[role]
    found = _IN_BRACKETS.search(OTHER_ROLES[role])
    return found.group(1) if found else ""
