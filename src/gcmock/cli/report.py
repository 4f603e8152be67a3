"""The command that shows a catalogue: report.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gcmock.cli.options import Whole

Output = Annotated[Path, Parameter(name=["--output", "-o"])]


def report(
    mock: Path,
    /,
    *,
    output: Output,
    input: Path | None = None,
    truth: Path | None = None,
    figures: Path | None = None,
    sample: Whole = 2000,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show what a mock catalogue contains and where it can be trusted, on one HTML page.

    Example: gcmock report mock.parquet --input stars.fits -o report.html

    Parameters
    ----------
    mock
        Mock catalogue: a file or folder that gcmock build wrote.
    output
        HTML file. It needs no other file and no network.
    input
        The table from which the catalogue was built: shown side by side, and needed for the
        posteriors of single stars.
    truth
        Table of the true stars, where they are known (gcmock simulate --survey writes one).
    figures
        Folder for all figures as PNG and PDF.
    sample
        Stars that can be picked one by one in the page; 0 for none.
    overwrite
        Replace an existing page.
    """
    from gcmock.reporting.closed_loop import closed_loop_stages
    from gcmock.verbs.report import report as run

    with closed_loop_stages() as stage:
        done = run(
            mock,
            output,
            input=input,
            truth=truth,
            figures=figures,
            sample=sample,
            overwrite=overwrite,
            progress=stage,
        )
    rate = done.n_row / done.seconds
    if figures is not None:
        print(f"{figures}: {len(done.figures)} files")
    print(
        f"{done.output}: {done.size / 1e6:.1f} MB, {done.n_star:,} stars, {done.seconds:.1f} s, "
        f"{rate:,.0f} rows/s"
    )


COMMANDS: tuple[Callable[..., None], ...] = (report,)
"""Functions that become commands, in the order of the help."""
