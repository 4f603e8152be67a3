"""Files and folders that appear when they are complete; checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from gcmock.errors import GcmockError, InputError
from gcmock.io.readers.choice import split_choice

_PARTIAL: Final = ".partial-"
"""Marks what is being written: this and the process follow the name of the output."""

_HASH_BLOCK: Final = 2**20


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Check that a file may be written there.

    Raises
    ------
    InputError
        If it is a folder, exists and may not be replaced, or its folder does not exist.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise _exists(path)
    _check_parent(path)


def check_new_folder(path: Path, *, overwrite: bool, marker: str | None = None) -> None:
    """Check that a folder may be made there.

    Parameters
    ----------
    path : Path
        Name of the folder.
    overwrite : bool
        Whether an existing one may be replaced.
    marker : str, optional
        A file that every such folder has: nothing else is ever replaced.

    Raises
    ------
    InputError
        If it exists and may not be replaced, or the folder around it does not exist.
    """
    if path.exists():
        if not overwrite:
            raise _exists(path)
        if marker is not None and not (path / marker).is_file():
            raise InputError(f"{path}: has no {marker}, so gcmock did not write it: not replaced")
    _check_parent(path)


def _exists(path: Path) -> InputError:
    return InputError(
        f"{path}: exists already; choose another name or allow overwriting (--overwrite)"
    )


def _check_parent(path: Path) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")


def partial_name(path: Path) -> Path:
    """Return the name beside a file or a folder that it has while it is written."""
    # Machines that share a disk may have processes of the same number.
    return path.with_name(f"{path.name}{_PARTIAL}{os.getpid()}-{uuid4().hex[:8]}")


def remove_partial(folder: Path) -> None:
    """Delete what killed runs were writing in a folder."""
    for partial in sorted(folder.rglob(f"*{_PARTIAL}*"), reverse=True):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink()


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished file its name: a reader finds the old one or the new one, whole.

    The disk has the file before it gets its name, so that a power failure leaves none that is cut
    short.
    """
    flush_to_disk(partial)
    os.replace(partial, path)
    flush_to_disk(path.parent)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file that appears when it is complete.

    Parameters
    ----------
    path : Path
        Name of the file. What has this name stays until the new one is complete.

    Yields
    ------
    Path
        A name beside it to write to, deleted after an exception (Ctrl-C included).

    Raises
    ------
    InputError
        If the file cannot be begun.
    GcmockError
        If the disk is full or fails.
    """
    partial = partial_name(path)
    try:
        yield partial
        put_in_place(partial, path)
    except OSError as error:
        if partial.exists():
            raise _failed(path, error, partial) from error
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(
    path: Path, *, overwrite: bool = False, marker: str | None = None
) -> Iterator[Path]:
    """Write a folder that appears when it is complete.

    Parameters
    ----------
    path : Path
        Name of the folder. What has this name stays until the new one is complete.
    overwrite, marker
        See `check_new_folder`.

    Yields
    ------
    Path
        A folder in a temporary one beside it, deleted after an exception (Ctrl-C included). It has
        the name that it will have: some formats repeat it inside.

    Raises
    ------
    InputError
        See `check_new_folder`; or if the folder cannot be made.
    GcmockError
        If the disk is full or fails.
    """
    check_new_folder(path, overwrite=overwrite, marker=marker)
    with scratch_folder(path) as around:
        folder = around / path.name
        try:
            folder.mkdir()
            yield folder
            for file in [*folder.rglob("*"), folder]:
                flush_to_disk(file)
            _replace_folder(path, folder, around / "replaced")
        except OSError as error:
            raise _failed(path, error, around) from error


def _failed(path: Path, error: OSError, partial: Path) -> GcmockError:
    """Say what failed: the output, or another file that was read for it."""
    other = error.filename
    own = other is None or str(other).startswith(str(partial))
    reason = error.strerror or str(error)
    return GcmockError(f"{path}: writing failed: {reason}{'' if own else f': {other}'}")


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears when it is complete; see `whole_file`."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _replace_folder(path: Path, new: Path, old: Path) -> None:
    """Give a folder its name; what had it gets another one, or its own again if that fails."""
    try:
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    except BaseException:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise
    flush_to_disk(path.parent)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make a folder for temporary files beside an output, because others may be small.

    Parameters
    ----------
    path : Path
        The output.

    Yields
    ------
    Path
        The folder, deleted at the end.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    folder = partial_name(path)
    try:
        folder.mkdir()
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush_to_disk(path: Path) -> None:
    """Wait until the disk has what was written to a file or a folder."""
    if os.name == "nt" and path.is_dir():
        # Windows knows no such wait.
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
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
