"""Which table of a file with several is read: the one with a position, or the one that is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gcmock.errors import InputError
from gcmock.words.columns import ALIASES

_SELECTED: Final = re.compile(r"^(?P<file>.+)\[(?P<which>[^\[\]]+)\]$")


class Choice(NamedTuple):
    """What decides which table of a file is read.

    Parameters
    ----------
    which : str
        Number or name that stands behind the name of the file, as in ``file.fits[2]``; else empty.
    chosen : mapping of str to str
        Names of columns in the settings, ``[columns]``.
    """

    which: str = ""
    chosen: Mapping[str, str] = {}


ANY: Final = Choice()
"""Nothing is chosen."""


class Candidate(NamedTuple):
    """A table of a file.

    Parameters
    ----------
    number : int
        As it is chosen: the extension of a FITS file, or the table of a VOTable from 0.
    name : str
        Empty if it has none.
    columns : sequence of str
    n_rows : int or None
    """

    number: int
    name: str
    columns: Sequence[str]
    n_rows: int | None

    def __str__(self) -> str:
        """Say which table it is."""
        rows = "" if self.n_rows is None else f", {self.n_rows:,} rows"
        return f"[{self.number}]" + (f" {self.name!r}" if self.name else "") + rows


def split_choice(path: str | Path) -> tuple[Path, str]:
    """Return the file and what is chosen of it: ``file.fits[2]`` gives ``file.fits``, ``"2"``."""
    path = Path(path)
    found = _SELECTED.match(str(path))
    if found is None or path.exists() or not Path(found["file"]).exists():
        return path, ""
    return Path(found["file"]), found["which"].strip()


def chosen_in(name: str) -> str:
    """Return what the recorded name of an input chooses of its file; empty if nothing."""
    found = _SELECTED.match(name)
    return "" if found is None else found["which"].strip()


def has_position(names: Sequence[str], chosen: Mapping[str, str]) -> bool:
    """Whether a table has both coordinates of a position."""
    lower = {name.lower() for name in names}

    def has(coordinate: str) -> bool:
        if coordinate in chosen:
            return chosen[coordinate] in names
        exact = coordinate in names if coordinate in ("l", "b") else coordinate in lower
        return exact or bool(lower & set(ALIASES[coordinate]))

    return (has("ra") and has("dec")) or (has("l") and has("b"))


def choose(
    path: Path, tables: Sequence[Candidate], choice: Choice
) -> tuple[Candidate, tuple[str, ...]]:
    """Return the table that is read, and a remark on the others.

    Raises
    ------
    InputError
        If the chosen one does not exist, or several have positions and none is chosen.
    """
    if choice.which:
        for table in tables:
            if choice.which == str(table.number) or choice.which.lower() == table.name.lower():
                return table, ()
        raise InputError(
            f"{path}: has no table {choice.which!r}; there are: {', '.join(map(str, tables))}"
        )
    if len(tables) == 1:
        return tables[0], ()
    found = [table for table in tables if has_position(table.columns, choice.chosen)]
    if len(found) > 1:
        raise InputError(
            f"{path}: {len(found)} tables hold positions: {', '.join(map(str, found))}. Choose "
            f'one with its number or name, such as "{path.name}[{found[0].number}]"'
        )
    best = found[0] if found else tables[0]
    others = ", ".join(str(table) for table in tables if table is not best)
    return best, (f"of {path.name} the table {best} is read; it holds others: {others}",)
