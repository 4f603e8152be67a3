"""Read back the metadata that a writer stored in a file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gcmock.errors import InputError, ModelWarning, shown
from gcmock.io.disk import sha256_of
from gcmock.io.readers.opening import input_format
from gcmock.settings.build import Config, load_config
from gcmock.settings.toml_file import parse_toml

_KEY = "gcmock"


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the metadata of a file that gcmock wrote; empty for other files.

    Parameters
    ----------
    path : str or Path
        A Parquet, FITS, VOTable or ECSV file. Its rows are not read.

    Returns
    -------
    dict of str to str

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = Path(path)
    reader = {
        "parquet": _from_parquet,
        "fits": _from_fits,
        "votable": _from_votable,
        "ecsv": _from_ecsv,
    }.get(input_format(path))
    if reader is None:
        return {}
    try:
        found: Any = reader(path)
        if isinstance(found, str | bytes):
            found = json.loads(found)
        words = dict(found or {})
    except MemoryError:
        raise
    # Readers raise errors of many kinds on a damaged file.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: damaged metadata: {reason}") from error
    strange = [key for key, value in words.items() if not isinstance(value, str)]
    if strange:
        raise InputError(f"{path}: damaged metadata: {shown(strange[0])} is no text")
    return {str(key): value for key, value in words.items()}


def catalogue_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a catalogue: of the file, or of the first part of a folder."""
    if not path.is_dir():
        return read_metadata(path)
    for part in sorted(path.rglob("*.parquet")):
        if not part.name.startswith(("_", ".")) and (found := read_metadata(part)):
            return found
    return {}


def recorded_config(path: Path, metadata: Mapping[str, str]) -> Config | None:
    """Return the settings in the metadata of a catalogue; None if there are none.

    What was learned for a catalogue that was moved is looked for beside it; if it was in no file,
    because all was done in memory, a `ModelWarning` says so.

    Raises
    ------
    InputError
        If this version does not understand them.
    """
    if "config" not in metadata:
        return None
    try:
        config = load_config(None, parse_toml(metadata["config"]))
    except (ValueError, InputError) as error:
        raise InputError(
            f"{path}: this version of gcmock does not understand its settings: {error}"
        ) from error
    digest = metadata.get("learned_sha256", "")
    file = Path(config.learn.file)
    if digest and not config.learn.file:
        warnings.warn(
            f"{path}: what was learned for it is in no file: posteriors are computed without; "
            "gcmock.build with an output keeps it",
            ModelWarning,
            stacklevel=2,
        )
    elif digest and not file.exists():
        beside = Path(path).parent / file.name
        if beside.is_file() and sha256_of(beside) == digest:
            learn = config.learn.model_copy(update={"file": str(beside.resolve())})
            return config.model_copy(update={"learn": learn})
    return config


def _from_parquet(path: Path) -> bytes | None:
    import pyarrow.parquet as pq

    from gcmock.io.readers.arrow import named

    with named(path) as name:
        return (pq.read_schema(name).metadata or {}).get(_KEY.encode())


def _from_fits(path: Path) -> str | None:
    from astropy.io import fits

    with fits.open(path) as hdus:
        return next((hdu.header[_KEY] for hdu in hdus if _KEY in hdu.header), None)


def _from_votable(path: Path) -> str | None:
    for _, element in ElementTree.iterparse(path, events=("start",)):
        tag = element.tag.rpartition("}")[2]
        if tag == "INFO" and element.get("name") == _KEY:
            return element.get("value")
        if tag == "DATA":
            break
    return None


def _from_ecsv(path: Path) -> dict[str, Any]:
    from astropy.table.meta import get_header_from_yaml

    lines = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                break
            lines.append(line[2:].rstrip("\n"))
    header = get_header_from_yaml(lines[1:])
    return dict(dict(header.get("meta") or {}).get(_KEY, {}))
