"""Which survey and which spelling a table is, by the names of its columns."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gcmock.errors import InputError
from gcmock.io.columns import EPOCH
from gcmock.io.unit_names import days, plain_text, unit_factor
from gcmock.surveys.definition import (
    NativeColumn,
    Spelling,
    SurveyDefinition,
    load_survey,
    survey_names,
)
from gcmock.surveys.roles import role_unit
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

_N_SHOWN = 40


@dataclass(frozen=True)
class Match:
    """A column of a file.

    Attributes
    ----------
    name : str
        Its name in the file.
    column : NativeColumn
        What the definition says of it.
    factor : float
        What to multiply its values with to get the unit of gcmock.
    unit : str
        Unit of its values: that of the file, else that of the definition.
    """

    name: str
    column: NativeColumn
    factor: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Recognised:
    """A table that is understood.

    Attributes
    ----------
    survey : SurveyDefinition
    spelling : Spelling
    matches : dict of str to Match
        By role.
    """

    survey: SurveyDefinition
    spelling: Spelling
    matches: dict[str, Match]


def recognise(
    path: object,
    names: Sequence[str],
    units: Mapping[str, str] | None = None,
    survey: SurveyDefinition | None = None,
) -> Recognised:
    """Find the survey and the spelling of a table.

    Names are compared as they are, else without regard to case. Of several spellings whose required
    columns are all there, the one that explains the most columns is taken.

    Parameters
    ----------
    path : str or Path
        For error messages.
    names : sequence of str
        Columns of the table.
    units : mapping of str to str, optional
        Units that the file records, by column; they take precedence over those of the definition.
    survey : SurveyDefinition, optional
        The survey, where it is known; else one of those of the package.

    Raises
    ------
    InputError
        If no spelling fits, if two surveys fit equally well, or if a unit cannot be converted.
    """
    possible = [survey] if survey is not None else [load_survey(n) for n in survey_names()]
    candidates = [(one, spelling) for one in possible for spelling in one.spellings]
    found = []
    for one, spelling in candidates:
        places = _places(spelling, names)
        if _is_enough(places) and all(column.role in places for column in spelling.required):
            found.append((len(places), one, spelling, places))
    if not found:
        raise InputError(_explain(path, names, candidates, survey))
    most = max(n for n, *_ in found)
    best = [entry for entry in found if entry[0] == most]
    if len({one.name for _, one, *_ in best}) > 1:
        surveys = " or ".join(dict.fromkeys(one.name for _, one, *_ in best))
        raise InputError(f"{path}: the columns fit {surveys}; say which survey it is")
    _, one, spelling, places = best[0]
    by_role = spelling.by_role
    matches = {
        role: _match(path, by_role[role], name, (units or {}).get(name))
        for role, name in places.items()
    }
    return Recognised(one, spelling, matches)


def _places(spelling: Spelling, names: Sequence[str]) -> dict[str, str]:
    """Name in the file by role, for the columns that the file has."""
    exact = set(names)
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.lower(), []).append(name)
    places = {}
    for column in spelling.columns:
        for wanted in column.names:
            same = [wanted] if wanted in exact else folded.get(wanted.lower(), [])
            if len(same) == 1:
                places[column.role] = same[0]
                break
    return places


def _is_enough(places: Mapping[str, str]) -> bool:
    """Whether there is a position and a magnitude."""
    pairs = ({"ra", "dec"}, {"l", "b"})
    magnitudes = (f"phot_{band}_mag" for band in (*SURVEY_BANDS, *GAIA_BANDS))
    return any(pair <= places.keys() for pair in pairs) and any(m in places for m in magnitudes)


def _explain(
    path: object,
    names: Sequence[str],
    candidates: Sequence[tuple[SurveyDefinition, Spelling]],
    survey: SurveyDefinition | None,
) -> str:
    """Say what was found, what the nearest spelling needs, and what to do."""

    def likeness(candidate: tuple[SurveyDefinition, Spelling]) -> tuple[float, int]:
        required = candidate[1].required
        places = _places(candidate[1], names)
        n_found = sum(column.role in places for column in required)
        return n_found / len(required), n_found

    one, spelling = max(candidates, key=likeness)
    places = _places(spelling, names)
    missing = [column.name for column in spelling.required if column.role not in places]
    used = set(places.values())
    free = [name for name in names if name not in used]
    hints = []
    for name in missing:
        close = difflib.get_close_matches(name, free, n=1, cutoff=0.6)
        hints.append(f"{name} (is it {close[0]!r}?)" if close else name)
    what = f"a table of {survey.name}" if survey else "a table of a known survey"
    shown = ", ".join(names[:_N_SHOWN]) + (
        f", and {len(names) - _N_SHOWN} more" if len(names) > _N_SHOWN else ""
    )
    todo = "rename the columns, or add a spelling to " + (
        one.path or f"surveys/definitions/{one.name}.toml"
    )
    if survey is None:
        todo = f"name the survey ({', '.join(survey_names())}, or the file of its own), {todo}"
    return (
        f"{path}: not {what}.\n"
        f"found the columns: {shown}\n"
        f"nearest: {one.name} as {spelling.name!r} writes it, which also needs: "
        f"{', '.join(hints)}\n"
        f"what to do: {todo}"
    )


def _match(path: object, column: NativeColumn, name: str, unit: str | None) -> Match:
    target = role_unit(column.role)
    given = plain_text(unit) or plain_text(column.unit)
    if column.role == EPOCH:
        if days(given) is None:
            unit_factor(path, name, given, column.role, "yr")
        return Match(name, column, unit=given)
    if not target or not given or column.dtype.startswith("U"):
        return Match(name, column)
    # The magnitudes of a survey are in its own system; AB is in none of theirs.
    return Match(name, column, unit_factor(path, name, given, column.role, target), given)
