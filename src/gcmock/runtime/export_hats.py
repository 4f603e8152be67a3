"""A small table as a HATS catalogue, without a cluster."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import PARTIAL
from gcmock.io.readers.folder import is_hats
from gcmock.io.writers.writer import open_writer
from gcmock.runtime.cluster import check_installed
from gcmock.settings.build import Config
from gcmock.words.columns import Column

TILE_ORDER: Final = 5
"""HEALPix order of the partitions: 1.8 deg, 5000 cells of the extinction map."""


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that cannot become a catalogue, before anything is computed.

    Raises
    ------
    InputError
    """
    check_installed("hats")
    if folder.suffix:
        raise InputError(f"{folder}: a HATS catalogue is a folder, whose name has no suffix")
    if folder.exists() and not (overwrite and is_hats(folder)):
        raise InputError(f"{folder}: exists already; choose another name or allow overwriting")
    if not folder.resolve().parent.is_dir():
        raise InputError(f"{folder}: the folder {folder.parent} does not exist")


def export_hats(
    folder: Path,
    columns: Sequence[Column],
    rows: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, str],
    config: Config,
    *,
    overwrite: bool = False,
) -> None:
    """Write a table with ``ra`` and ``dec`` as a HATS catalogue.

    Parameters
    ----------
    folder : Path
        It appears when it is complete.
    columns : sequence of Column
    rows : mapping of str to array (n_row,)
    metadata : mapping of str to str
        Provenance, see `gcmock.mock.product.provenance`.
    config : Config
    overwrite : bool
        Replace an existing HATS catalogue.

    Raises
    ------
    InputError
        See `check_folder`.
    GcmockError
        If the disk fails.
    """
    from gcmock.runtime.hats_catalogue import Pixel, describe_hats
    from gcmock.runtime.pixels import HEALPIX, ORDER, healpix_index

    check_folder(folder, overwrite=overwrite)
    target = folder.resolve()
    partial = target.with_name(f".{target.name}{PARTIAL}{os.getpid()}")
    # The name of the folder becomes that of the catalogue.
    inside = partial / target.name
    index = healpix_index(rows["ra"], rows["dec"])
    order = np.argsort(index, kind="stable")
    tile = index[order] >> 2 * (ORDER - TILE_ORDER)
    pixels = []
    try:
        inside.mkdir(parents=True)
        for number in np.unique(tile):
            pixel = Pixel(TILE_ORDER, int(number), inside)
            path = inside / pixel.name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = order[tile == number]
            with open_writer(path, (HEALPIX, *columns), metadata) as writer:
                of_tile = {name: values[part] for name, values in rows.items()}
                writer.write({HEALPIX.name: index[part], **of_tile})
            pixels.append(pixel)
        describe_hats(inside, pixels, (HEALPIX, *columns), metadata, config, len(index))
        if target.exists():
            shutil.rmtree(target)
        os.replace(inside, target)
    except OSError as error:
        raise GcmockError(f"{folder}: writing failed: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
