"""The verb calibrate: extinction, law and fractions from the stars of a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gcmock.errors import InputError
from gcmock.verbs.given import (
    Location,
    Table,
    check_apart,
    check_system,
    on_disk,
    pair_if_given,
    whole,
)
from gcmock.verbs.settings import Settings, settings_of

if TYPE_CHECKING:
    from gcmock.calibration.calibrate import Calibration
    from gcmock.settings.build import Config


def calibrate(
    catalogue: Location | Table,
    output: Location | None = None,
    *,
    config: Settings = None,
    limits: Any = None,
    stars_per_cell: int = 100,
    law: Literal["quadrants", "one", "none"] = "quadrants",
    no_law_offset: bool = False,
    no_local: bool = False,
    no_extinction: bool = False,
    no_fractions: bool = False,
    no_errors: bool = False,
    figure: Location | None = None,
    hats: Location | None = None,
    seed: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    **sections: Mapping[str, Any],
) -> Calibration:
    """Calibrate the extinction of a region from its own stars.

    Parameters
    ----------
    catalogue : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        All stars of a region between two magnitudes, as for `gcmock.build`, with Ks and J or H. A
        table in memory is written to a temporary Parquet file, and is read from there in chunks.
    output : str or Path, optional
        FITS file: map of E(J-Ks), its scatter, the law, with errors; for
        ``gcmock.build(learned=...)``.
    config : str, Path, mapping or Config, optional
        TOML file with settings, or its content; map and law of ``[extinction]`` are what is
        corrected.
    limits : tuple of 2 floats, or Quantity, shape (2,), optional
        Bright and faint limit in Ks [mag] between which the catalogue is complete; by default the
        faint one is where the counts show it.
    stars_per_cell : int
        Most stars of a cell of 0.025 deg that are used.
    law : {"quadrants", "one", "none"}
        Fit a law to every quadrant, to all stars, or keep that of the settings.
    no_law_offset : bool
        Fit the slope of the law only, not the offset in H.
    no_local : bool
        Do not refine the map with the nearest neighbours of every star.
    no_extinction : bool
        Keep the reddening of the map, with its scatter: fit the law or the fractions only.
    no_fractions : bool
        Keep the numbers of disc, bar and nuclear stars, and of younger ones, of the model.
    no_errors : bool
        Keep the stated errors, and the usual fractions of outliers.
    figure : str or Path, optional
        Picture of the map and its comparison with Surot et al. 2020 (PNG or PDF).
    hats : str or Path, optional
        Folder for the map as a HATS catalogue.
    seed : int, optional
        Seed of the choice of stars.
    workers : int, optional
        Number of threads; 0 for one per core. The result does not depend on it.
    overwrite : bool
        Replace existing outputs.
    progress : callable, optional
        Called with the name of a stage and the numbers done and in total.
    **sections : mapping
        Sections of settings that win over `config`.

    Returns
    -------
    Calibration
        Everything that was found, and the `files` that were written.

    Raises
    ------
    InputError
        If the catalogue, a setting or an output cannot be used, or no cell has enough stars.
    """
    from gcmock.calibration.calibrate import Options
    from gcmock.calibration.calibrate import calibrate as fit

    options = {"run.seed": seed, "run.workers": workers}
    settings = settings_of(calibrate, config, sections, options)
    outputs = {
        kind: Path(path)
        for kind, path in (("fits", output), ("figure", figure), ("hats", hats))
        if path is not None
    }
    check_apart(outputs.values(), [catalogue, config], [settings])
    whole(stars_per_cell, "--stars-per-cell", 1, 1_000_000)
    if no_extinction and law == "none" and no_fractions and no_errors:
        raise InputError(
            "calibrate: nothing is left to calibrate: leave out one of --no-extinction, --law "
            "none, --no-fractions and --no-errors"
        )
    check_system(catalogue, settings)
    _check(outputs, overwrite)
    wanted = Options(
        pair_if_given(limits, "mag", "limits"),
        stars_per_cell,
        law,
        not no_law_offset,
        not (no_local or no_extinction),
        not no_fractions,
        not no_errors,
        not no_extinction,
    )
    with on_disk(catalogue, "catalogue") as path:
        result = fit(path, settings, wanted, progress=progress)
        _write(result, outputs, path, settings, overwrite)
    return replace(result, files=tuple(outputs.values()))


def _check(outputs: Mapping[str, Path], overwrite: bool) -> None:
    """Refuse outputs that cannot be written, before anything is computed."""
    if "fits" in outputs:
        from gcmock.io.beside import take_left_behind

        for kind in ("figure", "hats"):
            if kind in outputs:
                take_left_behind(outputs[kind], outputs["fits"])
    if "fits" in outputs:
        from gcmock.calibration.calibration_file import check_output

        check_output(outputs["fits"], overwrite=overwrite)
    if "figure" in outputs:
        from gcmock.reporting.calibration import check_figure

        check_figure(outputs["figure"], overwrite=overwrite)
    if "hats" in outputs:
        from gcmock.runtime.export_hats import check_folder

        check_folder(outputs["hats"], overwrite=overwrite)


def _write(
    result: Calibration, outputs: Mapping[str, Path], path: Path, settings: Config, overwrite: bool
) -> None:
    """Write picture, HATS catalogue and, last, the file of a calibration."""
    if not outputs:
        return
    from gcmock.io.beside import announced
    from gcmock.io.disk import sha256_of

    source = {"name": path.name, "sha256": sha256_of(path)}
    with announced(outputs.get("fits")):
        if "figure" in outputs:
            from gcmock.reporting.calibration import draw_calibration

            draw_calibration(result, outputs["figure"])
        if "hats" in outputs:
            from gcmock.calibration.calibration_file import MAP_COLUMNS, map_table, record
            from gcmock.runtime.export_hats import export_hats

            rows, words = map_table(result), record(result, source)
            export_hats(outputs["hats"], MAP_COLUMNS, rows, words, settings, overwrite=overwrite)
        if "fits" in outputs:
            from gcmock.calibration.calibration_file import write_calibration

            write_calibration(result, outputs["fits"], source, overwrite=overwrite)
