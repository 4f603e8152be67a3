"""Files on the disk: checksums, and certainty that they are there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gcmock.errors import InputError
from gcmock.io.readers.choice import split_choice

PARTIAL: Final = ".partial-"
"""Marks files that are being written: this and the process follow the name of the output."""

_HASH_BLOCK: Final = 2**20


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Raise an `InputError` if a file cannot be written there."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another name, or use --overwrite")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to: the file gets its own when the context ends without an error.

    Raises
    ------
    InputError
        If the file cannot be written; nothing is left behind.
    """
    partial = path.with_name(f"{path.name}{PARTIAL}{os.getpid()}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Wait until the disk has what was written to a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 checksum of a file, or of the files of a directory in their order."""
    digest = hashlib.sha256()
    try:
        for part in files_of(Path(path)):
            with part.open("rb") as file:
                while block := file.read(_HASH_BLOCK):
                    digest.update(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def size_of(path: str | Path) -> int:
    """Return the bytes of a file, or of the files of a directory."""
    return sum(part.stat().st_size for part in files_of(Path(path)))


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or all files of a directory in the order of their names.

    Of ``file.fits[2]``, a table of a file, it is the file.
    """
    path, _ = split_choice(path)
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
