"""Command that calibrates extinction from the stars of a catalogue.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gcmock.cli.options import Whole, WholeIfGiven

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Switch = Annotated[bool, Parameter(negative="")]


def calibrate(
    catalogue: Path,
    /,
    *,
    output: Output,
    config: Path | None = None,
    limits: Annotated[tuple[float, float] | None, Parameter(negative="")] = None,
    stars_per_cell: Whole = 100,
    law: Literal["quadrants", "one", "none"] = "quadrants",
    no_law_offset: Switch = False,
    no_local: Switch = False,
    no_extinction: Switch = False,
    no_fractions: Switch = False,
    no_errors: Switch = False,
    figure: Path | None = None,
    hats: Path | None = None,
    seed: WholeIfGiven = None,
    workers: WholeIfGiven = None,
    overwrite: Switch = False,
) -> None:
    """Calibrate the extinction of a region from its own stars.

    Example: gcmock calibrate survey.parquet -o calibration.fits --limits 10 15

    Parameters
    ----------
    catalogue
        Table of all stars of a region between two magnitudes, as for build, with Ks and J or H.
    output
        FITS file: map of E(J-Ks), its scatter, the law, with errors; for build --learned.
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
    no_fractions
        Keep the numbers of disc, bar and nuclear stars, and of younger ones, of the model.
    no_errors
        Keep the stated errors, and the usual fractions of outliers.
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
    from gcmock.reporting.calibration import print_calibration
    from gcmock.reporting.terminal import stages
    from gcmock.verbs.calibrate import calibrate as run

    with stages() as stage:
        result = run(
            catalogue,
            output,
            config=config,
            limits=limits,
            stars_per_cell=stars_per_cell,
            law=law,
            no_law_offset=no_law_offset,
            no_local=no_local,
            no_extinction=no_extinction,
            no_fractions=no_fractions,
            no_errors=no_errors,
            figure=figure,
            hats=hats,
            seed=seed,
            workers=workers,
            overwrite=overwrite,
            progress=stage,
        )
    print_calibration(result)
    for path in result.files:
        print(path)


COMMANDS: tuple[Callable[..., None], ...] = (calibrate,)
"""Functions that become commands."""
