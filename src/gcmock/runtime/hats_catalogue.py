"""HATS catalogues: which partitions one has, and the files that describe one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gcmock import __version__
from gcmock.errors import InputError
from gcmock.io.writers.parquet import parquet_schema
from gcmock.runtime.pixels import HEALPIX, ORDER
from gcmock.settings.build import Config
from gcmock.words.columns import Column


class Pixel(NamedTuple):
    """A partition: HEALPix order, nested index, and its file."""

    order: int
    pixel: int
    path: Path

    @property
    def name(self) -> str:
        """Path of the partition in a catalogue that gcmock writes."""
        folder = self.pixel // 10_000 * 10_000
        return f"dataset/Norder={self.order}/Dir={folder}/Npix={self.pixel}.parquet"


class HatsInput(NamedTuple):
    """A catalogue to read.

    Attributes
    ----------
    path : Path
    pixels : list of Pixel
        In the order of the sky (breadth first).
    columns : dict of str to str
        Names of the position columns, by their names in gcmock.
    name : str
        Name of the catalogue.
    """

    path: Path
    pixels: list[Pixel]
    columns: dict[str, str]
    name: str


def open_hats(path: Path) -> HatsInput:
    """Open a HATS catalogue, or the main catalogue of a collection.

    Raises
    ------
    InputError
        If it is none, or damaged.
    """
    from hats import read_hats
    from hats.io.paths import pixel_catalog_file

    try:
        catalogue = read_hats(path)
        catalogue = getattr(catalogue, "main_catalog", catalogue)
        info = catalogue.catalog_info
        found = catalogue.get_healpix_pixels()
        base = catalogue.catalog_base_dir
        files = [pixel_catalog_file(base, pixel, npix_suffix=info.npix_suffix) for pixel in found]
    # Libraries raise almost anything on damaged files.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{path}: not a HATS catalogue, or damaged: {reason}. gcmock import-hats turns a table "
            "into one"
        ) from error
    pixels = [
        Pixel(int(pixel.order), int(pixel.pixel), Path(str(file)))
        for pixel, file in zip(found, files, strict=True)
    ]
    missing = [pixel.path for pixel in pixels if not pixel.path.exists()]
    if missing:
        raise InputError(f"{path}: {len(missing)} partitions are missing, such as {missing[0]}")
    if not pixels:
        raise InputError(f"{path}: the catalogue has no partitions")
    columns = {"ra": info.ra_column, "dec": info.dec_column}
    return HatsInput(path, pixels, {k: v for k, v in columns.items() if v}, info.catalog_name)


def describe_hats(
    folder: Path,
    pixels: Sequence[Pixel],
    columns: Sequence[Column],
    metadata: Mapping[str, str],
    config: Config,
    n_rows: int,
) -> None:
    """Write the files by which a folder of partitions is a HATS catalogue.

    Parameters
    ----------
    folder : Path
    pixels : sequence of Pixel
        Partitions that are there.
    columns : sequence of Column
        Of every partition.
    metadata : mapping of str to str
        Provenance: in ``_common_metadata``, and in short in ``hats.properties``.
    config : Config
    n_rows : int
        Rows of all partitions.
    """
    import pyarrow.parquet as pq
    from hats.catalog import CatalogType, PartitionInfo, TableProperties
    from hats.io import write_parquet_metadata
    from hats.io.paths import get_common_metadata_pointer
    from hats.pixel_math import HealpixPixel

    PartitionInfo.from_healpix([HealpixPixel(p.order, p.pixel) for p in pixels]).write_to_file(
        catalog_path=folder
    )
    write_parquet_metadata(folder)
    schema = parquet_schema(columns, metadata)
    pq.write_metadata(schema, str(get_common_metadata_pointer(folder)))
    words: dict[str, Any] = {
        "gcmock_config": json.dumps(config.model_dump(mode="json")),
        **{f"gcmock_{name}": metadata[name] for name in ("seed", "input", "input_sha256")},
        "gcmock_data_sha256": metadata["data_sha256"],
        "gcmock_versions": metadata["versions"],
    }
    TableProperties(
        catalog_name=folder.name,
        catalog_type=CatalogType.OBJECT,
        total_rows=n_rows,
        ra_column="ra",
        dec_column="dec",
        healpix_column=HEALPIX.name,
        healpix_order=ORDER,
        hats_builder=f"gcmock {__version__}",
        obs_description=metadata["content"],
        bib_reference=metadata["citation"],
        prov_progenitor=metadata["input"],
        **words,
    ).to_properties_file(folder)
