"""Commands of the merged catalogue: merge.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gcmock.cli.options import WholeIfGiven

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Switch = Annotated[bool, Parameter(negative="")]


def merge(
    config: Path,
    /,
    *,
    output: Output,
    rule: Literal["probabilistic", "pilot2023"] | None = None,
    keep_rejected: Switch = False,
    workers: WholeIfGiven = None,
    scheduler: str | None = None,
    overwrite: Switch = False,
) -> None:
    """Merge surveys into one clean catalogue, the input of build.

    Example: gcmock merge examples/jasmine_merge.toml -o catalogue

    Parameters
    ----------
    config
        TOML file: the surveys with their files, the window, and what differs from the defaults. Or
        the table of one survey, which is cleaned and written in the columns that build reads.
    output
        Without suffix a folder of Parquet files; an interrupted run then goes on where it stopped
        when it is started again. Else a Parquet, FITS, VOTable or ECSV file, by its suffix.
    rule
        Likelihood ratios, or the simple rule of the pilot catalogue of 2023.
    keep_rejected
        Write the rows that were left out, each with its reason, beside the output.
    workers
        Number of threads; 0 for one per core. The result does not depend on it.
    scheduler
        For surveys that are HATS catalogues with margins: "local" starts worker processes here, an
        address such as tcp://10.0.0.1:8786 is that of a running Dask cluster.
    overwrite
        Replace an existing output; start afresh.
    """
    from gcmock.reporting.merge_table import print_merge_summary
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.merge import merge as run

    with progress("merge", "sources" if scheduler is None else "cells") as update:
        summary = run(
            config,
            output,
            rule=rule,
            keep_rejected=keep_rejected,
            workers=workers,
            scheduler=scheduler,
            overwrite=overwrite,
            progress=update,
        )
    print_merge_summary(summary)


COMMANDS: tuple[Callable[..., None], ...] = (merge,)
"""In the order of the help."""
