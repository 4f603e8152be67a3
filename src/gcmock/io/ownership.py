"""Whose files these are: nothing that is read, and nothing that others wrote, is ever replaced.

A file is gcmock's own if it says so itself: its provenance, its generator, or its first line. A
folder is if every file in it is, or is listed in the folder's own account or manifest. Checks come
before any work and follow links only to compare, never to remove.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError
from gcmock.io.partial import is_partial
from gcmock.io.readers.choice import split_choice

ACCOUNT: Final = "_gcmock.json"
"""File in which a folder lists the files that gcmock wrote into it."""

MANIFEST: Final = "_manifest.jsonl"
"""List of the partitions of a folder; pyarrow, pandas and Dask skip names with an underscore."""

_HEAD: Final = 2**20
"""Bytes at the beginning and at the end of a file in which its origin stands."""

_N_SHOWN: Final = 3

_JSON: Final = rb'(?<!\\)"(creator|written_by|program)": "gcmock[ "]'
_MARKS: Final = {
    # Keys of the metadata follow their length.
    b"PAR1": re.compile(rb"\x18\x06gcmock\x18|\x18[\x07-\x1f]gcmock_\w+\x18"),
    b"SIMPLE": re.compile(rb"GCMOCK  = '|CREATOR = 'gcmock "),
    b"<?xml": re.compile(rb'<INFO[^<>]* (name|ID)="gcmock"'),
    b"# %ECSV": re.compile(rb"\n#[ -]+gcmock:"),
    b"<!doctype": re.compile(rb'<meta name="generator" content="gcmock'),
    b"{": re.compile(_JSON),
    b"\x89png": re.compile(rb"tEXtSoftware\x00gcmock"),
    b"%PDF": re.compile(rb"/Creator \(gcmock"),
    b"| test | quantit": re.compile(rb"\n<!-- gcmock [^\n]*-->\n$"),
    b"== ": re.compile(rb"^== \S+ gcmock [^\n]*\n\$ gcmock "),
}
"""How a file of each kind begins, and the words by which it names gcmock as its origin."""

_LOG: Final = b"== "

_COMPANIONS: Final = {
    MANIFEST: (
        "_summary.json", "_completeness.parquet",
        "_cells/*/cell-*.arrow", "_cells/*/bright.arrow", "_cells/*/sample.arrow",
        "_cells/*/counts.npz", "_cells/*/done.json",
        "hats.properties", "properties", "partition_info.csv",
        "dataset/_metadata", "dataset/_common_metadata", "dataset/data_thumbnail.parquet",
    ),
    "provenance.json": ("mission.toml",),
    "comparison.json": ("comparison.png", "comparison.pdf"),
}  # fmt: skip
"""Files without a mark that belong to one that has it, or to a manifest, in the same folder."""

_SURVEYS: Final = "survey.json"
"""Names native tables of simulated surveys, which have no place for a mark."""


def is_own_file(path: Path) -> bool:
    """Whether a file says of itself that gcmock wrote it.

    Parameters
    ----------
    path : Path
        A regular file; links and everything else are nobody's.
    """
    begin, text = _ends(path)
    return bool(begin and _MARKS[begin].search(text))


def is_log(path: Path) -> bool:
    """Whether a file is a log of gcmock, to which more can be appended."""
    begin, text = _ends(path)
    return begin == _LOG and _MARKS[_LOG].search(text) is not None


def _ends(path: Path) -> tuple[bytes, bytes]:
    """How a file begins, if that is known, and its first and last bytes."""
    if path.is_symlink() or not path.is_file():
        return b"", b""
    try:
        with path.open("rb") as file:
            text = file.read(_HEAD)
            file.seek(max(len(text), path.stat().st_size - _HEAD))
            text += file.read(_HEAD)
    except OSError:
        return b"", b""
    head = text[:16]
    begins = (begin for begin in _MARKS if head.lower().startswith(begin.lower()))
    return next(begins, b""), text


def foreign_files(folder: Path) -> Iterator[Path]:
    """Files and links in a folder that gcmock did not write."""
    listed = set(_listed(folder))
    patterns = [name for name in listed if "*" in name]
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        place = path.relative_to(folder)
        name = place.as_posix()
        if path.is_symlink() or not (
            name in listed
            or any(is_partial(part) for part in place.parts)
            or any(fnmatchcase(name, pattern) for pattern in patterns)
            or is_own_file(path)
        ):
            yield path


def _listed(folder: Path) -> Iterator[str]:
    """Names in the accounts and manifests of a folder and of the folders in it."""
    for account in (*folder.rglob(ACCOUNT), *folder.rglob(MANIFEST)):
        if account.is_symlink() or not account.is_file():
            continue
        place = account.parent.relative_to(folder)
        yield (place / account.name).as_posix()
        read = _names_in_account if account.name == ACCOUNT else _names_in_manifest
        yield from ((place / name).as_posix() for name in read(account))
    for name, others in _COMPANIONS.items():
        if (folder / name).is_file() and (name == MANIFEST or is_own_file(folder / name)):
            yield from others
    if is_own_file(folder / _SURVEYS):
        yield from _names_of_surveys(folder / _SURVEYS)


def _names_in_account(path: Path) -> Iterator[str]:
    try:
        files: Any = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if isinstance(files, list):
        yield from (name for name in files if isinstance(name, str))


def _names_of_surveys(path: Path) -> Iterator[str]:
    try:
        surveys: Any = json.loads(path.read_text(encoding="utf-8"))["surveys"]
        yield from (one["file"] for one in surveys.values() if one["file"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def _names_in_manifest(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:
            return
        if isinstance(values, dict) and isinstance(values.get("name"), str):
            yield values["name"]


def account_text(files: Iterable[str]) -> str:
    """Return the account of a folder: names or patterns, relative to it."""
    words = {"written_by": "gcmock", "files": sorted(files)}
    return json.dumps(words, indent=1) + "\n"


def write_account(folder: Path) -> None:
    """List all files of a folder that nobody but this run has seen yet, in the folder itself."""
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
    (folder / ACCOUNT).write_text(account_text(names), encoding="utf-8")


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists and may not be replaced.

    Parameters
    ----------
    path : Path
        File or folder that is to be written.
    overwrite : bool
        Whether an earlier result of gcmock may be replaced.

    Raises
    ------
    InputError
        If something is there and `overwrite` is false, if it was not written by gcmock, or if it
        is a link.
    """
    check_no_link(path)
    if not path.exists():
        return
    if path.is_dir():
        if not any(path.iterdir()):
            return
        foreign = list(foreign_files(path)) if overwrite else []
        if foreign:
            names = ", ".join(p.relative_to(path).as_posix() for p in foreign[:_N_SHOWN])
            more = f" and {len(foreign) - _N_SHOWN} more" if len(foreign) > _N_SHOWN else ""
            raise InputError(
                f"{path}: holds files that gcmock did not write ({names}{more}), which are never "
                "removed, not even with --overwrite; move them, or choose another output"
            )
    elif overwrite and not is_own_file(path) and path.stat().st_size > 0:
        # One without a byte is a name that was kept free.
        raise InputError(
            f"{path}: was not written by gcmock, so it is not replaced, not even with "
            "--overwrite; remove it yourself, or choose another output"
        )
    if not overwrite:
        raise InputError(
            f"{path}: exists already; choose another name or allow overwriting (--overwrite)"
        )


def check_no_link(path: Path) -> None:
    """Refuse an output that is a link: nothing is written, or removed, through it.

    Raises
    ------
    InputError
    """
    if path.is_symlink():
        kind = "link" if path.exists() else "link to something that does not exist"
        raise InputError(
            f"{path}: is a {kind}; nothing is written through links, give the name of what it "
            "stands for, or another one"
        )


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
        If an output is an input, under whatever name, if one lies inside the other, or if two
        outputs are one.
    """
    written = list(outputs)
    for i, output in enumerate(written):
        if output.resolve() in [other.resolve() for other in written[:i]]:
            raise InputError(f"{output}: is named for two outputs; give each its own name")
    read = [path for path in (split_choice(given)[0] for given in inputs) if path.exists()]
    for output in written:
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
