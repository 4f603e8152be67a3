"""Command that calibrates extinction from the stars of a catalogue.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Switch = Annotated[bool, Parameter(negative="")]


def calibrate(
    catalogue: Path,
    /,
    *,
    output: Output,
    config: Path | None = None,
    limits: Annotated[tuple[float, float] | None, Parameter(negative="")] = None,
    stars_per_cell: int = 200,
    law: Literal["quadrants", "one", "none"] = "quadrants",
    no_law_offset: Switch = False,
    no_local: Switch = False,
    no_extinction: Switch = False,
    fractions: Switch = False,
    fields_deviate: Switch = False,
    figure: Path | None = None,
    hats: Path | None = None,
    seed: int | None = None,
    workers: int | None = None,
    overwrite: Switch = False,
) -> None:
    """Calibrate the extinction of a region from its own stars.

    Example: gcmock calibrate survey.parquet -o calibration.fits --limits 10 15

    Parameters
    ----------
    catalogue
        Table of all stars of a region between two magnitudes, as for build, with Ks and J or H.
    output
        FITS file: map of E(J-Ks), its scatter, the law, with errors; for build --calibration.
    config
        TOML file with settings; map and law of [extinction] are what is corrected.
    limits
        Bright and faint limit in Ks [mag] between which the catalogue is complete; by default the
        faint one is where the counts show it.
    stars_per_cell
        Most stars of a cell of 0.025 deg that are used.
    law
        Fit a law to every quadrant, to all stars, or keep that of the settings.
    no_law_offset
        Fit the slope of the law only, not the offset in H.
    no_local
        Do not refine the map with the nearest neighbours of every star.
    no_extinction
        Keep the reddening of the map, with its scatter: fit the law or the fractions only.
    fractions
        Fit the numbers of disc, bar and nuclear stars as well; takes 1000 stars.
    fields_deviate
        Let these numbers differ between fields of 0.2 deg.
    figure
        Picture of the map and its comparison with Surot et al. 2020 (PNG or PDF).
    hats
        Folder for the map as a HATS catalogue.
    seed
        Seed of the choice of stars.
    workers
        Number of threads; 0 for one per core. The result does not depend on it.
    overwrite
        Replace existing outputs.
    """
    from gcmock.calibration.calibrate import Options
    from gcmock.calibration.calibrate import calibrate as run
    from gcmock.calibration.calibration_file import (
        check_output,
        map_table,
        record,
        write_calibration,
    )
    from gcmock.io.disk import sha256_of
    from gcmock.reporting.calibration import check_figure, draw, print_calibration, stages
    from gcmock.settings.build import load_config

    settings = load_config(config, {"run": {"seed": seed, "workers": workers}})
    check_output(output, overwrite=overwrite)
    if figure is not None:
        check_figure(figure, overwrite=overwrite)
    if hats is not None:
        from gcmock.runtime.export_hats import check_folder

        check_folder(hats, overwrite=overwrite)
    options = Options(
        limits,
        stars_per_cell,
        law,
        not no_law_offset,
        not (no_local or no_extinction),
        fractions,
        fields_deviate,
        not no_extinction,
    )
    with stages() as stage:
        result = run(catalogue, settings, options, progress=stage)
    source = {"name": catalogue.name, "sha256": sha256_of(catalogue)}
    write_calibration(result, output, source, overwrite=overwrite)
    if figure is not None:
        draw(result, figure)
    if hats is not None:
        from gcmock.calibration.calibration_file import MAP_COLUMNS
        from gcmock.runtime.export_hats import export_hats

        rows, words = map_table(result), record(result, source)
        export_hats(hats, MAP_COLUMNS, rows, words, settings, overwrite=overwrite)
    print_calibration(result)
    for path in (output, figure, hats):
        if path is not None:
            print(path)


COMMANDS: tuple[Callable[..., None], ...] = (calibrate,)
"""Functions that become commands."""
