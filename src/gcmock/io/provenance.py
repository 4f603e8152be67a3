"""The record of how something was made, which every product carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final

import gcmock
from gcmock.data import path as data_path
from gcmock.settings.build import Config
from gcmock.settings.name_or_path import file_sha256

LIBRARIES: Final = ("numpy", "scipy", "numba", "astropy", "pyarrow")
"""Libraries that every computation may depend on."""


def creator() -> str:
    """Return the name of the program with its version."""
    return f"gcmock {gcmock.__version__}"


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def library_versions(*more: str) -> dict[str, str]:
    """Return the versions of gcmock and of the libraries that it computes with.

    Parameters
    ----------
    *more : str
        Names of further libraries.
    """
    names = (*LIBRARIES, *more)
    return {"gcmock": gcmock.__version__, **{name: version(name) for name in names}}


def data_sha256() -> str:
    """Return the checksum of the checksums of the data files in the package."""
    return sha256(data_path("checksums.sha256").read_bytes()).hexdigest()


def own_files(config: Config) -> dict[str, str]:
    """Return the checksums of laws and relations that are given by path, not by name."""
    given = {
        "extinction_law_sha256": file_sha256(config.extinction.law),
        "hw_relation_sha256": file_sha256(config.photometry.hw_relation),
    }
    return {key: digest for key, digest in given.items() if digest}


def origin() -> dict[str, Any]:
    """Return what every record of a product in JSON begins with: program, time and versions."""
    return {"creator": creator(), "date": now(), "versions": library_versions()}


def provenance(
    config: Config,
    content: str,
    source: Mapping[str, Any],
    rows: Mapping[str, int],
    words: Mapping[str, str],
    *,
    dated: bool = True,
) -> dict[str, str]:
    """Record of how a catalogue was made from stars in a file, for the metadata of its own.

    Parameters
    ----------
    config : Config
        The resolved settings.
    content : str
        What it holds.
    source : mapping
        The input: ``name`` and ``sha256``.
    rows : mapping of str to int
        Number of rows read, written, and skipped by reason.
    words : mapping of str to str
        What else made it: laws, relations, citations.
    dated : bool
        Record the time as well; without it equal runs give equal bytes.

    Returns
    -------
    dict of str to str
        Texts; structured entries are TOML (``config``) or JSON.
    """
    return {
        "creator": creator(),
        "content": content,
        **({"date": now()} if dated else {}),
        "versions": json.dumps(library_versions()),
        "seed": str(config.run.seed),
        "config": config.to_toml(),
        "input": str(source["name"]),
        "input_sha256": str(source["sha256"]),
        "rows": json.dumps(dict(rows)),
        "data_sha256": data_sha256(),
        **own_files(config),
        **words,
    }
