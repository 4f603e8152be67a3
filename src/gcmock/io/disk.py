"""Files and folders that appear when they are complete; checksums."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from gcmock.errors import DiskError, GcmockError, InputError
from gcmock.io.ownership import (
    check_replaceable,
    foreign_files,
    is_own_file,
    write_account,
)
from gcmock.io.partial import check_alone, is_partial, is_text, partial_name, partials_of
from gcmock.io.readers.choice import split_choice

_HASH_BLOCK: Final = 2**20

_REPLACED: Final = "replaced"
"""What an old folder is called in the temporary one, until the new one has its name."""

_REFUSED: Final = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL, errno.EEXIST),
)
"""Errors by which a system refuses a name or a place; all others are of the disk itself."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check_new_file(path: Path, *, overwrite: bool, alone: bool = True) -> None:
    """Check that a file may be written there, before any work.

    Parameters
    ----------
    path : Path
        Name of the file.
    overwrite : bool
        Whether an existing one may be replaced, if gcmock wrote it.
    alone : bool
        Refuse it as well while another process writes it.

    Raises
    ------
    InputError
        If it is a folder or a link, exists and may not be replaced, or cannot be made.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    check_replaceable(path, overwrite=overwrite)
    _check_parent(path)
    if alone:
        check_alone(path)


def check_new_folder(path: Path, *, overwrite: bool) -> None:
    """Check that a folder may be made there, before any work.

    Parameters
    ----------
    path : Path
        Name of the folder.
    overwrite : bool
        Whether an existing one may be replaced, if all that is in it was written by gcmock.

    Raises
    ------
    InputError
        If it is a file or a link, exists and may not be replaced, cannot be made, or if another
        process writes it.
    """
    if path.is_file():
        raise InputError(f"{path}: is a file; give the name of a folder")
    check_replaceable(path, overwrite=overwrite)
    _check_parent(path)
    check_alone(path)


def _check_parent(path: Path) -> None:
    """Check that something can be made in the folder of an output."""
    if not is_text(path):
        raise InputError(f"{path}: is no text in UTF-8; choose another name for the output")
    parent = path.parent
    if not parent.is_dir():
        raise InputError(f"{path}: the folder {parent} does not exist")
    try:
        # While it is written its name is longer.
        os.lstat(f"{parent / path.name}.partial-{0:036d}")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written: {reason}") from error
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written: the folder {parent} does not permit it")


def remove_partial(folder: Path) -> None:
    """Delete what killed runs were writing in a folder to which nobody else writes now."""
    for partial in sorted(folder.rglob("*.partial-*"), reverse=True):
        if is_partial(partial.name):
            _remove(partial)


def remove_folder(folder: Path) -> None:
    """Delete a folder of temporary files; it is never there with a part of them only."""
    gone = partial_name(folder)
    os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def remove_dead(path: Path) -> None:
    """Delete what killed runs of this machine were writing under the name of an output.

    A folder that such a run had put aside, because the new one was to have its name, comes back.
    """
    for partial in partials_of(path):
        if partial.is_dead:
            old = partial.path / _REPLACED
            if old.is_dir() and not os.path.lexists(path):
                os.replace(old, path)
            _remove(partial.path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
        If the file cannot be begun, or if something of others has its name now.
    DiskError
        If the disk is full or fails.
    """
    before = _identity(path)
    partial = partial_name(path)
    try:
        remove_dead(path)
        yield partial
        _check_unchanged(path, before)
        put_in_place(partial, path)
    except OSError as error:
        raise writing_failed(path, error, partial) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _check_unchanged(path: Path, before: tuple[int, int] | None) -> None:
    """Refuse to replace what others put under the name of an output in the meantime."""
    now = _identity(path)
    if now is not None and now != before and not is_own_file(path):
        raise InputError(
            f"{path}: something that gcmock did not write has this name since the run began; it "
            "is not replaced"
        )


@contextmanager
def whole_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write a folder that appears when it is complete, with an account of files without a mark.

    Parameters
    ----------
    path : Path
        Name of the folder. What has this name stays until the new one is complete.
    overwrite : bool
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
    DiskError
        If the disk is full or fails.
    """
    remove_dead(path)
    check_new_folder(path, overwrite=overwrite)
    with scratch_folder(path) as around:
        folder = around / path.name
        try:
            folder.mkdir()
            yield folder
            if any(foreign_files(folder)):
                # Some formats have no place for a mark.
                write_account(folder)
            for file in [*folder.rglob("*"), folder]:
                flush_to_disk(file)
            # Hours may have passed: what is there now may be of others.
            check_replaceable(path, overwrite=overwrite)
            _replace_folder(path, folder, around / _REPLACED)
        except OSError as error:
            raise writing_failed(path, error, around) from error


def writing_failed(path: Path, error: OSError, partial: Path | None = None) -> GcmockError:
    """Return the error for a system's refusal to write.

    Parameters
    ----------
    path : Path
        The output.
    error : OSError
    partial : Path, optional
        Where it is written; a file elsewhere was read for it, and is named.
    """
    other = error.filename
    own = other is None or str(other).startswith((str(path), str(partial or path)))
    reason = f"{error.strerror or error}{'' if own else f': {other}'}"
    if error.errno in _REFUSED and own:
        return InputError(f"{path}: cannot be written: {reason}")
    return DiskError(f"{path}: writing failed: {reason}")


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears when it is complete; see `whole_file`.

    Names of files that are not UTF-8 appear with escapes, which JSON reads back as they were.
    """
    with whole_file(path) as partial:
        partial.write_bytes(encoded(text))


def encoded(text: str) -> bytes:
    """Return the bytes that `write_text` writes."""
    return text.encode("utf-8", "backslashreplace")


def _replace_folder(path: Path, new: Path, old: Path) -> None:
    """Give a folder its name; what had it gets another one, or its own again if that fails."""
    if not (path.exists() and _exchange(new, path)):
        try:
            if path.exists():
                os.replace(path, old)
            os.replace(new, path)
        except BaseException:
            if old.exists() and not path.exists():
                os.replace(old, path)
            raise
    flush_to_disk(path.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once, if the system can: then a folder is never without its name."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


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
        remove_dead(path)
        folder.mkdir()
    except OSError as error:
        raise writing_failed(path, error, folder) from error
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


def sha256_of_input(path: str | Path) -> str:
    """Return what `sha256_of` does; files that did not change since are not read again.

    A run that learns from a list before it infers asks twice.
    """
    states = (part.stat() for part in files_of(Path(path)))
    return _sha256_of_state(str(path), tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in states))


@lru_cache(maxsize=2)
def _sha256_of_state(path: str, state: tuple[tuple[int, int, int], ...]) -> str:
    return sha256_of(path)


def size_of(path: str | Path) -> int:
    """Return the bytes of a file, or of the files of a directory."""
    return sum(part.stat().st_size for part in files_of(Path(path)))


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or all files of a directory in the order of their names.

    Of ``file.fits[2]``, a table of a file, it is the file.
    """
    path, _ = split_choice(path)
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
