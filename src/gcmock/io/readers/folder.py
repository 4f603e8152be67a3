"""Folders of Parquet files as one table: partitions, HATS catalogues and their collections."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from gcmock.errors import InputError
from gcmock.io.manifest import partitions_of
from gcmock.io.ownership import MANIFEST
from gcmock.io.readers.arrow import ParquetSource
from gcmock.io.readers.opening import SUFFIXES, sniff

_PROPERTIES: Final = ("hats.properties", "properties")
_COLLECTION: Final = "collection.properties"
_STARS: Final = ("object", "source", "")
_N_HEAD: Final = 16


def is_hats(path: Path) -> bool:
    """Whether a folder is a HATS catalogue: Parquet files in HEALPix pixels."""
    return any((path / name).is_file() for name in _PROPERTIES)


def is_collection(path: Path) -> bool:
    """Whether a folder is a HATS collection: a catalogue with its margins."""
    return (path / _COLLECTION).is_file()


def open_folder(path: Path) -> ParquetSource:
    """Open a folder of Parquet files as one table, its parts in the natural order of their names.

    Raises
    ------
    InputError
        If the folder holds no Parquet files, is incomplete, or holds several catalogues.
    """
    listed = partitions_of(path)
    catalogue = _main_catalogue(path)
    expected = 0
    if is_hats(catalogue):
        properties = _properties(catalogue)
        _check_kind(catalogue, properties)
        expected = int(properties.get("hats_nrows", "0") or 0)
        # A HATS catalogue also holds samples of its rows, and a pixel may be a folder of files.
        found = [p for p in catalogue.rglob("*") if any(x.startswith("Npix=") for x in _names(p))]
    else:
        inside = sorted(p.parent.name for p in path.rglob("*") if p.name in _PROPERTIES)
        if inside:
            raise InputError(
                f"{path}: holds HATS catalogues ({', '.join(inside[:5])}); give one of them"
            )
        found = listed if listed is not None else list(path.rglob("*"))
    parts = sorted((p for p in found if _is_part(catalogue, p)), key=natural_key)
    if not parts:
        raise InputError(f"{path}: the directory holds no Parquet files")
    for part in parts:
        with part.open("rb") as file:
            if sniff(file.read(_N_HEAD)) != "parquet":
                raise InputError(f"{part}: not a Parquet file, or damaged")
    if listed is None and not is_hats(catalogue):
        _check_no_manifest(path, parts[0])
    source = ParquetSource(path, parts)
    if not is_hats(catalogue) and listed is None:
        others = sorted(p.name for p in found if _is_other_table(path, p))
        if others:
            source.remarks = (
                f"{path} also holds tables that are no Parquet files and are not read: "
                f"{', '.join(others[:5])}",
            )
    if expected and source.n_rows != expected:
        raise InputError(
            f"{catalogue}: incomplete: holds {source.n_rows:,} rows, but its properties say "
            f"{expected:,}"
        )
    return source


def _check_no_manifest(path: Path, part: Path) -> None:
    """Refuse partitions whose manifest is lost: nobody can tell whether all of them are there.

    Raises
    ------
    InputError
    """
    import pyarrow.parquet as pq

    try:
        found = json.loads((pq.read_schema(part).metadata or {}).get(b"gcmock", b"{}"))
    except (OSError, ValueError):
        # Whoever reads the rows says what is wrong.
        return
    if isinstance(found, dict) and ("partition" in found or "manifest" in found):
        raise InputError(
            f"{path}: holds partitions of gcmock, but not their {MANIFEST}, which says whether all "
            "are there; give the whole folder, run the command that made it again, or read the "
            "files one by one"
        )


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Order names as people do: part.2 before part.10."""
    texts = re.split(r"(\d+)", path.as_posix())
    return [(0, int(x)) if x.isdigit() else (1, x) for x in texts]


def _names(part: Path) -> tuple[str, ...]:
    return part.parts[-2:]


def _is_part(folder: Path, path: Path) -> bool:
    hidden = any(name.startswith(("_", ".")) for name in path.relative_to(folder).parts)
    return not hidden and SUFFIXES.get(path.suffix.lower()) == "parquet" and path.is_file()


def _is_other_table(folder: Path, path: Path) -> bool:
    hidden = any(name.startswith(("_", ".")) for name in path.relative_to(folder).parts)
    return not hidden and SUFFIXES.get(path.suffix.lower(), "parquet") != "parquet"


def _main_catalogue(path: Path) -> Path:
    """Return the catalogue of a HATS collection, or the folder itself."""
    if not is_collection(path):
        return path
    collection = path / _COLLECTION
    name = _read(collection).get("hats_primary_table_url", "")
    if not name or not is_hats(path / name):
        raise InputError(f"{collection}: names no catalogue of the collection ({name!r})")
    return path / name


def _properties(path: Path) -> dict[str, str]:
    return _read(next(path / name for name in _PROPERTIES if (path / name).is_file()))


def _read(path: Path) -> dict[str, str]:
    """Read a file of lines ``key = value``."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def _check_kind(path: Path, properties: dict[str, str]) -> None:
    kind = properties.get("dataproduct_type", "")
    if kind not in _STARS:
        of = properties.get("hats_primary_table_url", "")
        raise InputError(
            f"{path}: is a HATS table of the type {kind!r}, not a catalogue of stars"
            + (f"; give {of!r}, to which it belongs" if of else "")
        )
