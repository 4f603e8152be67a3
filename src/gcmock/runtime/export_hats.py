"""A small table as a HATS catalogue, without a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from gcmock.arrays import Table
from gcmock.errors import InputError
from gcmock.io.disk import check_new_folder, whole_folder
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
    check_new_folder(folder.absolute(), overwrite=overwrite)


def export_hats(
    folder: Path,
    columns: Sequence[Column],
    rows: Table,
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
    rows : mapping of str to ndarray, shape (n_row,)
    metadata : mapping of str to str
        Provenance, see `gcmock.io.provenance.provenance`.
    config : Config
    overwrite : bool
        Replace a HATS catalogue that gcmock wrote.

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
    target = folder.absolute()
    index = healpix_index(rows["ra"], rows["dec"])
    order = np.argsort(index, kind="stable")
    tile = index[order] >> 2 * (ORDER - TILE_ORDER)
    pixels = []
    with whole_folder(target, overwrite=overwrite) as inside:
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
