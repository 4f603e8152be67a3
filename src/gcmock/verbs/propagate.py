"""The verb propagate: where the stars of a catalogue are seen at other epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from gcmock.errors import InputError
from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    check_table,
    julian_years,
    kind_of_result,
    made_in_memory,
    on_disk,
    on_disk_if_given,
    whole_if_given,
)


def propagate(
    catalogue: Location | Table,
    output: Location | None = None,
    *,
    epochs: Any = None,
    times: Location | Table | None = None,
    product: Literal["directions", "sources"] = "directions",
    seen_from: Literal["earth", "barycentre"] = "earth",
    orbit: Location | Table | None = None,
    aberration: bool = False,
    deflection: bool = False,
    realisation: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Compute where the stars of a catalogue are seen at other epochs.

    Parameters
    ----------
    catalogue : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Mock catalogue, or a table of sources as warpfield has them, with units: ``source_id``,
        ``ra``, ``dec``, ``parallax``, ``pmra``, ``pmdec``; ``ref_epoch`` is 2000.0 and
        ``radial_velocity`` zero if not given. A table in memory is written to a temporary Parquet
        file, and is read from there in chunks.
    output : str or Path, optional
        Parquet, FITS, VOTable or ECSV file, by its suffix. If not given, the table is returned.
    epochs : float, sequence of float, Quantity or astropy.time.Time, optional
        Julian years (TCB); times in any scale.
    times : str, Path or table, optional
        Table with a column time, or text file with one Julian year a line, instead of `epochs`.
    product : {"directions", "sources"}
        Apparent directions, a row per star and epoch; or sources: the five parameters at one epoch
        (as they are without `epochs`), in the table that warpfield reads.
    seen_from : {"earth", "barycentre"}
        Place of the observer.
    orbit : str, Path or table, optional
        Table of a satellite's geocentric orbit: time, x_km, y_km, z_km, vx_kms, vy_kms, vz_kms.
    aberration : bool
        Include the aberration by the observer's velocity.
    deflection : bool
        Include the deflection of light by the Sun.
    realisation : int, optional
        Only this realisation of the catalogue; all of them by default.
    overwrite : bool
        Replace an existing output.
    progress : callable, optional
        Called with the numbers of finished and of all rows of the catalogue.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table, polars.DataFrame or PropagateSummary
        Without `output` the directions or sources, of the library of the input (a QTable for a
        file); with `output` the account of what was written.

    Raises
    ------
    InputError
        If the input, an epoch or the output cannot be used; nothing is written then.

    Examples
    --------
    >>> import gcmock
    >>> from astropy.time import Time
    >>> mock = gcmock.build(stars, seed=7)
    >>> times = Time(["2032-01-01", "2032-07-01"], scale="tcb")
    >>> seen = gcmock.propagate(mock, epochs=times)
    >>> len(seen) == 2 * len(mock)
    True
    >>> seen["ra_offset"].unit
    Unit("mas")
    """
    from gcmock.astrometry.directions.propagate import propagate as move
    from gcmock.astrometry.directions.propagate import read_epochs

    check_apart([output], [catalogue, times, orbit])
    whole_if_given(realisation, "--realisation", 0)
    check_table(output, overwrite=overwrite)
    if times is not None and epochs is not None:
        raise InputError("--epochs and --times exclude each other")
    with (
        on_disk(catalogue, "catalogue") as path,
        on_disk_if_given(times, "times") as times_path,
        on_disk_if_given(orbit, "orbit") as orbit_path,
    ):
        if times_path is not None:
            years = list(read_epochs(times_path))
        else:
            years = [] if epochs is None else julian_years(epochs)

        def run(target: Path) -> Any:
            return move(
                path,
                target,
                years,
                product=product,
                seen_from=seen_from,
                orbit=orbit_path,
                aberration=aberration,
                deflection=deflection,
                realisation=realisation,
                overwrite=overwrite,
                progress=progress,
            )

        if output is None:
            return made_in_memory(run, kind_of_result(catalogue))
        return run(Path(output))
