"""Commands for the real surveys: fetch.

`gcmock.cli.app` registers `COMMANDS`. Everything slow is imported inside the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gcmock.cli.options import Whole

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Range = Annotated[tuple[float, float], Parameter(negative="")]
Switch = Annotated[bool, Parameter(negative="")]


def fetch(
    survey: str,
    /,
    *,
    l: Range,
    b: Range,
    output: Output,
    archive: str = "",
    service: str = "",
    tile_rows: Whole = 250_000,
    overwrite: Switch = False,
) -> None:
    """Fetch all rows of a survey in a window of the sky from its archive.

    Example: gcmock fetch virac2 --l -1.4 0.7 --b -0.6 0.6 -o virac2

    The window is cut into tiles, each fetched with an asynchronous TAP job.
    An interrupted run goes on where it stopped when it is started again; tiles
    whose checksum is wrong are fetched again. The folder then holds Parquet
    files with the columns of the archive, and _manifest.jsonl with query, rows,
    date and checksum of each. Start small: --l 0 0.1 --b -0.1 0.

    Parameters
    ----------
    survey
        2mass (archives irsa, vizier), virac2 (eso), vvv (vizier-dr2, vizier-dr4), gnc (vizier),
        gaia (gaia, vizier), or a TOML file that defines a survey of your own. The catalogue of
        sirius is not public: the command says whom to ask.
    l
        Range of Galactic longitude [deg], negative in the west.
    b
        Range of Galactic latitude [deg].
    output
        Folder for the tiles.
    archive
        Which archive, if the survey has several; the first by default.
    service
        Address of another TAP service with the same table, such as a mirror.
    tile_rows
        Most rows of a tile; tiles with more are divided.
    overwrite
        Delete what an earlier run left in the folder; start afresh.
    """
    from gcmock.reporting.terminal import progress
    from gcmock.verbs.fetch import fetch as run

    with progress(f"fetch {survey}", "tiles") as update:
        done = run(
            survey,
            l,
            b,
            output,
            archive=archive,
            service=service,
            tile_rows=tile_rows,
            overwrite=overwrite,
            progress=update,
            notice=lambda text: print(f"gcmock: {text}", file=sys.stderr, flush=True),
        )
    kept = f" ({done.n_kept:,} were there)" if done.n_kept else ""
    print(f"{done.survey} from {done.url}")
    print(f"{done.n_tile:,} tiles{kept}, {done.n_bytes / 1e6:,.1f} MB")
    print(f"{done.output}: {done.n_rows:,} rows in the window, {done.seconds:.1f} s")
    if not done.n_rows:
        print("note: the survey has no source in this window")


COMMANDS: tuple[Callable[..., None], ...] = (fetch,)
"""Functions that become commands, in the order of the help."""
