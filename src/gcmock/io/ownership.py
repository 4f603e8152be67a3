"""Whose files these are: nothing that is read, and nothing that others wrote, is ever replaced.

A file is gcmock's own if it says so itself: its provenance, its generator, or its first line. A
folder is if every file in it is, or is listed in the folder's own account. Checks come before any
work and follow links only to compare, never to remove.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError
from gcmock.io.readers.choice import split_choice

ACCOUNT: Final = "_gcmock.json"
"""File in which a folder lists the files that gcmock wrote into it."""

_HEAD: Final = 65_536
"""Bytes at the beginning and at the end of a file in which its origin stands."""

_N_SHOWN: Final = 3

_MARKS: Final = {
    b"PAR1": (b"gcmock",),
    b"SIMPLE": (b"GCMOCK", b"gcmock"),
    b"<?xml": (b'name="gcmock"', b'ID="gcmock"'),
    b"# %ECSV": (b"gcmock",),
    b"<!DOCTYPE": (b'content="gcmock',),
    b"<!doctype": (b'content="gcmock',),
    b"{": (b'"gcmock', b'"program": "gcmock'),
    b"\x89PNG": (b"gcmock",),
    b"%PDF": (b"gcmock",),
    b"<!--": (b"gcmock",),
    b"# gcmock": (b"gcmock",),
    b"== ": (b"$ gcmock ",),
}
"""How a file of each kind begins, and the bytes by which it names gcmock as its origin."""


def is_own_file(path: Path) -> bool:
    """Whether a file says of itself that gcmock wrote it.

    Parameters
    ----------
    path : Path
        A regular file; links and everything else are nobody's.
    """
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(max(len(head), path.stat().st_size - _HEAD))
            text = head + file.read(_HEAD)
    except OSError:
        return False
    for begin, marks in _MARKS.items():
        if head.startswith(begin):
            return any(mark in text for mark in marks)
    return False


def foreign_files(folder: Path, listed: Iterable[str] = ()) -> Iterator[Path]:
    """Files and links in a folder that gcmock did not write.

    Parameters
    ----------
    folder : Path
    listed : iterable of str
        Names, relative to the folder, of files that an account beside `ACCOUNT` vouches for.
    """
    known = {*listed, *_listed(folder)}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        if path.relative_to(folder).as_posix() not in known and not is_own_file(path):
            yield path


def _listed(folder: Path) -> Iterator[str]:
    """Names in the accounts of a folder and of the folders in it."""
    for account in folder.rglob(ACCOUNT):
        if account.is_symlink():
            continue
        place = account.parent.relative_to(folder)
        yield (place / ACCOUNT).as_posix()
        try:
            files: Any = json.loads(account.read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(files, list):
            yield from ((place / name).as_posix() for name in files if isinstance(name, str))


def write_account(folder: Path) -> None:
    """List the files of a folder that gcmock has just written, in the folder itself."""
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
    text = json.dumps({"written_by": "gcmock", "files": names}, indent=1, ensure_ascii=False)
    (folder / ACCOUNT).write_text(text + "\n", encoding="utf-8")


def check_replaceable(path: Path, *, overwrite: bool, listed: Iterable[str] = ()) -> None:
    """Refuse an output that exists and may not be replaced.

    Parameters
    ----------
    path : Path
        File or folder that is to be written.
    overwrite : bool
        Whether an earlier result of gcmock may be replaced.
    listed : iterable of str
        See `foreign_files`.

    Raises
    ------
    InputError
        If something is there and `overwrite` is false, if it was not written by gcmock, or if it
        is a link.
    """
    if path.is_symlink():
        kind = "link" if path.exists() else "link to something that does not exist"
        raise InputError(f"{path}: is a {kind}; links are not written through, give a name itself")
    if not path.exists():
        return
    if path.is_dir():
        if not overwrite and not any(path.iterdir()):
            return
        foreign = list(foreign_files(path, listed)) if overwrite else []
        if foreign:
            names = ", ".join(p.relative_to(path).as_posix() for p in foreign[:_N_SHOWN])
            more = f" and {len(foreign) - _N_SHOWN} more" if len(foreign) > _N_SHOWN else ""
            raise InputError(
                f"{path}: holds files that gcmock did not write ({names}{more}), which are never "
                "removed; move them, or choose another output"
            )
    elif overwrite and not is_own_file(path):
        raise InputError(
            f"{path}: was not written by gcmock, so it is not replaced, not even with "
            "--overwrite; remove it yourself, or choose another output"
        )
    if not overwrite:
        raise InputError(f"{path}: exists already; choose another name, or use --overwrite")


def check_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that would destroy something that is read.

    Parameters
    ----------
    outputs : iterable of Path
        Files and folders that a command writes or replaces, its log included.
    inputs : iterable of Path
        Files and folders that it reads.

    Raises
    ------
    InputError
        If an output is an input, under whatever name, or one lies inside the other.
    """
    read = [path for path in (split_choice(given)[0] for given in inputs) if path.exists()]
    for output in outputs:
        real = output.resolve()
        for path in read:
            given = path.resolve()
            if real == given or (output.exists() and output.samefile(path)):
                raise InputError(f"{output}: is read by this command; choose another output")
            if given.is_dir() and given in real.parents:
                raise InputError(
                    f"{output}: lies in {path}, which is read by this command; choose another "
                    "output"
                )
            if real in given.parents and output.is_dir():
                raise InputError(
                    f"{output}: holds {path}, which is read by this command; choose another output"
                )
