"""A survey whose columns have names of one's own: ``[survey.columns]`` of a merge.

Columns that are named have the units of gcmock where the file gives none. All others are looked for
under the names that archives give them, and none of them must be there: what is needed is a
position and one magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gcmock.errors import InputError
from gcmock.settings.base import closest
from gcmock.surveys.definition import NativeColumn, Spelling, SurveyDefinition
from gcmock.surveys.roles import FLAGS, OTHER_ROLES, role_unit
from gcmock.surveys.source_table import SOURCE_NAMES

_OWN: Final = " (own names)"
_POSITIONS: Final = frozenset({"ra", "dec", "l", "b"})
_COMPUTED: Final = frozenset({"quality"})


def with_own_columns(survey: SurveyDefinition, columns: Mapping[str, str]) -> SurveyDefinition:
    """Return a definition in which columns have other names.

    Parameters
    ----------
    survey : SurveyDefinition
    columns : mapping of str to str
        Role (`gcmock.surveys.roles`), name in the file.

    Raises
    ------
    InputError
        If there is no such role.
    """
    if not columns:
        return survey
    roles = [name for name in (*SOURCE_NAMES, *OTHER_ROLES) if name not in _COMPUTED]
    for role in columns:
        if role not in roles:
            raise InputError(
                f"[[survey]] {survey.name}: [survey.columns] {role}: unknown column"
                f"{closest(role, roles)}"
            )
    spellings = tuple(_own(spelling, columns) for spelling in survey.spellings)
    return survey.model_copy(update={"spellings": spellings})


def has_own_columns(survey: SurveyDefinition) -> bool:
    """Whether a definition is from `with_own_columns`."""
    return survey.spellings[0].name.endswith(_OWN)


def _own(spelling: Spelling, columns: Mapping[str, str]) -> Spelling:
    # A header has the names: a layout by place has no use for them.
    known = spelling.by_role if spelling.header else {}
    found = [
        column.model_copy(update={"optional": True})
        for role, column in known.items()
        if role not in columns
    ]
    for role, name in columns.items():
        is_text = role == "source_id" or role in FLAGS
        found.append(
            NativeColumn(
                role=role,
                name=name,
                # Text in these is hours in ra, degrees elsewhere.
                unit="" if role in _POSITIONS else role_unit(role),
                dtype="U32" if is_text else "float64",
                null=known[role].null if role in known else (),
            )
        )
    # Positions may be Galactic: what is not named and not there is not missed.
    return Spelling.model_construct(name=spelling.name + _OWN, header=True, columns=tuple(found))
