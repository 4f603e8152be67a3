"""The command that tests the science: validate.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gcmock.cli.options import Whole, WholeIfGiven
from gcmock.errors import GcmockError

Range = Annotated[tuple[float, float], Parameter(negative="")]


def validate(
    mock: Path | None = None,
    /,
    *,
    input: Path | None = None,
    reference: Path | None = None,
    counts: Path | None = None,
    completeness: Path | None = None,
    only: str | None = None,
    config: Path | None = None,
    stars: Whole = 4000,
    l: Range = (-1.4, 0.7),
    b: Range = (-0.6, 0.6),
    limits: Annotated[tuple[float, float] | None, Parameter(negative="")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    figure: Path | None = None,
    seed: WholeIfGiven = None,
    workers: WholeIfGiven = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Test the science: calibration, predictions, published values, counts of real stars.

    Example: gcmock validate mock.parquet --input stars.fits -o validation.json

    Exit code 1 if a test fails; tests for which something is not given are skipped.

    Parameters
    ----------
    mock
        Mock catalogue: a file or folder that gcmock build wrote.
    input
        The table from which the catalogue was built.
    reference
        Folder with the star lists of genstars, stars_cellmean.parquet and stars_subcell.parquet.
    counts
        List of real stars with Hw, whose numbers are compared with the model by tile.
    completeness
        Detection probability of the input: the map that merge writes, or the folder it is in.
    only
        Tests to do, with commas between: sbc,genstars,predictive,offshelf,truths,counts.
    config
        TOML file with settings of the model; gcmock info config prints all of them.
    stars
        Stars of the tests that draw some; limits of statistical tests follow from it.
    l
        Range of Galactic longitude of --counts [deg].
    b
        Range of Galactic latitude of --counts [deg].
    limits
        Bright and faint limit [mag] between which the input is complete, in Ks (or H, J, Hw where
        most stars have no Ks).
    output
        JSON file with all numbers and how they were made, or a Markdown table (.md).
    figure
        Map of observed and expected counts by tile (PNG or PDF).
    seed
        Seed of the random numbers.
    workers
        Number of threads; 0 for one per core. The result does not depend on it.
    overwrite
        Replace existing outputs.
    """
    from gcmock.reporting.terminal import stages
    from gcmock.reporting.validation import print_validation
    from gcmock.verbs.validate import validate as run

    with stages() as stage:
        result = run(
            mock,
            input=input,
            reference=reference,
            counts=counts,
            completeness=completeness,
            only=only,
            config=config,
            stars=stars,
            l=l,
            b=b,
            limits=limits,
            output=output,
            figure=figure,
            seed=seed,
            workers=workers,
            overwrite=overwrite,
            progress=stage,
        )
    print_validation(result)
    for path in result.files:
        print(path)
    if result.failed:
        names = tuple(dict.fromkeys(check.test for check in result.failed))
        raise GcmockError(
            f"{len(result.failed)} of {len(result.checks)} checks failed ({', '.join(names)})"
        )


COMMANDS: tuple[Callable[..., None], ...] = (validate,)
"""Functions that become commands, in the order of the help."""
