"""Native tables of surveys that are given where observed stars are expected.

Their flags, upper limits, several visits and photometric systems are known to the readers of the
surveys, which a merge uses, also for one survey alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gcmock.errors import InputError
from gcmock.io.readers.source import TableSource
from gcmock.settings.build import Config
from gcmock.surveys.read.recognise import Recognised, recognise
from gcmock.words.bands import SURVEY_BANDS, magnitude_name

SYSTEM_OF_GCMOCK = "2mass"


def native_table(names: Sequence[str]) -> Recognised | None:
    """Return the survey of which a table has all columns; None if there is none, or several.

    Parameters
    ----------
    names : sequence of str
        Columns of the table.
    """
    try:
        return recognise("", names)
    except InputError:
        return None


def what_to_do(path: Path, names: Sequence[str]) -> str:
    """Return what the table is and the commands that read it; empty if it is of no known survey.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Its columns.
    """
    found = native_table(names)
    if found is None:
        return ""
    survey = found.survey
    is_it = f"{path}: is a table of {survey.label}, as {found.spelling.name!r} writes it"
    if not survey.is_infrared:
        return (
            f"{is_it}, which has none of J, H, Ks and Hw: merge it with a near-infrared survey "
            "(gcmock merge settings.toml, with a [[survey]] for each)"
        )
    return (
        f"{is_it}; merge knows its flags, upper limits and photometric system, of one survey as "
        f"of several: gcmock merge {path} -o stars, then gcmock build stars -o mock. If it is a "
        "table of your own with the same names, say in the config which are yours: [columns]"
    )


def check_system(table: TableSource, config: Config) -> str:
    """Refuse magnitudes that are known to be in another system, if the settings do not say which.

    Parameters
    ----------
    table : TableSource
    config : Config
        Its ``[columns]`` name the magnitudes of a native table.

    Returns
    -------
    str
        A remark on what is not used of a native table; empty for others.

    Raises
    ------
    InputError
        If the columns are those of a survey whose system is not that of 2MASS, and ``[photometry]
        system`` is not given.
    """
    chosen = {config.columns[m] for m in map(magnitude_name, SURVEY_BANDS) if m in config.columns}
    found = native_table(table.columns) if chosen else None
    if found is None:
        return ""
    own = {m.name for role, m in found.matches.items() if role.startswith("phot_")}
    if not chosen <= own or not found.survey.is_infrared:
        return ""
    survey, system = found.survey, found.survey.photometric_system
    if system != SYSTEM_OF_GCMOCK and "system" not in config.photometry.model_fields_set:
        raise InputError(
            f"{table.path}: {', '.join(sorted(chosen))} are magnitudes of {survey.label}: write in "
            f'the config [photometry] system = "{system}", which converts them, or "2mass" if they '
            "are converted already"
        )
    return (
        f"the table is one of {survey.label}; of its flags only photometric_quality is used: "
        "gcmock merge knows all of them"
    )
